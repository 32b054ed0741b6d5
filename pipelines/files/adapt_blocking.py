"""Blocking rules for the fields that files have: the shipped ones that apply, and wider ones where data are few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from pipelines.contracts.conditions import fields_of_key
from pipelines.contracts.model import LinkageModel
from pipelines.files.facts import Facts

# A further rule is worth its pairs up to this many for each record, and always up to a number that takes no time.
PAIRS_PER_RECORD = 10
ALWAYS_AFFORDABLE = 300_000
WIDE_BLOCK = 1_000
OWN_IDENTIFIER_BLOCK = 100
NARROW_WITH = ("given_initial", "family_initial", "sex")

# From the narrowest to the widest.
_WIDER: tuple[tuple[str, ...], ...] = (
    ("given_phonetic", "family_phonetic"),
    ("date_of_birth",),
    ("family_phonetic", "birth_month"),
    ("given_phonetic", "birth_month"),
    ("place",),
    ("lines",),
    ("postcode",),
    ("family_phonetic", "postcode"),
    ("given_phonetic", "postcode"),
    ("family_phonetic", "birth_year"),
    ("given_phonetic", "birth_year"),
    ("family_phonetic", "outward"),
    ("given_phonetic", "outward"),
    ("family_phonetic",),
    ("given_phonetic",),
    ("birth_month",),
)


def adapted_blocking(
    shipped: LinkageModel,
    facts: Facts,
    household: Mapping[str, Any] | None,
    comparisons: list[dict[str, Any]],
    pair_budget: int,
) -> list[dict[str, Any]]:
    """Return the rules: the shipped ones whose keys have values, those of the files' own fields, and wider ones.

    Every field is left free by at least one rule that training uses, where the rules allow it.
    """
    fields = {each["field"] for each in comparisons}
    rules = [*_shipped_rules(shipped, facts, household), *_own_identifier_rules(fields, facts)]
    spent = sum(facts.expected_pairs(tuple(rule["keys"])) for rule in rules)
    known = {frozenset(rule["keys"]) for rule in rules}
    affordable = max(ALWAYS_AFFORDABLE, PAIRS_PER_RECORD * facts.records)
    for keys in _wider_keys(facts):
        pairs = facts.expected_pairs(keys)
        if frozenset(keys) in known or pairs > affordable or spent + pairs > pair_budget / 2:
            continue
        spent += pairs
        known.add(frozenset(keys))
        rules.append(_rule(keys, WIDE_BLOCK, facts))
    if not rules:
        keys = min(((key,) for key in sorted(facts.shares)), key=facts.expected_pairs)
        rules.append(_rule(keys, WIDE_BLOCK, facts))
    return _with_training(rules, fields, facts)


def _shipped_rules(
    shipped: LinkageModel, facts: Facts, household: Mapping[str, Any] | None
) -> Iterator[dict[str, Any]]:
    has = facts.shares.keys() | _identifier_keys(shipped, facts)
    for rule in shipped.blocking:
        content = rule.model_dump(mode="json")
        if household is not None and rule.name == household["rule"] and "place" not in has:
            content["keys"] = ["lines" if key == "place" else key for key in rule.keys]
        if not set(content["keys"]) <= has or _is_only_an_initial(content["keys"]):
            continue
        if content["narrow_with"] not in has:
            content["narrow_with"] = next((key for key in NARROW_WITH if key in has), None)
        yield content


def _identifier_keys(shipped: LinkageModel, facts: Facts) -> set[str]:
    return {
        comparison.field
        for comparison in shipped.comparisons
        if comparison.types.keys() & facts.identifier_types
    }


def _is_only_an_initial(keys: list[str]) -> bool:
    return all(key.endswith("_initial") or key == "sex" for key in keys)


def _own_identifier_rules(fields: set[str], facts: Facts) -> Iterator[dict[str, Any]]:
    for key in sorted(fields):
        if key.startswith("identifier."):
            yield {**_rule((key,), OWN_IDENTIFIER_BLOCK, facts), "train": True}


def _wider_keys(facts: Facts) -> Iterator[tuple[str, ...]]:
    """Return the keys of wider rules that the data have, the files' own fields first with names and births."""
    own = sorted((key for key in facts.shares if key.startswith("extra.")), key=facts.shares.__getitem__)
    beside = ("given_phonetic", "family_phonetic", "date_of_birth", "birth_year", "postcode", "outward")
    candidates = [keys for keys in _WIDER if len(keys) > 1]
    candidates += [(key, other) for key in own for other in beside]
    candidates += list(combinations(own, 2))
    candidates += [keys for keys in _WIDER if len(keys) == 1] + [(key,) for key in own]
    for keys in candidates:
        if set(keys) <= facts.shares.keys():
            yield keys


def _rule(keys: tuple[str, ...], block: int, facts: Facts) -> dict[str, Any]:
    narrow = next((key for key in NARROW_WITH if key in facts.shares and key not in keys), None)
    name = "_and_".join(key.replace(".", "_") for key in keys)
    return {
        "name": f"same_{name}",
        "keys": list(keys),
        "maximum_block": block,
        "narrow_with": narrow,
        "train": False,
    }


def _with_training(rules: list[dict[str, Any]], fields: set[str], facts: Facts) -> list[dict[str, Any]]:
    """Return the rules with further ones used in training, until each field is free in one of those."""

    def fixed(rule: Mapping[str, Any]) -> set[str]:
        return {field for key in rule["keys"] for field in fields_of_key(key)}

    for field in sorted(fields):
        if any(rule["train"] and field not in fixed(rule) for rule in rules):
            continue
        free = [rule for rule in rules if field not in fixed(rule)]
        if free:
            min(free, key=lambda rule: facts.expected_pairs(tuple(rule["keys"])))["train"] = True
    return rules
