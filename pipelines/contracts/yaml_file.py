"""Reading a YAML file into a pydantic model, with errors that name file, key and expectation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pipelines.errors import ContractError

Model = TypeVar("Model", bound=BaseModel)


_SafeLoader: Any = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # libyaml where there is one: ten times as fast


class _StrictLoader(_SafeLoader):  # type: ignore[misc]
    """A safe loader that refuses a key written twice: YAML would keep the last one silently."""


def _mapping_without_repeats(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} stands twice", key_node.start_mark
            )
        seen.add(key)
    mapping: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return mapping


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises:
        ContractError: the file is missing, is not YAML, or repeats a key.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 - it is a SafeLoader
    except FileNotFoundError:
        raise ContractError(str(path), "(file)", "expected this file to exist") from None
    except yaml.YAMLError as error:
        raise ContractError(str(path), "(syntax)", " ".join(str(error).split())) from None


def validate(model: type[Model], content: Any, path: Path) -> Model:
    """Return `content` as a `model`.

    Raises:
        ContractError: naming the file, each wrong key and what was expected there.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        wrong = [
            (".".join(str(part) for part in item["loc"]) or "(top)", item["msg"]) for item in error.errors()
        ]
        key, expected = wrong[0]
        more = "".join(f"; {other}: {message}" for other, message in wrong[1:])
        raise ContractError(str(path), key, expected + more) from None


def read_model(model: type[Model], path: Path) -> Model:
    """Return the YAML file at `path` as a `model`; see `read_yaml` and `validate` for the errors."""
    return validate(model, read_yaml(path), path)
