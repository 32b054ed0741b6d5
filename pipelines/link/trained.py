"""A trained model: definition, parameters and term frequencies, frozen and named by the hash of all three."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from math import inf, log2
from typing import Any, Literal

from pipelines.contracts.model import LinkageModel
from pipelines.errors import LinkageError
from pipelines.link.encode import Encoded
from pipelines.link.features import Floats
from pipelines.link.hubs import Hubs
from pipelines.link.narrowing import Narrowed, Narrowing
from pipelines.link.terms import Terms, frequencies

VERSION_LENGTH = 16


@dataclass(frozen=True)
class SourcePrior:
    """The share of the pairs between two sources that are one person, and that are two people of one household."""

    match: float
    household: float


@dataclass(frozen=True)
class HouseholdParameters:
    """P(level | two people of one household) for what households share, and the shares of twins and namesakes."""

    shared: dict[str, tuple[float, ...]]
    birth: tuple[float, ...]
    twins: float
    namesakes: float


@dataclass(frozen=True)
class Parameters:
    """m and u per comparison and level, the household class, and a prior per pair of sources (`a|b`, sorted)."""

    m: dict[str, tuple[float, ...]]
    u: dict[str, tuple[float, ...]]
    priors: dict[str, SourcePrior]
    default_prior: SourcePrior
    household: HouseholdParameters | None


@dataclass(frozen=True)
class PassRecord:
    """What one EM pass found: how it ended, and how far its m lies from the combined m, in bits.

    `weight` is, per comparison that it informs, what a match of this pass counts for in the combined m.
    """

    rule: str
    pairs: int
    matches: float
    iterations: int
    last_change: float
    converged: bool
    left_out: tuple[str, ...]
    disagreement: dict[str, float] = field(default_factory=dict)
    weight: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PriorRecord:
    """The prior between two sources both ways: by the deterministic rules, and by EM over the candidate pairs.

    Args:
        sources: the two, as `a|b`.
        pairs: pairs of records between them that may be one person.
        deterministic: how many of them meet a deterministic rule.
        assumed: the prior that follows with the assumed recall.
        estimated: the prior estimated from the candidate pairs.
        used: the one that was used.
    """

    sources: str
    pairs: int
    deterministic: float
    assumed: float
    estimated: float
    used: float


@dataclass(frozen=True)
class StartRecord:
    """Where training ended from one start: rounds, last change (bits), log-likelihood (natural), and how far off.

    `distance` is the largest difference of a notable weight to the chosen end, in bits.
    """

    start: str
    rounds: int
    last_change: float
    converged: bool
    log_likelihood: float
    distance: float
    chosen: bool


@dataclass(frozen=True)
class HouseholdRecord:
    """Whether the household class takes part; how many pairs at one address are one person, and two members."""

    takes_part: bool
    pairs: int
    matches: float
    members: float


@dataclass(frozen=True)
class TrainingRecord:
    """How a model was trained: counts, passes, assumptions and the warnings a statistician would raise.

    `sensitivity` is what another assumed recall (the key) would add to every weight, in bits, were the prior taken
    from the deterministic rules alone; `household` is None where the model has no household class. `hubs` counts
    hubs by kind, `at_hubs` the records that carry one.
    """

    records: int
    seed: int
    random_pairs: int
    candidate_pairs: int
    assumed_recall: float
    prior_sensitivity: str
    passes: tuple[PassRecord, ...]
    warnings: tuple[str, ...]
    sensitivity: dict[str, float] = field(default_factory=dict)
    priors: tuple[PriorRecord, ...] = ()
    starts: tuple[StartRecord, ...] = ()
    household: HouseholdRecord | None = None
    hubs: dict[str, int] = field(default_factory=dict)
    at_hubs: int = 0

    @property
    def converged(self) -> bool:
        """Whether the rounds of the chosen start settled; true where there were none."""
        return all(each.converged for each in self.starts if each.chosen)


@dataclass(frozen=True)
class JoinThreshold:
    """The posterior at which an edge becomes a link, and the objective and target that chose it without labels."""

    probability: float
    objective: str
    target: float | None


def source_pair(first: str, second: str) -> str:
    """Return the key of a pair of sources, whatever their order."""
    return "|".join(sorted((first, second)))


@dataclass(frozen=True)
class TrainedModel:
    """A linkage model with its parameters; an edge names the `version` of the model that scored it.

    `narrowing` are the blocks that are narrowed wherever the model is used; without it, those that are too large
    among the records at hand. `hubs` are the addresses that count for nothing; None where the model knows of none.
    """

    definition: LinkageModel
    parameters: Parameters
    terms: Terms
    training: TrainingRecord
    join: JoinThreshold | None = None
    narrowing: Narrowing | None = None
    hubs: Hubs | None = None

    @cached_property
    def version(self) -> str:
        """The hash of definition, parameters, terms, threshold, narrowing and hubs: what a link depends on."""
        parts = [self._definition(), asdict(self.parameters), self.terms, self.join and asdict(self.join)]
        if self.narrowing is not None:
            parts.append(_plain_narrowing(self.narrowing))
        if self.hubs is not None:
            parts.append(_plain_hubs(self.hubs))
        content = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:VERSION_LENGTH]

    def frequencies(self, encoded: Encoded) -> dict[str, Floats]:
        """Return, per feature with term frequencies, what takes the place of u for each of its distinct values."""
        return frequencies(self.definition, self.terms, encoded)

    @property
    def link_probability(self) -> float:
        """The posterior at which an edge is accepted: the one chosen for this version, or else the definition's."""
        return self.join.probability if self.join is not None else self.definition.link_probability

    @property
    def fracture_weight(self) -> float:
        """The weight in bits from which two records that were one person stay so: never below even odds."""
        join = (
            log2(self.link_probability / (1.0 - self.link_probability)) if self.link_probability < 1 else inf
        )
        return min(join, max(join - self.definition.fracture_margin, 0.0))

    def prior_of(self, first: str, second: str) -> SourcePrior:
        """Return the prior between two sources; a pair of sources unseen in training has the overall prior."""
        return self.parameters.priors.get(source_pair(first, second), self.parameters.default_prior)

    def _definition(self) -> dict[str, Any]:
        content = self.definition.model_dump(mode="json")
        if not self.definition.fracture_margin:
            del content["fracture_margin"]  # as in definitions that are older than it
        if self.definition.hubs is None:
            del content["hubs"]
        if not self.definition.linkable_by:
            del content["linkable_by"]
        for comparison in content["comparisons"]:
            comparison["former_types"] = sorted(comparison["former_types"])
        return content

    @classmethod
    def untrained(cls, model: LinkageModel) -> TrainedModel:
        """Return the model with the m, u and priors that its definition starts from, and no term frequencies."""
        home = model.household
        prior = SourcePrior(model.prior, home.prior if home else 0.0)

        def starting(of: Literal["m", "u"]) -> dict[str, tuple[float, ...]]:
            values = {each.name: [getattr(level, of) for level in each.levels] for each in model.comparisons}
            return {name: tuple(value / sum(each) for value in each) for name, each in values.items()}

        m, u = starting("m"), starting("u")
        household = None
        if home is not None:
            shared = {name: m[name] for name in home.shared}
            household = HouseholdParameters(shared, u[home.birth], home.twins, home.namesakes)
        record = TrainingRecord(0, 0, 0, 0, model.deterministic.assumed_recall, "not trained", (), ())
        return cls(model, Parameters(m, u, {}, prior, household), {}, record)

    def training_json(self) -> str:
        """Return the training record as JSON: no term, no personal value."""
        return json.dumps(asdict(self.training), sort_keys=True)

    def to_json(self) -> str:
        """Return the whole model as JSON; terms stand in it as hashes."""
        return json.dumps(
            {
                "version": self.version,
                "definition": self._definition(),
                "parameters": asdict(self.parameters),
                "terms": self.terms,
                "join": self.join and asdict(self.join),
                "narrowing": None if self.narrowing is None else _plain_narrowing(self.narrowing),
                "hubs": None if self.hubs is None else _plain_hubs(self.hubs),
                "training": asdict(self.training),
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str) -> TrainedModel:
        """Return the model written by `to_json`; raises LinkageError when it was altered since."""
        content = json.loads(text)
        model = cls(
            LinkageModel.model_validate(content["definition"]),
            _read_parameters(content["parameters"]),
            content["terms"],
            _read_training(content["training"]),
            content["join"] and JoinThreshold(**content["join"]),
            _read_narrowing(content.get("narrowing")),
            None if content.get("hubs") is None else _vectors_of_texts(content["hubs"]),
        )
        if model.version != content["version"]:
            raise LinkageError("linkage model: its content does not hash to its version; it was altered")
        return model


def _plain_narrowing(narrowing: Narrowing) -> dict[str, dict[str, list[str]]]:
    return {
        rule: {name: list(keys) for name, keys in narrowed._asdict().items()}
        for rule, narrowed in narrowing.items()
    }


def _plain_hubs(hubs: Hubs) -> dict[str, list[str]]:
    return {kind: list(keys) for kind, keys in hubs.items()}


def _vectors_of_texts(content: Mapping[str, list[str]]) -> Hubs:
    return {kind: tuple(keys) for kind, keys in content.items()}


def _read_narrowing(content: dict[str, dict[str, list[str]]] | None) -> Narrowing | None:
    if content is None:
        return None
    return {
        rule: Narrowed(**{name: tuple(keys) for name, keys in each.items()}) for rule, each in content.items()
    }


def _vectors(content: Mapping[str, list[float]]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(values) for name, values in content.items()}


def _read_parameters(content: dict[str, Any]) -> Parameters:
    home = content["household"]
    return Parameters(
        m=_vectors(content["m"]),
        u=_vectors(content["u"]),
        priors={name: SourcePrior(**prior) for name, prior in content["priors"].items()},
        default_prior=SourcePrior(**content["default_prior"]),
        household=home
        and HouseholdParameters(
            _vectors(home["shared"]), tuple(home["birth"]), home["twins"], home["namesakes"]
        ),
    )


def _read_training(content: dict[str, Any]) -> TrainingRecord:
    home = content.get("household")
    read = {
        "passes": tuple(
            PassRecord(**{**each, "left_out": tuple(each["left_out"])}) for each in content["passes"]
        ),
        "warnings": tuple(content["warnings"]),
        "priors": tuple(PriorRecord(**each) for each in content.get("priors", ())),
        "starts": tuple(StartRecord(**each) for each in content.get("starts", ())),
        "household": home and HouseholdRecord(**home),
    }
    return TrainingRecord(**{**content, **read})
