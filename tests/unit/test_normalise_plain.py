"""The short ways for plain names, dates, phones and e-mail addresses end where the full rules end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.codes import load_terms
from pipelines.normalise import names
from pipelines.normalise.contacts import normalise_email, normalise_phone
from pipelines.normalise.dates import parse_date
from pipelines.normalise.names import NormalisedName, normalise_name
from pipelines.normalise.plain_contacts import Reach, plain_emails, plain_phones, reach_all
from pipelines.normalise.plain_dates import plain_date
from pipelines.normalise.plain_names import LISTS, plain_words
from pipelines.normalise.text import fold

RULES = ("_read_given", "_read_family", "_read_middle", "_read_title")


class Everything:
    """A set of words that no word is outside of."""

    def isdisjoint(self, _words: object) -> bool:
        return False


@contextmanager
def full_rules_only() -> Iterator[None]:
    """Names are read without the short way, and nothing is remembered from before or for later."""
    rules = {rule: getattr(names, rule).__wrapped__ for rule in RULES}
    with (
        patch.multiple(names, **rules),
        patch.object(names, "plain_words", return_value=None),
        patch.object(names, "special_words", return_value=Everything()),
    ):
        yield


special = st.sampled_from(
    sorted({word for name in LISTS for term in load_terms(name) for word in term.split()})
)
word = st.one_of(
    st.text("abcdeIVXOz'-", min_size=1, max_size=6),
    special,
    st.sampled_from(["O'Neil", "Zoë", "Anne-Marie", "II", "Jnr", "B/O", "van", "N-A", "of", "\u00a0"]),
)
field_text = st.none() | st.lists(word, max_size=4).map(" ".join)


@given(st.none() | special, field_text, field_text, field_text)
def test_names(title: str | None, given_: str | None, middle: str | None, family: str | None) -> None:
    quick = normalise_name(title, given_, middle, family)
    with full_rules_only():
        full: NormalisedName = normalise_name(title, given_, middle, family)
    assert quick == full


def test_the_short_way_is_taken_for_most_names_and_not_for_those_with_a_rule() -> None:
    assert plain_words("Mary-Ann O'Brien") == ["MARY", "ANN", "OBRIEN"]
    assert [plain_words(text) for text in ("van Gogh", "Baby", "Zoë", "Smith 2", " ", "", None)] == [None] * 7


FORMATS = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%Y%m%d",
    "%d%m%Y",
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d %b %Y",
    "%m/%Y",
)
numbers = st.integers(0, 99).map(str) | st.integers(0, 99).map("{:02d}".format)
years = st.sampled_from(["1850", "1999", "2000", "2024", "0999", "0000", "99", "20240", "२०२४"])
separator = st.sampled_from(["-", "/", " ", ":", "", ".", "\t"])


@given(
    st.sampled_from(FORMATS),
    st.lists(st.one_of(numbers, years, separator), max_size=11).map("".join)
    | st.datetimes().flatmap(lambda day: st.sampled_from(FORMATS).map(day.strftime)),
)
def test_dates(declared: str, text: str) -> None:
    quick = plain_date(text, declared)
    if quick is not None:
        read = datetime.strptime(text, declared)  # noqa: DTZ007 - a day has no time zone
        assert (quick, read.strftime(declared)) == (read.date(), text)


@pytest.mark.parametrize(
    ("declared", "text"),
    [("%Y-%m-%d %H:%M:%S", "2015-03-04 00:00:00"), ("%Y%m%d", "20150304"), ("%d/%m/%Y", "04/03/2015")],
)
def test_a_date_as_its_format_says_takes_the_short_way(declared: str, text: str) -> None:
    assert plain_date(text, declared) == parse_date(text, declared).value == date(2015, 3, 4)


digits = st.text("0123456789", min_size=6, max_size=11)
phone = st.tuples(
    st.sampled_from(["0", "+44", "0044", "", "44", "+1", "+44 (0)", "(0", "+44 0", "ext ", "07"]),
    digits,
    st.text(" -()", max_size=2),
).map(lambda parts: parts[0] + parts[1][:4] + parts[2] + parts[1][4:])
domains = st.sampled_from(["example.com", "x.test", "a-b.co.uk", "-a.com", "x..y", "localhost", "münchen.de"])
email = st.tuples(
    st.text("abXY01._+-!'", min_size=1, max_size=8), st.sampled_from(["@", "@@", "", "@ "]), domains
).map("".join)
contact = st.none() | phone | email | st.sampled_from(["07123456789", "n/a", "noreply@gmail.com"])
kinds = st.sampled_from(["EMAIL", "MOBILE", "HOME", None])


@given(st.lists(st.tuples(kinds, contact), max_size=6))
def test_contacts(rows: list[tuple[str | None, str | None]]) -> None:
    found = reach_all([kind for kind, _ in rows], [text for _, text in rows])
    for (kind, text), reach in zip(rows, found, strict=True):
        full = normalise_email(text) if kind == "EMAIL" else normalise_phone(text)
        assert reach == Reach(full.value, full.status)


def test_plain_contacts_take_the_short_way() -> None:
    assert plain_phones(pa.array(["07700 900123", "+44 7700 900123", "1", None])).known.to_pylist() == [
        True, True, False, False,
    ]  # fmt: skip
    assert plain_emails(pa.array(["A.B@Example.com", "a@", None])).known.to_pylist() == [True, False, False]


@given(st.text() | st.text("aZ 'é`\t\x1c-"))
def test_folding_ascii_differs_in_nothing_from_folding_any_text(text: str) -> None:
    # A letter beyond ASCII takes the long way; "ß" is folded to "SS" and then taken off.
    assert fold(text) == fold(text + " ß")[:-2].strip()
