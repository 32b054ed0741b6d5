"""What a single column probably becomes, by its header and by its values, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.contracts.column_hints import code_list_targets, hint_for
from pipelines.contracts.shared import normalised_tables
from pipelines.extracts.drafting.evidence import Evidence

Confidence = Literal["high", "medium", "low"]
RANKS: dict[Confidence, int] = {"high": 0, "medium": 1, "low": 2}
LINE, LOCAL_ID, REFERENCE, KEY = "person_address.line", "local_id", "reference", "key"
UNMAPPED, IGNORED = "unmapped", "ignored: "
AGREES, STRONG, CONTRADICTS = 0.75, 0.95, 0.3
NAMES_AGREE = 0.4  # our lists of names are not complete
FEWEST_VALUES = 10  # before values make anything sure; distinct ones, before they say anything alone
LONG_TEXT = 60
# Tests that few other values pass by chance: a check digit, a shape of its own.
TELLING = (
    "person_identifier.NHS", "person_identifier.UPN", "person_identifier.ULN", "person_identifier.PNC",
    "person_identifier.CRO", "person_identifier.NINO", "person_identifier.DRIVER", "person_contact.EMAIL",
    "person_contact.MOBILE", "person_contact.HOME", "person_address.postcode", "person_name.given",
    "person_name.family",
)  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """What a column may become: a target of the hints, how sure, why, and by how many words of the header."""

    target: str
    confidence: Confidence
    reason: str
    words: int = 0


def propose(header: str, evidence: Evidence) -> Proposal:
    """Return the likeliest target of a column."""
    hint = hint_for(header)
    if hint is None or hint.target == UNMAPPED:
        by_values = _by_values(evidence) if hint is None else None
        return by_values or Proposal(UNMAPPED, "low", "no header or value that is known")
    if hint.target.startswith(IGNORED):
        return Proposal(hint.target, "medium", "by header", len(hint.words))
    confidence, reason = _agreement(hint.target, evidence)
    if confidence == "high" and evidence.facts.filled < FEWEST_VALUES:
        confidence, reason = "medium", f"{reason}, but there are few"
    by_values = _by_values(evidence) if confidence == "low" else None
    if by_values and by_values.target.partition(".")[0] != hint.target.partition(".")[0]:
        return by_values
    return Proposal(hint.target, confidence, f"header{reason}", len(hint.words))


def is_date(target: str) -> bool:
    """Whether a target holds a date."""
    table, _, part = target.partition(".")
    found = normalised_tables().get(table)
    return found is not None and any(each.name == part and each.type == "date" for each in found.columns)


def _agreement(target: str, evidence: Evidence) -> tuple[Confidence, str]:
    """Return how sure a header is once the values were looked at, and what they said."""
    if not evidence.facts.filled:
        return "low", "; no value to look at"
    if is_date(target):
        return _date_agreement(target, evidence)
    if target in evidence.schemes:
        told = f"; {evidence.schemes[target][0].share:.0%} known codes"
        return ("high" if evidence.knows_codes(target) else "medium"), told
    if target in code_list_targets().values() and not target.startswith("event."):
        return "low", "; the codes are in no scheme"
    if target in (*TELLING, "person_contact.WORK", "person_name.middle", "person_address.uprn"):
        share = evidence.shares.get(target, 0.0)
        wanted = NAMES_AGREE if target.startswith("person_name.") else AGREES
        if share >= wanted:
            return "high", f"; {share:.0%} of values pass the test"
        low = share < CONTRADICTS and not target.startswith("person_name.")
        return ("low" if low else "medium"), f"; {share:.0%} of values pass the test"
    return "medium", ""


def _date_agreement(target: str, evidence: Evidence) -> tuple[Confidence, str]:
    if not evidence.dates:
        return "low", "; no date format fits"
    if target == "person_date_of_birth.date_of_birth":
        share = evidence.shares.get(target, 0.0)
        return ("high" if share >= AGREES else "low"), f"; {share:.0%} may be days of birth"
    return "medium", "; dates"


def _by_values(evidence: Evidence) -> Proposal | None:
    """Return what values alone say, where they say it clearly enough."""
    if len(evidence.facts.values) >= FEWEST_VALUES:
        for target in TELLING:
            share = evidence.shares.get(target, 0.0)
            if share >= STRONG:
                return Proposal(target, "medium", f"by values alone; {share:.0%} pass the test")
        if evidence.mean_length > LONG_TEXT:
            return Proposal(f"{IGNORED}free text", "medium", "long texts")
    for target, schemes in evidence.schemes.items():
        if len(evidence.facts.values) > 2 and evidence.knows_codes(target):
            return Proposal(target, "low", f"by codes alone; {schemes[0].share:.0%} known")
    return None
