"""The archive: delivered files, unchanged, under their SHA-256; read-only and never half-written."""

from __future__ import annotations

import codecs
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import DeliveryRejected, Problem, WarehouseError
from pipelines.ingest.content import GZIP_MARK, LONGEST_MARK, open_content
from pipelines.ingest.packing import PackingError
from pipelines.ingest.zip_file import ZIP_MARKS

BLOCK = 1 << 20
INCOMING = "incoming"
MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Copy:
    """A private copy of a delivered file, made while its bytes were hashed.

    Hash and size are those of the file as received, `mark` and `looks_like_utf8` tell of what is in it;
    `problem` is why that cannot be unpacked.
    """

    path: Path
    file_name: str
    sha256: str
    size: int
    mark: str | None
    looks_like_utf8: bool
    problem: Problem | None = None

    def discard(self) -> None:
        """Delete the copy; nothing happens when it is kept already."""
        self.path.unlink(missing_ok=True)


class _EncodingTest:
    """Finds out what bytes tell of their encoding: the mark they begin with, and whether they are UTF-8."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._first = b""
        self._beyond_ascii = False
        self._is_utf8 = True

    def feed(self, block: bytes) -> None:
        """Take the next bytes."""
        self._first = self._first or block[:LONGEST_MARK]
        if block.isascii() and not self._decoder.getstate()[0]:
            return
        self._beyond_ascii = True
        try:
            self._decoder.decode(block)
        except UnicodeDecodeError:
            self._is_utf8 = False

    @property
    def mark(self) -> str | None:
        """The encoding whose mark the bytes begin with."""
        return next((encoding for sign, encoding in MARKS.items() if self._first.startswith(sign)), None)

    @property
    def is_packed(self) -> bool:
        """Whether the bytes begin as those of a packed file."""
        return self._first.startswith((GZIP_MARK, *ZIP_MARKS))

    @property
    def is_utf8(self) -> bool:
        """Whether there are signs beyond ASCII, and all are UTF-8."""
        return self._beyond_ascii and self._is_utf8 and not self._decoder.getstate()[0]


def copy_in(source: Path, name: str, archive: Path, owner: str) -> Copy:
    """Return a copy of a delivered file, taken into the archive's own folder while it was hashed.

    `owner` stands for who works on it; see `sweep_incoming`.

    Raises:
        DeliveryRejected: the file is no ordinary file, or changed while it was read.
    """
    folder = archive / INCOMING
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if source.is_symlink() or not source.is_file():
        raise DeliveryRejected([Problem(name, "NO_FILE", "this is not an ordinary file")])
    before = _state(source)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f"{owner}.")
    digest, test, size = hashlib.sha256(), _EncodingTest(), 0
    try:
        with source.open("rb") as incoming, os.fdopen(descriptor, "wb") as copy:
            while block := incoming.read(BLOCK):
                digest.update(block)
                test.feed(block)
                copy.write(block)
                size += len(block)
            copy.flush()
            os.fsync(copy.fileno())
        if _state(source) != before or size != before[0]:
            raise DeliveryRejected([Problem(name, "STILL_CHANGING", "the file changed while it was read")])
        test, problem = _of_content(Path(temporary), name) if test.is_packed else (test, None)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return Copy(Path(temporary), source.name, digest.hexdigest(), size, test.mark, test.is_utf8, problem)


def _of_content(path: Path, name: str) -> tuple[_EncodingTest, Problem | None]:
    """Return what the bytes inside a packed file tell, and why it cannot be unpacked; a workbook stays packed."""
    test = _EncodingTest()
    try:
        with open_content(path, holds_zip=True) as content:
            while block := content.read(BLOCK):
                test.feed(block)
    except PackingError as error:
        return test, Problem(name, error.rule, error.message)
    return test, None


def archived_path(archive: Path, sha256: str) -> Path:
    """Return where a file of this hash is kept."""
    return archive / sha256[:2] / sha256[2:]


def keep(copy: Copy, archive: Path) -> Path:
    """Return where the file is kept now, relative to the archive; it appears there whole or not at all."""
    target = archived_path(archive, copy.sha256)
    if target.is_file() and not copy.path.exists():  # several files of a contract are this one, kept once
        return target.relative_to(archive)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy.path.chmod(0o400)
    copy.path.replace(target)
    _sync_folder(target.parent)
    return target.relative_to(archive)


def verified(archive: Path, sha256: str) -> Path:
    """Return where the file of this hash is kept, after its bytes were hashed again.

    Raises:
        WarehouseError: the archive does not hold it, or holds other bytes.
    """
    path = archived_path(archive, sha256)
    if not path.is_file():
        raise WarehouseError(f"the archive holds no file with SHA-256 {sha256}")
    if hash_file(path) != sha256:
        raise WarehouseError(f"the archived file with SHA-256 {sha256} was changed")
    return path


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, read block by block."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sweep_incoming(archive: Path, owner: str) -> int:
    """Return how many copies were deleted that a killed process left; the owner's lock must be held."""
    left = list((archive / INCOMING).glob(f"{owner}.*"))
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def _state(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is written to or replaced."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
