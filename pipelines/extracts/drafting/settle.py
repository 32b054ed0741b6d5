"""What the columns of a file become together: each target once, and one id of the person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipelines.contracts.column_hints import hint_for
from pipelines.extracts.drafting.evidence import Evidence
from pipelines.extracts.drafting.facts import FileFacts
from pipelines.extracts.drafting.propose import (
    IGNORED,
    KEY,
    LINE,
    LOCAL_ID,
    RANKS,
    REFERENCE,
    UNMAPPED,
    Proposal,
    is_date,
    propose,
)

LINES = 5
MANY = frozenset({"event.attributes"})


@dataclass
class FileDraft:
    """A file on its way to a contract: its columns' proposals, and what is asked about it."""

    facts: FileFacts
    evidence: Mapping[str, Evidence]
    columns: dict[str, Proposal]
    local_id: str | None = None
    key: str | None = None
    holds_people: bool = False
    questions: list[str] = field(default_factory=list)

    def targets(self, table: str) -> list[str]:
        """Return the headers that become inputs of a table."""
        return [name for name, each in self.columns.items() if each.target.partition(".")[0] == table]

    @property
    def names_people(self) -> bool:
        """Whether names or dates of birth stand in the file."""
        return bool(self.targets("person_name") or self.targets("person_date_of_birth"))

    @property
    def is_own_event(self) -> bool:
        """Whether a row is a person and an event at once, both known by the local id."""
        targets = {each.target for each in self.columns.values()}
        return self.holds_people and "event.event_date" in targets and "event.source_event_id" not in targets


def settle(facts: FileFacts, evidence: Mapping[str, Evidence]) -> FileDraft:
    """Return the draft of one file by itself."""
    draft = FileDraft(facts, evidence, {name: propose(name, each) for name, each in evidence.items()})
    _choose_ids(draft)
    _each_target_once(draft)
    _number_lines(draft)
    _codes_or_attributes(draft)
    _reference_of_events_only(draft)
    return draft


def _choose_ids(draft: FileDraft) -> None:
    """Choose the column of the person's id, and the column that tells rows apart."""
    people = [name for name, each in draft.columns.items() if each.target == LOCAL_ID]
    own = [name for name, each in draft.columns.items() if each.target == REFERENCE]
    unique = [name for name in own if draft.evidence[name].facts.is_unique]
    draft.local_id = next(iter(sorted(people, key=lambda name: -draft.columns[name].words)), None)
    if draft.local_id is None and _has_people(draft) and unique:
        draft.local_id = unique[0]
        draft.columns[unique[0]] = Proposal(LOCAL_ID, "medium", "an id, unique and filled")
    reference = next(iter([name for name in unique if name != draft.local_id] or own[:1]), None)
    if reference and reference != draft.local_id:
        sure = draft.evidence[reference].facts.is_unique
        draft.columns[reference] = Proposal(
            "event.source_event_id", "medium", "an id, unique and filled" if sure else "header"
        )
        draft.key = reference if sure else None
    for name in [*people, *own]:
        if name not in (draft.local_id, reference):
            draft.columns[name] = Proposal(UNMAPPED, "low", "another id")


def _has_people(draft: FileDraft) -> bool:
    return any(
        each.target.startswith(("person_name.", "person_date_of_birth.")) for each in draft.columns.values()
    )


def _each_target_once(draft: FileDraft) -> None:
    """Leave each target to the column that is surest of it; a second one cannot be said in the short form."""
    places = {name: position for position, name in enumerate(draft.columns)}
    taken: set[str] = set()
    for name, each in sorted(
        draft.columns.items(), key=lambda item: (RANKS[item[1].confidence], -item[1].words, places[item[0]])
    ):
        is_free = each.target.startswith(IGNORED) or each.target in (LINE, UNMAPPED, *MANY)
        if not is_free and each.target in taken:
            draft.columns[name] = Proposal(
                UNMAPPED, "low", f"also like {each.target}, which another column is"
            )
        taken.add(each.target)


def _number_lines(draft: FileDraft) -> None:
    """Number the lines of the address in the order of the columns."""
    lines = [name for name, each in draft.columns.items() if each.target == LINE]
    for number, name in enumerate(lines, 1):
        target = f"person_address.line{number}" if number <= LINES else UNMAPPED
        draft.columns[name] = replace(draft.columns[name], target=target)


def _codes_or_attributes(draft: FileDraft) -> None:
    """Send a column that would be the type of an event, without known codes, to its attributes."""
    for name, each in draft.columns.items():
        if each.target == "event.event_type" and not draft.evidence[name].knows_codes(each.target):
            draft.columns[name] = Proposal("event.attributes", "low", "header; the codes are in no scheme")
        elif is_date(each.target) and not draft.evidence[name].dates and draft.evidence[name].facts.filled:
            draft.columns[name] = Proposal(UNMAPPED, "low", f"like {each.target}, but no date format fits")


def _reference_of_events_only(draft: FileDraft) -> None:
    """Leave the rows' own id a key, or nothing, where nothing else tells of an event."""
    events = draft.targets("event")
    if [draft.columns[name].target for name in events] == ["event.source_event_id"]:
        is_key = events[0] == draft.key
        reason = "an id, unique and filled" if is_key else "an id of something else"
        draft.columns[events[0]] = Proposal(KEY if is_key else UNMAPPED, "medium", reason)


def id_words(draft: FileDraft) -> tuple[str, ...]:
    """Return the words by which the local id of a file is known."""
    hint = hint_for(draft.local_id) if draft.local_id else None
    return hint.words if hint else ()
