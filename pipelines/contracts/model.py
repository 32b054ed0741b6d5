"""The linkage model: comparisons and their levels, blocking rules, priors, constants; from `schemas/models/`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.contracts.yaml_file import read_model
from pipelines.settings import load_settings

Kind = Literal["name", "middle", "date", "code", "identifier", "address", "contact"]
Condition = Literal[
    "equal", "swapped", "swapped_phonetic", "middle_used", "variant", "similar", "phonetic", "tokens", "initial",
    "day_month_swapped", "one_edit", "imprecise", "age_range", "same_month", "within_years",
    "equal_unverified", "differ_unverified", "conflict",
    "same_address", "same_postcode", "same_outward", "else",
]  # fmt: skip
CONDITIONS: dict[str, frozenset[str]] = {
    "name": frozenset(
        {
            "equal",
            "swapped",
            "swapped_phonetic",
            "middle_used",
            "variant",
            "similar",
            "phonetic",
            "tokens",
            "initial",
            "else",
        }
    ),
    "middle": frozenset({"equal", "tokens", "initial", "else"}),
    "date": frozenset(
        {
            "equal",
            "day_month_swapped",
            "one_edit",
            "imprecise",
            "age_range",
            "same_month",
            "within_years",
            "else",
        }
    ),
    "code": frozenset({"equal", "else"}),
    "identifier": frozenset({"equal", "equal_unverified", "differ_unverified", "conflict"}),
    "address": frozenset({"same_address", "same_postcode", "same_outward", "else"}),
    "contact": frozenset({"equal", "else"}),
}
FIELDS: dict[str, frozenset[str]] = {
    "name": frozenset({"given", "family"}),
    "middle": frozenset({"middle"}),
    "date": frozenset({"birth"}),
    "code": frozenset({"sex"}),
    "identifier": frozenset({"nhs_number", "identifier"}),
    "address": frozenset({"address"}),
    "contact": frozenset({"contact"}),
}
NEEDS_VALUE: dict[str, str] = {"similar": "at_least", "within_years": "years"}
LAST_CONDITION: dict[str, str] = {"identifier": "conflict"}

BlockingKey = Literal[
    "nhs_number", "identifier", "date_of_birth", "birth_either_order", "birth_year", "birth_month", "given",
    "family", "given_phonetic", "family_phonetic", "given_initial", "family_initial", "sorted_names", "postcode",
    "outward", "place", "contact", "sex",
]  # fmt: skip

Probability = Field(gt=0, lt=1)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Level(_Strict):
    """One outcome band of a comparison; `m` and `u` are where training starts."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    when: Condition
    m: float = Probability
    u: float = Probability
    at_least: float | None = Field(default=None, gt=0, le=1)
    years: int | None = Field(default=None, ge=0)
    term_frequency: bool = False

    @model_validator(mode="after")
    def _value_fits(self) -> Self:
        for condition, key in NEEDS_VALUE.items():
            if (self.when == condition) != (getattr(self, key) is not None):
                raise ValueError(
                    f"level {self.name}: `{key}` belongs to, and is required by, when: {condition}"
                )
        return self


class Comparison(_Strict):
    """One field compared: its levels from best to worst. Null (a side without a value) is implied, weight 0."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Kind
    field: str
    levels: tuple[Level, ...] = Field(min_length=2)
    types: dict[str, str] = {}
    former_types: frozenset[str] = frozenset()

    @model_validator(mode="after")
    def _levels_fit(self) -> Self:
        names = [level.name for level in self.levels]
        if len(set(names)) != len(names) or "null" in names:
            raise ValueError(f"comparison {self.name}: level names must differ, and `null` is implied")
        for level in self.levels:
            if level.when not in CONDITIONS[self.kind]:
                allowed = ", ".join(sorted(CONDITIONS[self.kind]))
                raise ValueError(
                    f"comparison {self.name}, level {level.name}: `when` must be one of {allowed}"
                )
        last = LAST_CONDITION.get(self.kind, "else")
        if self.levels[-1].when != last or [level.when for level in self.levels].count("else") > 1:
            raise ValueError(f"comparison {self.name}: exactly the last level must be `when: {last}`")
        if self.field not in FIELDS[self.kind]:
            raise ValueError(
                f"comparison {self.name}: `field` must be one of {', '.join(sorted(FIELDS[self.kind]))}"
            )
        if (self.kind == "identifier") != bool(self.types):
            raise ValueError(
                f"comparison {self.name}: `types` belongs to, and is required by, kind: identifier"
            )
        return self

    def level_names(self) -> tuple[str, ...]:
        """Return the level names, best first."""
        return tuple(level.name for level in self.levels)

    def index_of(self, when: str) -> int | None:
        """Return the position of the first level with this condition; None when there is none."""
        return next((i for i, level in enumerate(self.levels) if level.when == when), None)


class BlockingRule(_Strict):
    """A condition that two records must meet to be compared: all keys equal."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    keys: tuple[BlockingKey, ...] = Field(min_length=1)
    maximum_block: int = Field(ge=2)
    narrow_with: BlockingKey | None = None
    train: bool = False


class Deterministic(_Strict):
    """Rules that are near certain, used to count matches for the prior, and the recall assumed of them."""

    assumed_recall: float = Field(gt=0, le=1)
    rules: tuple[dict[str, tuple[str, ...]], ...] = Field(min_length=1)


class Household(_Strict):
    """What people of one household share without being one person, and where training starts.

    Plain members share `shared`; twins the date of birth too; namesakes the given and the middle name too.
    """

    rule: str
    given: str
    middle: str | None = None
    birth: str
    address: str
    shared: tuple[str, ...] = Field(min_length=1)
    prior: float = Probability
    twins: float = Probability
    namesakes: float = Probability


class Training(_Strict):
    """Constants of training: sample size, stopping rule, smoothing."""

    random_pairs: int = Field(ge=1000)
    iterations: int = Field(ge=1)
    tolerance: float = Field(gt=0)
    starting_pairs: float = Field(gt=0)
    minimum_pairs: int = Field(ge=1)
    rounds: int = Field(ge=1)


class LinkageModel(_Strict):
    """Everything that defines a model before training."""

    model: str
    description: str
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    blocking: tuple[BlockingRule, ...] = Field(min_length=1)
    pair_budget: int = Field(ge=1)
    prior: float = Probability
    deterministic: Deterministic
    household: Household | None = None
    training: Training
    minimum_frequency: float = Probability
    link_probability: float = Probability
    edge_probability: float = Probability
    maximum_cluster: int = Field(ge=2)
    hard_bar: str | None = None
    verified_code: str = "01"

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        levels = {comparison.name: set(comparison.level_names()) for comparison in self.comparisons}
        rules = {rule.name for rule in self.blocking}
        if len(levels) != len(self.comparisons) or len(rules) != len(self.blocking):
            raise ValueError("comparisons and blocking rules must have different names")
        for rule in self.deterministic.rules:
            for name, wanted in rule.items():
                if name not in levels or not set(wanted) <= levels[name]:
                    raise ValueError(f"deterministic: {name} must be a comparison, with levels that it has")
        home = self.household
        named = (
            (home.given, *filter(None, [home.middle]), home.birth, home.address, *home.shared) if home else ()
        )
        for name in (*named, *((self.hard_bar,) if self.hard_bar else ())):
            if name not in levels:
                raise ValueError(f"household and hard_bar must name comparisons; {name} is none")
        if self.hard_bar and self.comparison(self.hard_bar).kind != "identifier":
            raise ValueError(f"hard_bar must name a comparison of kind identifier; {self.hard_bar} is not")
        fields = {comparison.field for comparison in self.comparisons}
        for blocking_rule in self.blocking:
            for key in {"nhs_number", "identifier"} & set(blocking_rule.keys):
                if key not in fields:
                    raise ValueError(
                        f"blocking rule {blocking_rule.name}: key {key} needs a comparison of that field"
                    )
        if home and home.rule not in rules:
            raise ValueError(f"household.rule must name a blocking rule; {home.rule} is none")
        if self.edge_probability > self.link_probability:
            raise ValueError("edge_probability must not be above link_probability")
        return self

    def comparison(self, name: str) -> Comparison:
        """Return the comparison of this name; raises KeyError when there is none."""
        for comparison in self.comparisons:
            if comparison.name == name:
                return comparison
        raise KeyError(name)


def load_model(name: str = "person") -> LinkageModel:
    """Return the linkage model `schemas/models/<name>.yaml`; a mistake in it raises ContractError."""
    return read_linkage_model(load_settings().schemas_dir / "models" / f"{name}.yaml")


def read_linkage_model(path: Path) -> LinkageModel:
    """Return the linkage model in the file at `path`; a mistake in it raises ContractError."""
    return read_model(LinkageModel, path)
