"""The shipped person model, adapted to the fields that files have: what is not there is not compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.contracts.model import Comparison, LinkageModel
from pipelines.files.adapt_blocking import adapted_blocking
from pipelines.files.facts import Facts
from pipelines.files.mapping import FieldMapping
from pipelines.files.quick_codes import KNOWN_TYPES

PAIRS_PER_RECORD = 150
FEWEST_PAIRS = 5_000_000
_KNOWN = frozenset(KNOWN_TYPES.values())

_EXTRA_LEVELS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "exact": (
        {"name": "exact", "when": "equal", "m": 0.85, "u": 0.02},
        {"name": "else", "when": "else", "m": 0.15, "u": 0.98},
    ),
    "jaro_winkler": (
        {"name": "exact", "when": "equal", "m": 0.80, "u": 0.02},
        {"name": "similar", "when": "similar", "at_least": 0.92, "m": 0.08, "u": 0.005},
        {"name": "close", "when": "similar", "at_least": 0.80, "m": 0.04, "u": 0.02},
        {"name": "else", "when": "else", "m": 0.08, "u": 0.955},
    ),
    "levenshtein": (
        {"name": "exact", "when": "equal", "m": 0.82, "u": 0.02},
        {"name": "one_edit", "when": "one_edit", "m": 0.08, "u": 0.005},
        {"name": "else", "when": "else", "m": 0.10, "u": 0.975},
    ),
}
_IDENTIFIER_LEVELS: tuple[dict[str, Any], ...] = (
    {"name": "equal", "when": "equal", "m": 0.90, "u": 0.000001},
    {"name": "one_edit", "when": "one_edit", "m": 0.05, "u": 0.00001},
    {"name": "conflict", "when": "conflict", "m": 0.05, "u": 0.99},
)
_EMAIL_LEVELS: tuple[dict[str, Any], ...] = (
    {"name": "equal", "when": "equal", "m": 0.60, "u": 0.00001, "term_frequency": True},
    {"name": "same_local_part", "when": "same_local_part", "m": 0.08, "u": 0.0001},
    {"name": "one_edit", "when": "one_edit", "m": 0.05, "u": 0.00001},
    {"name": "similar", "when": "similar", "at_least": 0.92, "m": 0.05, "u": 0.0005},
    {"name": "else", "when": "else", "m": 0.22, "u": 0.999},
)
_LINES_LEVELS: tuple[dict[str, Any], ...] = (
    {"name": "same_lines", "when": "same_lines", "m": 0.10, "u": 0.0001},
    {"name": "similar_lines", "when": "similar_lines", "at_least": 0.6, "m": 0.10, "u": 0.001},
)
# Near certain as well, and seen where the shipped rules see little: each comparison at its best level.
_FURTHER_DETERMINISTIC = (
    ("given_name", "contact"),
    ("date_of_birth", "contact"),
    ("given_name", "date_of_birth", "address"),
)
_DETERMINISTIC_WITHOUT_BIRTH = (
    ("given_name", "contact"),
    ("given_name", "family_name", "address"),
)
# What a level of the shipped model needs besides the field of its comparison.
_LEVEL_NEEDS: Mapping[str, str] = {
    "swapped": "family", "swapped_phonetic": "family", "middle_used": "middle", "same_address": "place",
    "same_uprn": "dwelling", "same_dwelling": "dwelling", "former_dwelling": "dwelling",
    "uncertain_dwelling": "dwelling",
    "same_lines": "lines", "similar_lines": "lines", "same_postcode": "postcode", "same_outward": "outward",
    "same_local_part": "email",
}  # fmt: skip


def adapt_model(shipped: LinkageModel, facts: Facts, extras: Mapping[str, FieldMapping]) -> LinkageModel:
    """Return `shipped` with the comparisons, levels, rules and household class that the data can support.

    Args:
        shipped: the person model.
        facts: which fields have values, and how often two records share one.
        extras: the files' own fields (`extra.<name>`), with how they are compared.
    """
    content = shipped.model_dump(mode="json")
    content["description"] = f"{shipped.description}, adapted to the fields of the files"
    comparisons = [*_shipped_comparisons(shipped, facts), *_own_comparisons(shipped, facts, extras)]
    names = {each["name"] for each in comparisons}
    for each in comparisons:
        for level in each["levels"]:
            if level.get("silences") not in names:
                level["silences"] = None
    content["comparisons"] = comparisons
    content["pair_budget"] = max(FEWEST_PAIRS, PAIRS_PER_RECORD * facts.records)
    content["household"] = _household(content.get("household"), comparisons, facts)
    content["blocking"] = adapted_blocking(
        shipped, facts, content["household"], comparisons, content["pair_budget"]
    )
    content["deterministic"]["rules"] = _deterministic(content["deterministic"]["rules"], comparisons)
    if content["hard_bar"] not in names:
        content["hard_bar"] = None
    content["linkable_by"] = _linkable_by(content["linkable_by"], comparisons)
    return LinkageModel.model_validate(content)


def _shipped_comparisons(shipped: LinkageModel, facts: Facts) -> Iterator[dict[str, Any]]:
    """Return the shipped comparisons of the fields that are there, with the levels that can hold."""
    for comparison in shipped.comparisons:
        if not _has_field(comparison, facts):
            continue
        content = comparison.model_dump(mode="json")
        if comparison.kind == "identifier":
            content["types"] = {
                given: kind for given, kind in comparison.types.items() if given in facts.identifier_types
            }
            content["former_types"] = sorted(comparison.former_types & content["types"].keys())
        if comparison.kind == "contact" and "email" in facts.fields and len(comparison.levels) == 2:
            content["levels"] = [dict(level) for level in _EMAIL_LEVELS]
        if comparison.kind == "address":
            content["levels"] = _address_levels(content["levels"], facts)
        content["levels"] = [level for level in content["levels"] if _can_hold(level["when"], facts)]
        yield content


def _has_field(comparison: Comparison, facts: Facts) -> bool:
    match comparison.kind:
        case "identifier":
            return bool(comparison.types.keys() & facts.identifier_types)
        case "date":
            return "date_of_birth" in facts.fields
        case "address":
            return bool({"postcode", "lines"} & facts.fields)
        case _:
            return comparison.field in facts.fields


def _can_hold(when: str, facts: Facts) -> bool:
    needed = _LEVEL_NEEDS.get(when)
    return needed is None or needed in facts.fields


def _address_levels(levels: list[dict[str, Any]], facts: Facts) -> list[dict[str, Any]]:
    """Return the levels of an address: without flats, all that is finer than one address is that address."""
    finer = [level for level in levels if _LEVEL_NEEDS.get(level["when"]) == "dwelling"]
    if "dwelling" not in facts.fields:
        kept = [dict(level) for level in levels if level not in finer]
        for level in kept:
            if level["when"] == "same_address":
                level.update(
                    {of: round(level[of] + sum(each[of] for each in finer), 12) for of in ("m", "u")}
                )
                level.update(name="same_address", term_frequency=True)
        levels = kept
    return _with_lines(levels) if "lines" in facts.fields else levels


def _with_lines(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the levels of an address with those of its lines behind the best one, unless it has them."""
    if any(level["when"] == "same_lines" for level in levels):
        return levels
    return [levels[0], *(dict(level) for level in _LINES_LEVELS), *levels[1:]]


def _own_comparisons(
    shipped: LinkageModel, facts: Facts, extras: Mapping[str, FieldMapping]
) -> Iterator[dict[str, Any]]:
    """Return a comparison for each further type of identifier, and for each of the files' own fields."""
    taken = {comparison.name for comparison in shipped.comparisons}
    known = {given for comparison in shipped.comparisons for given in comparison.types} | _KNOWN
    for kind in sorted(facts.identifier_types - known):
        name = own_name(kind.lower(), "identifier", taken)
        taken.add(name)
        yield {
            "name": name,
            "kind": "identifier",
            "field": f"identifier.{kind.lower()}",
            "types": {kind: kind},
            "levels": [dict(level) for level in _IDENTIFIER_LEVELS],
        }
    for extra, mapped in sorted(extras.items()):
        if f"extra.{extra}" not in facts.fields:
            continue
        name = own_name(extra, "extra", taken)
        taken.add(name)
        levels = [dict(level) for level in _EXTRA_LEVELS[mapped.compare or "exact"]]
        levels[0]["term_frequency"] = mapped.term_frequency is not False
        yield {"name": name, "kind": "text", "field": f"extra.{extra}", "levels": levels}


def own_name(name: str, prefix: str, taken: set[str]) -> str:
    """Return a comparison's name for a field of the files' own that no other comparison has."""
    return name if name not in taken else f"{prefix}_{name}"


def _household(
    shipped: Mapping[str, Any] | None, comparisons: list[dict[str, Any]], facts: Facts
) -> dict[str, Any] | None:
    """Return the household class; none unless given names, births and addresses show who lives with whom."""
    names = {each["name"] for each in comparisons}
    if shipped is None or not {shipped["given"], shipped["birth"], shipped["address"]} <= names:
        return None
    if not {"place", "lines"} & facts.fields:
        return None
    shared = [name for name in shipped["shared"] if name in names]
    middle = shipped["middle"] if shipped["middle"] in names else None
    return {**shipped, "shared": shared, "middle": middle}


def _linkable_by(shipped: list[str], comparisons: list[dict[str, Any]]) -> list[str]:
    """Return what says who a record is about, the files' own identifiers too; nothing where no file has a name."""
    kinds = {each["name"]: each["kind"] for each in comparisons}
    kept = [name for name in shipped if name in kinds]
    if "name" not in {kinds[name] for name in kept}:
        return []
    own = [each["name"] for each in comparisons if each["field"].startswith("identifier.")]
    return kept + own


def _deterministic(
    shipped: list[dict[str, list[str]]], comparisons: list[dict[str, Any]]
) -> list[dict[str, list[str]]]:
    """Return the near certain rules that the data can show; where none is left, the nearest there is to one."""
    levels = {each["name"]: [level["name"] for level in each["levels"]] for each in comparisons}
    best = {each["name"]: [each["levels"][0]["name"]] for each in comparisons}
    own = [each["name"] for each in comparisons if each["field"].startswith("identifier.")]
    kept = [
        rule
        for rule in shipped
        if all(name in levels and set(wanted) <= set(levels[name]) for name, wanted in rule.items())
    ]
    support = [name for name in ("date_of_birth", "family_name", "given_name") if name in best]
    kept += [{name: best[name], support[0]: best[support[0]]} for name in own if support]
    further = _FURTHER_DETERMINISTIC if "date_of_birth" in best else _DETERMINISTIC_WITHOUT_BIRTH
    kept += [{name: best[name] for name in names} for names in further if best.keys() >= set(names)]
    if not kept and own:
        kept = [{name: best[name]} for name in own]
    return kept or [best]
