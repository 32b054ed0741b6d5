"""What a model's levels ask of two records, said once for every engine.

A level holds when some value of one record and some value of the other meet its condition, over all the names,
dates, addresses and numbers that both ever had. So a comparison is a list of predicates, best level first; its
level is the first that holds. When none does and there is no `else`, or a side has no value, it is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.contracts.model import Comparison, Level, LinkageModel

Operation = Literal["share", "similar", "one_edit", "variant", "date", "else"]
DATE_CONDITIONS = frozenset(
    {"day_month_swapped", "one_edit", "imprecise", "age_range", "same_month", "within_years", "equal"}
)
# What the levels of an address share, or compare.
ADDRESS_FEATURES = {
    "same_uprn": "uprn_current", "same_dwelling": "dwelling_current", "former_dwelling": "dwelling",
    "uncertain_dwelling": "dwelling",
    "same_address": "place", "same_postcode": "postcode", "same_outward": "outward", "same_lines": "lines",
    "similar_lines": "lines",
}  # fmt: skip
# Where a similarity is the threshold itself, libraries differ in the last bit: all engines ask for this much less.
SIMILARITY_SLACK = 1e-9


@dataclass(frozen=True)
class Predicate:
    """A condition on the features of two records.

    share: a value of `left` of one record is a value of `right` of the other. similar: two values of `left` have a
    Jaro-Winkler similarity of `at_least`. one_edit: two values are one insertion, deletion, substitution or swap
    of neighbours apart. variant: two values are spellings of one name. date: `condition` of two dates. else:
    always. The predicate does not hold where `unless` (a feature of which both share a value) does.
    """

    operation: Operation
    left: str = ""
    right: str = ""
    at_least: float = 0.0
    condition: str = ""
    years: int = 0
    unless: str | None = None


@dataclass(frozen=True)
class CompiledComparison:
    """The predicates of a comparison's levels; null unless both records have a value of one of `present`.

    `silenced_by` are (comparison, level) positions: where such a level holds, this comparison is null. `term` is,
    per level, the feature whose shared value's frequency takes the place of u; None where u is the level's own.
    """

    name: str
    present: tuple[str, ...]
    predicates: tuple[Predicate, ...]
    silenced_by: tuple[tuple[int, int], ...]
    term: tuple[str | None, ...]


def compile_comparisons(model: LinkageModel) -> tuple[CompiledComparison, ...]:
    """Return the comparisons of a model as predicates on features."""
    return tuple(
        CompiledComparison(
            name=comparison.name,
            present=_present(comparison),
            predicates=tuple(_predicate(comparison, level) for level in comparison.levels),
            silenced_by=_silenced_by(model, comparison.name),
            term=tuple(
                term_feature(comparison, level.when) if level.term_frequency else None
                for level in comparison.levels
            ),
        )
        for comparison in model.comparisons
    )


def term_feature(comparison: Comparison, when: str) -> str:
    """Return the feature whose values' frequencies adjust the level with this condition."""
    if comparison.kind == "date":
        return "birth_year"
    if comparison.kind == "address":
        return ADDRESS_FEATURES[when]
    return comparison.field


def comparison_features(model: LinkageModel) -> tuple[str, ...]:
    """Return the features that a model's comparisons and their frequencies use, in order of their names."""
    names: set[str] = set()
    for comparison in compile_comparisons(model):
        names |= {*comparison.present, *(name for name in comparison.term if name)}
        for each in comparison.predicates:
            names |= {name for name in (each.left, each.right, each.unless) if name}
    return tuple(sorted(names))


def compared_texts(model: LinkageModel) -> tuple[str, ...]:
    """Return the features whose values a model compares letter by letter, in order of their names."""
    predicates = (each for comparison in compile_comparisons(model) for each in comparison.predicates)
    return tuple(sorted({each.left for each in predicates if each.operation in ("similar", "one_edit")}))


def features_of(model: LinkageModel) -> frozenset[str]:
    """Return the features that a model's comparisons, keys, frequencies and bar use."""
    names = set(comparison_features(model))
    for rule in model.blocking:
        names |= {*rule.keys, *([rule.narrow_with] if rule.narrow_with else [])}
    if model.hard_bar is not None:
        names.add(f"{model.comparison(model.hard_bar).field}_verified")
    return frozenset(names)


def _silenced_by(model: LinkageModel, name: str) -> tuple[tuple[int, int], ...]:
    return tuple(
        (column, position)
        for column, comparison in enumerate(model.comparisons)
        for position, level in enumerate(comparison.levels)
        if level.silences == name
    )


def _present(comparison: Comparison) -> tuple[str, ...]:
    if comparison.kind == "address":
        uses_lines = any("lines" in level.when for level in comparison.levels)
        uses_uprn = any(level.when == "same_uprn" for level in comparison.levels)
        return ("postcode", "outward", *["lines"] * uses_lines, *["uprn_current"] * uses_uprn)
    if comparison.kind == "identifier":
        return (f"{comparison.field}_weak",)
    return (comparison.field,)


def _share(left: str, right: str | None = None, unless: str | None = None) -> Predicate:
    return Predicate("share", left, right or left, unless=unless)


def _predicate(comparison: Comparison, level: Level) -> Predicate:
    """Return what a level asks. The kinds differ in which features their conditions look at."""
    if level.when == "else":
        return Predicate("else")
    if comparison.kind == "date":
        return Predicate("date", "birth", "birth", condition=level.when, years=level.years or 0)
    if comparison.kind == "identifier":
        return _identifier(comparison.field, level.when)
    if comparison.kind == "address":
        return _address(level)
    return _text(comparison.field, level)


def _identifier(field: str, when: str) -> Predicate:
    match when:
        case "equal":
            return _share(field)
        case "one_edit":
            return Predicate("one_edit", field, field)
        case "equal_unverified":
            return _share(f"{field}_weak")
        case "differ_unverified":
            return _share(f"{field}_weak_kind", unless=f"{field}_kind")
        case _:
            return _share(f"{field}_kind")


def _address(level: Level) -> Predicate:
    if level.when == "similar_lines":
        return Predicate("similar", "lines", "lines", at_least=_at_least(level))
    if level.when == "uncertain_dwelling":
        return _share("dwelling", "dwelling_covers")
    return _share(ADDRESS_FEATURES[level.when])


def _text(field: str, level: Level) -> Predicate:
    """Return what a level of names, codes, contacts and a file's own fields asks."""
    match level.when:
        case "equal":
            return _share(field)
        case "similar":
            return Predicate("similar", *_compared(field), at_least=_at_least(level))
        case "variant" | "one_edit":
            return Predicate("variant" if level.when == "variant" else "one_edit", field, field)
        case "swapped":
            return _share("full", "reversed")
        case "swapped_phonetic":
            return _share("full_phonetic", "reversed_phonetic")
        case "middle_used":
            return _share("given", "middle_token")
        case "phonetic":
            return _share(f"{field}_sound")
        case "tokens":
            return _share(f"{field}_token" if field != "middle" else "middle_word")
        case "initial":
            return _share(f"{field}_single", f"{field}_initial")
        case "same_local_part":
            return _share("contact_local")
        case _:
            raise AssertionError(level.when)  # the contract allows no other


def _at_least(level: Level) -> float:
    return (level.at_least or 1.0) - SIMILARITY_SLACK


def _compared(field: str) -> tuple[str, str]:
    """Return the feature whose values are compared letter by letter: of contacts, the e-mail addresses alone."""
    name = "contact_email" if field == "contact" else field
    return name, name
