"""A trained model as a file: YAML with its definition, parameters, term frequencies (hashed) and training record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from pipelines.contracts.model import LinkageModel
from pipelines.contracts.yaml_file import read_yaml, validate
from pipelines.errors import ContractError
from pipelines.link.trained import Parameters, SourcePrior, TrainedModel, TrainingRecord

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
UNTRAINED = "not trained: m, u and prior are where training would start"


def write_model_file(path: Path, model: TrainedModel) -> None:
    """Write the model to `path`; `read_model_file` gives it back, version and all."""
    content = json.loads(model.to_json())
    path.write_text(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True), encoding="utf-8")


def read_model_file(path: Path) -> TrainedModel:
    """Return the trained model in a file; a definition alone has the values from which training would start.

    Raises:
        ContractError: the file is missing, is no YAML, or is no model.
        LinkageError: a trained model was altered after it was written.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ContractError(str(path), "(top)", "expected a linkage model")
    if "parameters" in content:
        return _trained(content, path)
    return untrained(validate(LinkageModel, content, path))


def _trained(content: dict[str, Any], path: Path) -> TrainedModel:
    validate(LinkageModel, content.get("definition"), path)
    try:
        return TrainedModel.from_json(json.dumps(content))
    except (KeyError, TypeError) as error:
        raise ContractError(str(path), "(top)", f"expected a trained model, {type(error).__name__} in it") from None


def untrained(definition: LinkageModel) -> TrainedModel:
    """Return the model with the m, u and prior of its definition, and without term frequencies."""
    home = definition.household
    return TrainedModel(
        definition,
        Parameters(
            m={each.name: tuple(level.m for level in each.levels) for each in definition.comparisons},
            u={each.name: tuple(level.u for level in each.levels) for each in definition.comparisons},
            priors={},
            default_prior=SourcePrior(definition.prior, home.prior if home else 0.0),
            household=None,
        ),
        {},
        TrainingRecord(0, 0, 0, 0, definition.deterministic.assumed_recall, UNTRAINED, (), ()),
    )
