"""A case: the benchmark's model with one set of blocking rules."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml

from pipelines.contracts.model import LinkageModel

Case = Literal["wide", "tight"]
CASES: tuple[Case, ...] = ("wide", "tight")


def load_case(case: Case) -> LinkageModel:
    """Return the model of a case."""
    content = yaml.safe_load((Path(__file__).parent / "model.yaml").read_text(encoding="utf-8"))
    rules = content.pop("rules")
    return LinkageModel.model_validate({**content, "blocking": rules[case]})
