"""A trained model as a file: YAML with its definition, parameters, term frequencies (hashed), training record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from pipelines.contracts.model import LinkageModel
from pipelines.contracts.yaml_file import read_yaml, validate
from pipelines.errors import ContractError
from pipelines.link.trained import TrainedModel

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


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
    return TrainedModel.untrained(validate(LinkageModel, content, path))


def _trained(content: dict[str, Any], path: Path) -> TrainedModel:
    validate(LinkageModel, content.get("definition"), path)
    try:
        return TrainedModel.from_json(json.dumps(content))
    except (KeyError, TypeError) as error:
        raise ContractError(
            str(path), "(top)", f"expected a trained model, {type(error).__name__} in it"
        ) from None
