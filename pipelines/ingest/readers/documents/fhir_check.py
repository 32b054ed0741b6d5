"""Whether a FHIR resource is what FHIR R4 says, by the `fhir.resources` library (its package R4B)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

FHIR_INVALID = "FHIR_INVALID"
_ELEMENT = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,39}")
_NOT_SHOWN = "?"


def check_resource(resource: dict[str, Any]) -> str | None:
    """Return the reason code of a resource that is not valid, with the path of the first element that is not.

    None for a valid one. The path names elements of FHIR and places (`FHIR_INVALID:name.0.given`), never values.
    """
    model = _model(resource.get("resourceType"))
    if model is None:
        return f"{FHIR_INVALID}:resourceType"
    try:
        model.model_validate(resource)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        place = _place(details)
        return f"{FHIR_INVALID}:{place}" if place else FHIR_INVALID
    except (RecursionError, ValueError, TypeError, AttributeError, ArithmeticError):
        # Some checks of the library trip over values that are not of the type they expect.
        return FHIR_INVALID
    return None


def _place(details: Sequence[ErrorDetails]) -> str:
    """Return the path of the first error; a name that FHIR does not know is not repeated."""
    first = details[0]
    parts = ["resourceType" if part == "resource_type" else str(part) for part in first["loc"]]
    if parts and first["type"] == "extra_forbidden":
        parts[-1] = _NOT_SHOWN
    return ".".join(part if part.isdecimal() or _ELEMENT.fullmatch(part) else _NOT_SHOWN for part in parts)


def _model(resource_type: Any) -> type[BaseModel] | None:
    """Return the library's model of a type of resource; None when there is no such resource."""
    # Imported only where FHIR is read: it takes long.
    from fhir.resources.R4B import get_fhir_model_class
    from fhir.resources.R4B.resource import Resource

    if not isinstance(resource_type, str) or not _ELEMENT.fullmatch(resource_type):
        return None
    try:
        model: type[BaseModel] = get_fhir_model_class(resource_type)
    except ValueError:
        return None
    return model if issubclass(model, Resource) else None
