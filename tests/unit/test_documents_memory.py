"""A document of any size is read in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SIZE = 50_000_000
ALLOWED_GROWTH_MB = 60  # the elements of the whole file, as Python objects, would take ten times its size

# Reads a document and prints its rows, and the most memory that the process ever had, in kilobytes.
MEASURED = """
import resource, sys
from pathlib import Path
from support.document_files import document_file
from pipelines.ingest.readers import open_reader

kind, path = sys.argv[1], Path(sys.argv[2])
rows = {"json": "people", "json_lines": "people", "xml": "people/person"}[kind]
reader = open_reader(path, "people", document_file(kind, rows, {"id": None, "name": "name/family"}, ignored=("filler",)))
count = sum(len(batch.rows) for batch in reader.batches())
assert not reader.findings.problems, reader.findings
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""  # fmt: skip

PERSON = '{"id": "1", "name": {"family": "Quist", "given": ["Ada", "May"]}, "filler": ["%s"]}' % ("x" * 1000)  # noqa: UP031
ELEMENT = f"<person><id>1</id><name><family>Quist</family></name><filler>{'x' * 1000}</filler></person>\n"
FORMS = {
    "json": ('{"people": [', PERSON + ",\n", PERSON + "]}"),
    "json_lines": ("", '{"people": [' + PERSON + "]}\n", ""),
    "xml": ("<m><people>", ELEMENT, "</people></m>"),
}


def write(path: Path, kind: str, size: int) -> int:
    """Write a document of at least this size; return how many people stand in it."""
    start, item, end = FORMS[kind]
    count = size // len(item) + 1
    with path.open("w", encoding="utf-8") as file:
        file.write(start)
        for _ in range(count):
            file.write(item)
        file.write(end)
    return count + end.count('"id"')


def measured(kind: str, path: Path) -> tuple[int, float]:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", MEASURED, kind, str(path)],
        capture_output=True, timeout=300, check=True, cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": f".{':'}tests", "PATH": ""},
    )  # fmt: skip
    count, memory = done.stdout.split()
    return int(count), int(memory) / 1024


@pytest.mark.parametrize("kind", FORMS)
def test_a_big_document_takes_hardly_more_memory_than_a_small_one(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "people"
    few = write(path, kind, 1)
    assert measured(kind, path)[0] == few
    small = measured(kind, path)[1]
    many = write(path, kind, SIZE)
    assert path.stat().st_size >= SIZE
    count, big = measured(kind, path)
    assert count == many
    assert big - small < ALLOWED_GROWTH_MB
