"""Take a Splink model file as a model of ours, and say in words what of it could not be taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pipelines.contracts.conditions import Condition as When
from pipelines.contracts.model import BlockingRule, Comparison, Deterministic, Level, LinkageModel, load_model
from pipelines.errors import LinkageError
from pipelines.link.splink_bridge.columns import Meaning, key_of, meanings, plain_name
from pipelines.link.splink_bridge.levels import Condition, read_condition
from pipelines.link.splink_bridge.parse import Test, parse_condition
from pipelines.link.splink_bridge.require import require_splink
from pipelines.link.trained import Parameters, SourcePrior, TrainedModel, TrainingRecord

SMALLEST = 1e-12
WANTED = ("comparisons", "blocking_rules_to_generate_predictions", "probability_two_random_records_match")
DEFAULT_DIALECT = "duckdb"
TERMS_NOTE = (
    "term frequencies are not part of a Splink model file: levels with term_frequency use their u until the model"
    " is trained here"
)
EQUAL = frozenset({"equal", "same_postcode"})


@dataclass(frozen=True)
class Imported:
    """The model, and in words what it does not have of the Splink model."""

    model: TrainedModel
    notes: tuple[str, ...]


@dataclass
class _Reader:
    """What was read so far: comparisons, their m and u, and notes."""

    dialect: str
    notes: list[str] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    m: dict[str, tuple[float, ...]] = field(default_factory=dict)
    u: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass
class _Taken:
    """A level that can be taken, with the m and u of levels above it that could not."""

    condition: Condition
    m: float
    u: float
    term_frequency: bool


def import_settings(settings: Mapping[str, Any], name: str = "imported") -> Imported:
    """Return the model of a Splink settings dictionary (`linker.misc.save_model_to_json`), and notes.

    Levels: exact, Jaro-Winkler at least, one edit, differences of dates in years, arrays that share a value, null,
    else. A level that cannot be taken gives its m and u to the next one below. Rules: equality of columns or of
    their parts, joined by AND.

    Raises:
        LinkageError: the settings are no Splink model, no comparison or no rule can be taken, or Splink is missing.
    """
    require_splink()
    missing = [key for key in WANTED if key not in settings]
    if missing:
        raise LinkageError(f"the file is not a Splink model: it lacks {', '.join(missing)}")
    reader = _Reader(str(settings.get("sql_dialect", DEFAULT_DIALECT)))
    read = [(each, _tests(reader, each)) for each in settings["comparisons"]]
    known = meanings(_columns([tests for _, tests in read]))
    for each, tests in read:
        _read_comparison(reader, each, tests, known)
    for column, meaning in known.items():
        if meaning.kind == "text":
            reader.notes.append(f"column {column} is the field {meaning.field}: name it so in the mapping")
    rules = _read_rules(reader, settings["blocking_rules_to_generate_predictions"], known)
    if not reader.comparisons or not rules:
        what = "comparison" if not reader.comparisons else "blocking rule"
        raise LinkageError(f"no {what} of the Splink model can be taken: {'; '.join(reader.notes)}")
    prior = float(settings["probability_two_random_records_match"])
    return Imported(_model(reader, rules, prior, name), tuple(reader.notes))


def _tests(reader: _Reader, comparison: Mapping[str, Any]) -> list[tuple[Test, ...] | None]:
    return [
        parse_condition(level["sql_condition"], reader.dialect) if _is_condition(level) else None
        for level in comparison["comparison_levels"]
    ]


def _is_condition(level: Mapping[str, Any]) -> bool:
    return not level.get("is_null_level") and not _is_else(level)


def _is_else(level: Mapping[str, Any]) -> bool:
    return bool(level["sql_condition"].strip().upper() == "ELSE")


def _columns(tests: Sequence[list[tuple[Test, ...] | None]]) -> list[str]:
    """Return the columns of comparisons that speak of one column only, in their order."""
    found: dict[str, None] = {}
    for levels in tests:
        columns = {test.column for level in levels if level and len(level) == 1 for test in level}
        if len(columns) == 1 and None not in columns:
            found.update(dict.fromkeys(column for column in columns if column))
    return list(found)


def _read_comparison(
    reader: _Reader,
    comparison: Mapping[str, Any],
    tests: list[tuple[Test, ...] | None],
    known: dict[str, Meaning],
) -> None:
    label = str(comparison.get("output_column_name") or "without a name")
    columns = _columns([tests])
    if not columns:
        reader.notes.append(
            f"comparison {label}: left out, its levels do not speak of one column that can be read"
        )
        return
    meaning = known[columns[0]]
    taken = _read_levels(
        reader, label, list(zip(comparison["comparison_levels"], tests, strict=True)), meaning
    )
    if len(taken) < 2:
        reader.notes.append(f"comparison {label}: left out, fewer than two of its levels can be taken")
        return
    name = _free_name(plain_name(label), {each.name for each in reader.comparisons})
    names = _level_names([each.condition for each in taken])
    reader.m[name] = tuple(max(each.m, SMALLEST) for each in taken)
    reader.u[name] = tuple(max(each.u, SMALLEST) for each in taken)
    levels = tuple(_level(level, each) for level, each in zip(names, taken, strict=True))
    types = {"NHS": "NHS"} if meaning.kind == "identifier" else {}
    reader.comparisons.append(
        Comparison(name=name, kind=meaning.kind, field=meaning.field, levels=levels, types=types)
    )


def _read_levels(
    reader: _Reader,
    label: str,
    levels: list[tuple[Mapping[str, Any], tuple[Test, ...] | None]],
    meaning: Meaning,
) -> list[_Taken]:
    """Return the levels that can be taken, best first, the last being else; empty without an else with m and u."""
    taken: list[_Taken] = []
    waiting_m = waiting_u = 0.0
    for level, tests in levels:
        if level.get("is_null_level"):
            continue
        where = f"comparison {label}, level {level.get('label_for_charts') or len(taken)}"
        m, u = level.get("m_probability"), level.get("u_probability")
        last = Condition(_last(meaning))
        read = last if _is_else(level) else read_condition(tests, meaning.kind)
        same = [each for each in taken if read is not None and each.condition == read]
        if read is None or m is None or u is None or same:
            why = "its condition is not one that can be taken" if read is None else "it has no m or no u"
            why = "a level above says the same here" if same else why
            reader.notes.append(f"{where}: left out, {why}; what it has of m and u goes to the next level")
            waiting_m, waiting_u = waiting_m + float(m or 0.0), waiting_u + float(u or 0.0)
            continue
        if read.note:
            reader.notes.append(f"{where}: {read.note}")
        frequency = _term_frequency(reader, where, level, tests)
        taken.append(_Taken(read, float(m) + waiting_m, float(u) + waiting_u, frequency))
        waiting_m = waiting_u = 0.0
    return taken if taken and taken[-1].condition.when == _last(meaning) else []


def _last(meaning: Meaning) -> When:
    """Return the condition of the last level: two numbers of one kind that differ are a conflict."""
    return "conflict" if meaning.kind == "identifier" else "else"


def _term_frequency(
    reader: _Reader, where: str, level: Mapping[str, Any], tests: tuple[Test, ...] | None
) -> bool:
    column = level.get("tf_adjustment_column")
    if not column:
        return False
    is_own = tests is not None and len(tests) == 1 and tests[0].column == str(column).lower().strip('"')
    if not is_own or tests is None or tests[0].relation not in {"equal", "shared"}:
        reader.notes.append(
            f"{where}: its term frequency adjustment is not taken, it is not that of a shared value"
        )
        return False
    if level.get("tf_adjustment_weight", 1.0) != 1.0:
        reader.notes.append(f"{where}: the term frequency adjustment has full weight here")
    if level.get("tf_minimum_u_value"):
        reader.notes.append(f"{where}: tf_minimum_u_value is not taken, the model has one minimum_frequency")
    return True


def _level(name: str, taken: _Taken) -> Level:
    condition = taken.condition
    return Level(
        name=name,
        when=condition.when,
        m=min(max(taken.m, SMALLEST), 1 - SMALLEST),
        u=min(max(taken.u, SMALLEST), 1 - SMALLEST),
        at_least=condition.at_least,
        years=condition.years,
        term_frequency=taken.term_frequency,
    )


def _level_names(conditions: list[Condition]) -> list[str]:
    names: list[str] = []
    for condition in conditions:
        names.append(_free_name("exact" if condition.when == "equal" else condition.label, set(names)))
    return names


def _free_name(wanted: str, used: set[str]) -> str:
    numbered = (f"{wanted}_{number}" for number in count(2))
    return wanted if wanted not in used else next(name for name in numbered if name not in used)


def _read_rules(reader: _Reader, rules: Sequence[Any], known: dict[str, Meaning]) -> tuple[BlockingRule, ...]:
    fields = {comparison.field for comparison in reader.comparisons}
    found: list[BlockingRule] = []
    for number, rule in enumerate(rules, start=1):
        sql = rule if isinstance(rule, str) else rule["blocking_rule"]
        keys = _keys(parse_condition(sql, reader.dialect), known)
        unknown = keys is not None and any(key.startswith("extra.") and key not in fields for key in keys)
        if keys is None or unknown:
            reader.notes.append(
                f"blocking rule {number}: left out, it is not an equality of columns that are compared here,"
                " or of their parts, joined by AND"
            )
            continue
        name = _free_name(plain_name("_".join(keys)), {each.name for each in found})
        budget = load_model().pair_budget
        found.append(BlockingRule(name=name, keys=keys, maximum_block=budget, train=True))
    return tuple(found)


def _keys(tests: tuple[Test, ...] | None, known: dict[str, Meaning]) -> tuple[str, ...] | None:
    if not tests:
        return None
    keys = [
        key_of(test.column, test.left.part, known) if test.column and test.relation == "equal" else None
        for test in tests
    ]
    return None if any(key is None for key in keys) else tuple(key for key in keys if key)


def _model(reader: _Reader, rules: tuple[BlockingRule, ...], prior: float, name: str) -> TrainedModel:
    """Return the trained model; what Splink has no word for (constants of training, thresholds) is as shipped."""
    shipped = load_model()
    if any(level.term_frequency for each in reader.comparisons for level in each.levels):
        reader.notes.append(TERMS_NOTE)
    reader.notes.append(
        "training constants, thresholds and the pair budget are those of the shipped person model"
    )
    definition = shipped.model_copy(
        update={
            "model": plain_name(name),
            "description": "Taken from a Splink model",
            "comparisons": tuple(reader.comparisons),
            "blocking": rules,
            "prior": prior,
            "deterministic": _deterministic(shipped, reader.comparisons),
            "household": None,
            "hard_bar": None,
        }
    )
    whole = LinkageModel.model_validate(definition.model_dump(mode="json"))
    parameters = Parameters(reader.m, reader.u, {}, SourcePrior(prior, 0.0), None)
    record = TrainingRecord(0, 0, 0, 0, shipped.deterministic.assumed_recall, "trained by Splink", (), ())
    return TrainedModel(whole, parameters, {}, record)


def _deterministic(shipped: LinkageModel, comparisons: list[Comparison]) -> Deterministic:
    """Return the near certain rule for the prior of a later training: every comparison at its best level."""
    rule = {comparison.name: (comparison.levels[0].name,) for comparison in comparisons}
    return Deterministic(assumed_recall=shipped.deterministic.assumed_recall, rules=(rule,))
