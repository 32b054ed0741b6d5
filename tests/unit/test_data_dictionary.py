"""The data dictionary in docs/ says what the declarations say."""

from __future__ import annotations

from pipelines.contracts.loader import load_contracts
from pipelines.contracts.shared import normalised_tables, published_tables
from pipelines.publish.dictionary import DICTIONARY, render_dictionary


def test_the_dictionary_is_not_stale() -> None:
    stored = DICTIONARY.read_text(encoding="utf-8")
    assert stored == render_dictionary(), "run `joinedup dictionary` and commit docs/data-dictionary.md"


def test_every_table_column_and_headline_is_in_it() -> None:
    text = render_dictionary()
    for table in [*published_tables().values(), *normalised_tables().values()]:
        assert table.description in text
        assert all(f"| `{column.name}` | {column.type} |" in text for column in table.columns)
    for contract in load_contracts().values():
        assert all(f"| `{headline.column}` |" in text for headline in contract.headlines)
