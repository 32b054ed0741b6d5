"""What the files of an agency are to each other: who holds people, whose events, what is about places only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipelines.extracts.drafting.propose import IGNORED, KEY, LOCAL_ID, UNMAPPED, Proposal
from pipelines.extracts.drafting.settle import FileDraft, id_words

PLACE_INPUTS = ("event_type", "source_event_id", "event_date", "category", "outcome")
KNOWN_BY_ID = f"{IGNORED}the person is known by the local id"


def settle_together(drafts: Sequence[FileDraft]) -> None:
    """Complete the drafts of an agency's files, so that they make one contract that loads."""
    named = [draft for draft in drafts if draft.names_people and draft.targets("person_name")]
    for draft in drafts:
        if draft not in named and _is_known_elsewhere(draft, named):
            _leave_person_out(draft)
    for draft in drafts:
        draft.holds_people = draft.local_id is not None and (draft in named)
    if not any(draft.holds_people for draft in drafts):
        _choose_people_file(drafts)
    _share_local_id(drafts)
    for draft in drafts:
        if draft.local_id is None:
            _about_places_or_nobody(draft)
        else:
            _about_somebody(draft)


def _is_known_elsewhere(draft: FileDraft, named: Sequence[FileDraft]) -> bool:
    """Whether another file holds the people of this one, under the same kind of id."""
    return bool(draft.local_id) and any(id_words(draft) == id_words(other) for other in named)


def _leave_person_out(draft: FileDraft) -> None:
    """Ignore what the other file says about the person: data that is not needed is not landed."""
    for name, each in draft.columns.items():
        about_person = each.target.startswith(
            ("person_identifier.", "person_date_of_birth.", "person_record.")
        )
        address_of_event = draft.targets("event") and each.target.startswith(
            ("person_address.", "person_contact.")
        )
        if about_person or address_of_event:
            draft.columns[name] = Proposal(KNOWN_BY_ID, "medium", f"like {each.target}")


def _choose_people_file(drafts: Sequence[FileDraft]) -> None:
    """Make the likeliest file one of people: no contract is without."""
    draft = next((each for each in drafts if each.names_people), None)
    draft = draft or next((each for each in drafts if each.local_id), drafts[0])
    if draft.local_id is None:
        unique = [name for name in draft.columns if draft.evidence[name].facts.is_unique]
        draft.local_id = draft.key or next(iter(unique), next(iter(draft.columns)))
        draft.columns[draft.local_id] = Proposal(LOCAL_ID, "low", "no column is clearly the id of a person")
    if draft.key == draft.local_id:
        draft.key = None
    draft.holds_people = True


def _share_local_id(drafts: Sequence[FileDraft]) -> None:
    """Know people by the column that has the name of the local id in a file of people."""
    names = [draft.local_id for draft in drafts if draft.holds_people]
    for draft in drafts:
        shared = next((name for name in names if name in draft.columns), None)
        if draft.local_id is None and shared and draft.columns[shared].target == UNMAPPED:
            draft.local_id = shared
            draft.columns[shared] = Proposal(LOCAL_ID, "medium", "the local id of another file")


def _about_somebody(draft: FileDraft) -> None:
    """Keep events only where they have a day; and say what is odd about the id."""
    events = draft.targets("event")
    dated = any(draft.columns[name].target == "event.event_date" for name in events)
    if events and draft.holds_people and not dated:
        for name in events:
            draft.columns[name] = Proposal(
                UNMAPPED, "low", f"like {draft.columns[name].target}, without a day"
            )
    elif events and not dated:
        draft.questions.append("which column is the day of the event? It may stand in another file: `lookup`")
    is_unique = draft.local_id is not None and draft.evidence[draft.local_id].facts.is_unique
    if draft.holds_people and is_unique and draft.key and draft.columns[draft.key].target == KEY:
        draft.columns[draft.key] = Proposal(UNMAPPED, "low", "another id")
    if draft.holds_people and not is_unique:
        draft.questions.append("several rows have one local id; what tells them apart? Name it in `key`")


def _about_places_or_nobody(draft: FileDraft) -> None:
    """Map a file without people to places, where it has property numbers; else leave it to be borrowed from."""
    about_places = any(each.target == "person_address.uprn" for each in draft.columns.values())
    for name, each in draft.columns.items():
        table, _, part = each.target.partition(".")
        if about_places and each.target == "person_address.uprn":
            draft.columns[name] = replace(each, target="place_event.uprn")
        elif about_places and table == "event" and part in PLACE_INPUTS:
            draft.columns[name] = replace(each, target=f"place_event.{part}")
        elif name == draft.key:
            draft.columns[name] = Proposal(KEY, "medium", "an id, unique and filled")
        elif not each.target.startswith(IGNORED):
            reason = each.reason if each.target == UNMAPPED else f"like {each.target}, of nobody"
            draft.columns[name] = Proposal(UNMAPPED, "low", reason)
    if not about_places:
        draft.questions.append(
            "no column is the id of a person; other files may borrow from this one: `lookup`"
        )
