"""The linkage model: comparisons and their levels, blocking rules, priors, constants; from `schemas/models/`."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from pipelines.contracts.conditions import (
    CONDITIONS,
    FIELDS,
    KEY_FIELDS,
    LAST_CONDITION,
    NEEDS_VALUE,
    Condition,
    Kind,
    is_field,
    is_key,
    is_open,
)
from pipelines.contracts.strict import Strict
from pipelines.contracts.yaml_file import read_model
from pipelines.settings import load_settings

Probability = Field(gt=0, lt=1)
# The kinds of comparison whose values can say who a record is about.
SAYS_WHO: tuple[Kind, ...] = ("name", "identifier", "text")


class Level(Strict):
    """One outcome band of a comparison; `m` and `u` are where training starts.

    Where the level holds, the comparison named in `silences` is null: what it would say has been said.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    when: Condition
    m: float = Probability
    u: float = Probability
    at_least: float | None = Field(default=None, gt=0, le=1)
    years: int | None = Field(default=None, ge=0)
    term_frequency: bool = False
    silences: str | None = None

    @model_validator(mode="after")
    def _value_fits(self) -> Self:
        for key in sorted(set(NEEDS_VALUE.values())):
            conditions = [condition for condition, needed in NEEDS_VALUE.items() if needed == key]
            if (self.when in conditions) != (getattr(self, key) is not None):
                raise ValueError(
                    f"level {self.name}: `{key}` belongs to, and is required by, when: {' or '.join(conditions)}"
                )
        return self


class Comparison(Strict):
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
                allowed = ", ".join(CONDITIONS[self.kind])
                raise ValueError(
                    f"comparison {self.name}, level {level.name}: `when` must be one of {allowed}"
                )
        last = LAST_CONDITION.get(self.kind, "else")
        if self.levels[-1].when != last or [level.when for level in self.levels].count("else") > 1:
            raise ValueError(f"comparison {self.name}: exactly the last level must be `when: {last}`")
        if not is_field(self.kind, self.field):
            allowed = ", ".join(field + "*" * field.endswith(".") for field in FIELDS[self.kind])
            raise ValueError(f"comparison {self.name}: `field` must be one of {allowed}")
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


class BlockingRule(Strict):
    """A condition that two records must meet to be compared: all keys equal."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    keys: tuple[str, ...] = Field(min_length=1)
    maximum_block: int = Field(ge=2)
    narrow_with: str | None = None
    train: bool = False

    @field_validator("keys", "narrow_with")
    @classmethod
    def _are_keys(cls, value: tuple[str, ...] | str | None) -> tuple[str, ...] | str | None:
        for key in (value,) if isinstance(value, str) else value or ():
            if not is_key(key):
                raise ValueError(
                    f"{key} is not a blocking key; those are {', '.join(KEY_FIELDS)}, and a file's own"
                )
        return value


class Deterministic(Strict):
    """Rules that are near certain, used to count matches for the prior, and the recall assumed of them."""

    assumed_recall: float = Field(gt=0, le=1)
    rules: tuple[dict[str, tuple[str, ...]], ...] = Field(min_length=1)


class Household(Strict):
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


class HubLimits(Strict):
    """From how many unrelated people on an address, or a postcode, is a hub: it says nothing about who is who.

    Unrelated are people without a surname in common, by sound, also by way of others there.
    """

    address: int = Field(ge=2)
    postcode: int = Field(ge=2)


class Training(Strict):
    """Constants of training: sample sizes (random pairs, pairs of one rule), stopping rule, smoothing."""

    random_pairs: int = Field(ge=1000)
    rule_pairs: int = Field(ge=1000)
    iterations: int = Field(ge=1)
    tolerance: float = Field(gt=0)
    starting_pairs: float = Field(gt=0)
    minimum_pairs: int = Field(ge=1)
    rounds: int = Field(ge=1)


class LinkageModel(Strict):
    """Everything that defines a model before training.

    `linkable_by` names comparisons of names, identifiers or texts: a record without a value of any of them says
    nothing of who it is about, and is in no link. Where it is empty, weight alone decides.
    """

    model: str
    description: str
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    blocking: tuple[BlockingRule, ...] = Field(min_length=1)
    pair_budget: int = Field(ge=1)
    prior: float = Probability
    deterministic: Deterministic
    household: Household | None = None
    hubs: HubLimits | None = None
    training: Training
    minimum_frequency: float = Probability
    target_false_link_rate: float = Probability
    link_probability: float = Probability
    fracture_margin: float = Field(default=0.0, ge=0)
    edge_probability: float = Probability
    maximum_cluster: int = Field(ge=2)
    hard_bar: str | None = None
    linkable_by: tuple[str, ...] = ()
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
        for name in self.linkable_by:
            if name not in levels or self.comparison(name).kind not in SAYS_WHO:
                raise ValueError(
                    f"linkable_by must name comparisons of kind {', '.join(SAYS_WHO)}; {name} is none"
                )
        home = self.household
        named = (
            (home.given, *filter(None, [home.middle]), home.birth, home.address, *home.shared) if home else ()
        )
        for name in (*named, *((self.hard_bar,) if self.hard_bar else ())):
            if name not in levels:
                raise ValueError(f"household and hard_bar must name comparisons; {name} is none")
        if self.hard_bar and self.comparison(self.hard_bar).kind != "identifier":
            raise ValueError(f"hard_bar must name a comparison of kind identifier; {self.hard_bar} is not")
        for silenced in (
            level.silences for each in self.comparisons for level in each.levels if level.silences
        ):
            if silenced not in levels:
                raise ValueError(f"`silences` must name a comparison; {silenced} is none")
            if any(level.silences for level in self.comparison(silenced).levels):
                raise ValueError(f"{silenced} is silenced, so its own levels must not silence another")
        fields = {comparison.field for comparison in self.comparisons}
        for blocking_rule in self.blocking:
            for key in blocking_rule.keys:
                if (key in {"nhs_number", "identifier"} or is_open(key)) and key not in fields:
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
