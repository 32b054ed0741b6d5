"""The model file: a mistake names the file, the key and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.contracts.model import load_model, read_linkage_model
from pipelines.errors import ContractError
from pipelines.settings import load_settings


def written(folder: Path, old: str, new: str) -> Path:
    text = (load_settings().schemas_dir / "models" / "person.yaml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "person.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_shipped_model_loads_and_links_at_a_posterior_of_99_percent():
    model = load_model()
    assert model.link_probability == 0.99
    assert [comparison.name for comparison in model.comparisons][:2] == ["given_name", "family_name"]


MISTAKES = [
    ("kind: code", "kind: colour", "comparisons.4.kind"),
    (
        "{name: equal, when: equal, m: 0.998",
        "{name: equal, when: phonetic, m: 0.998",
        "`when` must be one of",
    ),
    ("at_least: 0.92, ", "", "`at_least` belongs to"),
    ("m: 0.998", "m: 1.2", "less than 1"),
    ("keys: [place]", "keys: [shoe_size]", "blocking.16.keys"),
    ("rule: household", "rule: mansion", "mansion"),
    ("link_probability: 0.99", "link_probability: 0.99\ncolour: red", "colour"),
    ("{identifier: [equal], date_of_birth: [exact]}", "{identifier: [same]}", "deterministic: identifier"),
    ("hard_bar: nhs_number", "hard_bar: sex", "kind identifier"),
    ("field: given\n", "field: birth\n", "`field` must be one of family, given"),
]


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES)
def test_a_mistake_names_the_file_and_the_key(tmp_path, old, new, expected):
    path = written(tmp_path, old, new)
    with pytest.raises(ContractError, match="person.yaml") as caught:
        read_linkage_model(path)
    assert expected in str(caught.value)
