"""The pack that goes to an agency: a page to read and a table to load, with its own records by record id only.

A record of somebody else is "a record of Police". Local ids are the agency's own values and stay in the database;
the page says how the agency's engineer finds them there.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pipelines.contracts.loader import agency_title
from pipelines.publish.withdrawal import ALWAYS, Shown, UndoneLink, Withdrawal
from pipelines.settings import load_settings

FOLDER = "withdrawals"
COLUMNS = (
    *("link", "record_id", "linked_with", "linked_record_id", "cause", "release_id", "as_of"),
    *("live_from", "live_until", "person_pseudonym", "views"),
)
_REST = """\
## What these words mean

- **Live**: the time, in UTC, during which the release was the one that analysts read.
- **Views**: those in `published` that had rows of the pseudonym in that release, with how many. Where the rows of a
  release are no longer kept, the two views that hold every person are named.
- **Cause**: NEW_DATA (records that nobody had before), CHANGED_DATA, VANISHED_DATA (a record is no longer among
  those linked), JUDGEMENT (somebody decided), MODEL_VERSION (weighed anew).

## Which of your records these are

A record id is a keyed hash; your own reference stands beside it in the database. With a grant
(`joinedup access grant LOGIN normalised --reason ...`), in a session of that login:

```sql
SELECT restricted.open('normalised', 'withdrawal, run {run_id}');
SELECT DISTINCT record_id, source_person_id FROM restricted.normalised_person_record
WHERE agency = '{agency}' AND record_id = 'RECORD';
```

This page ties your records to pseudonyms. Keep it from whoever reads the releases.
"""


def write_packs(found: Withdrawal, folder: Path | None = None) -> dict[str, Path]:
    """Return each agency's page, written with its table beside it; packs of this run that hold no more are deleted.

    They go to `withdrawals` in the reports folder unless told otherwise, and only this account may read them.
    """
    target = folder or load_settings().reports_dir / FOLDER
    contents, pages = {}, {}
    for agency, links in found.by_agency().items():
        pages[agency] = target / f"withdrawal-run-{found.run.run_id}-{agency}.md"
        contents[pages[agency]] = render_page(found, agency, links)
        contents[pages[agency].with_suffix(".csv")] = render_table(agency, links)
    for path in set(target.glob(f"withdrawal-run-{found.run.run_id}-*.*")) - contents.keys():
        path.unlink()
    for path, content in contents.items():
        _write(path, content)
    return pages


def render_page(found: Withdrawal, agency: str, links: Sequence[UndoneLink]) -> str:
    """Return an agency's page as Markdown."""
    run = found.run
    count = "1 link" if len(links) == 1 else f"{len(links):,} links"
    head = (
        f"# Withdrawn links: {agency_title(agency)}\n\n"
        f"Run {run.run_id} ({run.period}) parted records that published releases had shown as one person: {count}"
        " of yours.\nWhatever was concluded from such a link before should be looked at again."
    )
    parts = [_section(agency, number, link) for number, link in enumerate(links, 1)]
    return "\n\n".join([head, *parts, _REST.format(run_id=run.run_id, agency=agency)])


def render_table(agency: str, links: Sequence[UndoneLink]) -> str:
    """Return an agency's table as CSV: a line for each link, release, and time that the release was live."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, link in enumerate(links, 1):
        mine, other, other_record = _sides(agency, link)
        first = (number, mine, other, other_record, " ".join(link.causes))
        writer.writerows((*first, *line) for shown in link.shown for line in _lines(shown))
    return written.getvalue()


def _section(agency: str, number: int, link: UndoneLink) -> str:
    """Return what an agency is told of one link."""
    mine, other, other_record = _sides(agency, link)
    linked = f"your record `{other_record}`" if other_record else f"a record of {agency_title(other)}"
    cause = ", ".join(link.causes) or "not recorded"
    lines = [
        f"## Link {number}",
        f"Your record `{mine}` was one person with {linked}. Cause: {cause}.",
        "| release | as of | live from | until | pseudonym | views |\n|---|---|---|---|---|---|\n"
        + "\n".join(_row(*line) for shown in link.shown for line in _lines(shown)),
    ]
    return "\n\n".join(lines)


def _row(release_id: int, as_of: str, since: str, until: str, name: str, views: str) -> str:
    return f"| {release_id} | {as_of} | {since} | {until or 'today'} | `{name}` | {views} |"


def _lines(shown: Shown) -> Iterator[tuple[int, str, str, str, str, str]]:
    """Yield for each time that a release was live: release, as of, from, until, pseudonym, views."""
    for live in shown.live:
        until = _moment(live.until) if live.until else ""
        yield shown.release_id, f"{shown.as_of}", _moment(live.since), until, shown.pseudonym, _views(shown)


def _views(shown: Shown) -> str:
    """Return the views that showed somebody, with the number of rows where they are kept."""
    if shown.views is None:
        return f"{', '.join(ALWAYS)} (rows no longer kept)"
    return ", ".join(f"{view} {rows}" for view, rows in sorted(shown.views.items()))


def _sides(agency: str, link: UndoneLink) -> tuple[str, str, str]:
    """Return the agency's record, the other's agency, and the other record where it is the agency's too."""
    (first, record), (second, other) = link.records
    if first != agency:
        return other, first, ""
    return record, second, other if second == agency else ""


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M}"


def _write(path: Path, content: str) -> None:
    """Write a file whole or not at all, for this account only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(content, encoding="utf-8")
    unfinished.replace(path)
