"""A draft as YAML: the short form of a contract, what each line rests on, and every open question as a TODO."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from pipelines.contracts.loader import read_contract
from pipelines.contracts.shared import normalised_tables
from pipelines.extracts.drafting.facts import MOST_ROWS
from pipelines.extracts.drafting.naming import pattern_of
from pipelines.extracts.drafting.propose import IGNORED, KEY, LOCAL_ID, UNMAPPED, Proposal, is_date
from pipelines.extracts.drafting.settle import FileDraft
from pipelines.words import title

_PLAIN = re.compile(r"[A-Za-z][\w /.'()-]*")
# An agreement that is over: until somebody fills it in, every delivery is refused.
HEAD = """\
# A draft by `joinedup agency new`. It loads, and refuses every delivery until the agreement is filled in.
# Behind each mapping: how sure it is, and why. No value of a file stands here. Each TODO asks for a person.
agency: {agency}
title: {title}
publisher: TODO  # TODO: who sends the files?
source_system: TODO  # TODO: from which system?
owner: TODO  # TODO: which team answers for this contract?
agreement:  # TODO: the data-sharing agreement, as it was signed
  reference: TODO
  lawful_basis: TODO  # TODO: UK GDPR Article 6, which?
  condition: TODO  # TODO: UK GDPR Article 9 or 10, which, and which paragraph of the DPA 2018?
  dpa_part: 2  # TODO: 3 for law enforcement, with authorised_by
  purposes: [TODO]
  starts: 2000-01-01
  ends: 2000-01-02
required: false  # TODO: must a period wait for this agency?
"""


def contract_text(agency: str, drafts: dict[str, FileDraft]) -> str:
    """Return the contract of an agency as YAML."""
    lines = [HEAD.format(agency=agency, title=scalar(title(agency))), "files:"]
    for name, draft in drafts.items():
        lines += [f"  {line}".rstrip() for line in _file(agency, name, draft)]
    known = f"{{column: known_to_{agency}, title: Whether the agency holds a record, rule: known}}"
    return "\n".join([*lines, "headlines:", f"  - {known}", ""])


def write_contract(path: Path, text: str) -> None:
    """Write a contract, once it is known to load.

    Raises:
        ContractError: it does not load; nothing was written.
    """
    with TemporaryDirectory() as folder:
        tried = Path(folder) / path.name
        tried.write_text(text, encoding="utf-8")
        read_contract(tried)
    path.write_text(text, encoding="utf-8")


def scalar(text: str) -> str:
    """Return a printable text as YAML on one line, in quotes where it may need them: JSON's are YAML's too."""
    if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    return json.dumps(text, ensure_ascii=False)


def _file(agency: str, name: str, draft: FileDraft) -> Iterator[str]:
    yield f"{name}:"
    for line in _about(name, draft):
        yield f"  {line}"
    yield "  columns:"
    for header, proposal in draft.columns.items():
        yield f"    {_column(draft, header, proposal)}"
    constants = list(_constants(agency, name, draft))
    if constants:
        yield "  constants:"
        yield from (f"    {line}" for line in constants)


def _about(name: str, draft: FileDraft) -> Iterator[str]:
    facts = draft.facts
    pattern, has_period = pattern_of(facts.path.name)
    only = "" if facts.is_whole else f"; only the first {MOST_ROWS:,} were looked at"
    yield f"# {facts.rows:,} rows{only}"
    yield from (f"# TODO: {question}" for question in draft.questions)
    yield f"title: {scalar(title(name))}  # TODO: what is this file?"
    yield f"pattern: {_quoted(pattern)}" + (
        "" if has_period else "  # TODO: where does the name say the period?"
    )
    shape = facts.shape
    if (shape.encoding, shape.delimiter) != ("utf-8", ","):
        delimiter = '"\\t"' if shape.delimiter == "\t" else f'"{shape.delimiter}"'
        yield f"format: {{encoding: {shape.encoding}, delimiter: {delimiter}}}"
    yield "mode: snapshot  # TODO: or delta: does a file hold everything, or what is new?"
    if draft.holds_people:
        yield "holds_people: true"
    if draft.local_id:
        yield f"local_id: {scalar(draft.local_id)}  # {_reason(draft.columns[draft.local_id])}"
    if draft.key and (not draft.holds_people or draft.columns[draft.key].target == KEY):
        yield f"key: [{scalar(draft.key)}]  # unique and filled"
    elif not draft.holds_people:
        yield "# TODO: key: [which columns say that two rows are one?]"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _reason(proposal: Proposal) -> str:
    return f"{proposal.confidence}: {proposal.reason}"


def _column(draft: FileDraft, header: str, proposal: Proposal) -> str:
    """Return one column with the reason behind it."""
    key, target = scalar(header), proposal.target
    if target == LOCAL_ID and draft.is_own_event:
        return f"{key}: event.source_event_id"
    if target in (LOCAL_ID, KEY):
        return f"{key}:"
    if target == UNMAPPED:
        return f"{key}: {{ignored: not looked at yet}}  # TODO: {proposal.reason}{_filled(draft, header)}"
    if target.startswith(IGNORED):
        return f"{key}: {{ignored: {scalar(target.removeprefix(IGNORED))}}}  # {_reason(proposal)}"
    body, notes = _body(draft, header, target)
    todo = "TODO: is it this? " if proposal.confidence == "low" else ""
    comment = "; ".join([f"{todo}{_reason(proposal)}{_filled(draft, header)}", *notes])
    return f"{key}: {body}  # {comment}"


def _body(draft: FileDraft, header: str, target: str) -> tuple[str, list[str]]:
    """Return what a mapped column says, and what is asked about it."""
    evidence, notes, more = draft.evidence[header], [], ""
    if is_date(target):
        if evidence.dates:
            more = f', date: "{evidence.dates[0]}"'
        else:
            more = ', date: "%Y-%m-%d"'
            notes.append("TODO: in which format are the dates?")
        if len(evidence.dates) > 1:
            notes.append(f"TODO: ambiguous, {' and '.join(evidence.dates)} fit every date; which is it?")
    elif target in evidence.schemes:
        best, *others = evidence.schemes[target]
        more = f", codes: {best.scheme}"
        tied = [fit.scheme for fit in others if fit.share == best.share]
        if tied:
            notes.append(f"TODO: {', '.join(tied)} would do as well")
        if best.unknown:
            notes.append(f"TODO: {best.unknown:,} distinct codes are in no line of this scheme")
    return (f"{{to: {target}{more}}}" if more else target), notes


def _filled(draft: FileDraft, header: str) -> str:
    facts = draft.evidence[header].facts
    distinct = f"{len(facts.values):,}" if facts.is_complete else f"over {len(facts.values):,}"
    return f"; {facts.share_filled:.0%} filled, {distinct} distinct"


def _constants(agency: str, name: str, draft: FileDraft) -> Iterator[str]:
    """Yield what no column holds, where the shared schema needs it."""
    targets = {each.target for each in draft.columns.values()}
    tables = {target.partition(".")[0] for target in targets} & set(normalised_tables())
    for table in sorted(tables & {"event", "place_event"}):
        if f"{table}.event_type" not in targets:
            kind = f"{agency}.{name}".upper()
            yield f"{table}.event_type: {kind}  # TODO: AGENCY.TYPE, in the agency's own words"
    if "person_address" in tables and "person_address.address_type" not in targets:
        yield "person_address.address_type: HOME  # TODO: are they all?"
    if "person_identifier.NHS" in targets:
        yield 'person_identifier.verification: "03"  # TODO: 01 if traced against PDS'


def questions_in(text: str) -> int:
    """Return how many questions a draft leaves open."""
    return sum(line.count("TODO:") for line in text.splitlines())


def summary(drafts: dict[str, FileDraft]) -> Sequence[str]:
    """Return what was proposed, per file, in counts."""
    lines = []
    for name, draft in drafts.items():
        mapped = [
            each.confidence
            for each in draft.columns.values()
            if each.target != UNMAPPED and not each.target.startswith(IGNORED)
        ]
        ignored = sum(each.target.startswith(IGNORED) for each in draft.columns.values())
        counts = ", ".join(f"{mapped.count(level)} {level}" for level in ("high", "medium", "low"))
        rest = len(draft.columns) - len(mapped) - ignored
        lines.append(
            f"{name}: {draft.facts.rows:,} rows, {len(draft.columns)} columns: mapped {len(mapped)} ({counts}), "
            f"better ignored {ignored}, not looked at {rest}"
        )
    return lines
