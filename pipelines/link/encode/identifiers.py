"""Features of identifiers: the numbers that are evidence, those that are weak, and those that can conflict."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.model import Comparison
from pipelines.link.columns import as_mask, code_column, whole
from pipelines.link.encode.placing import Placing
from pipelines.link.features import NONE, Bools, Feature, make_feature

EVIDENCE = frozenset({"VALID", "SYNTHETIC"})
WEAK_EVIDENCE = frozenset({"UNVERIFIED"})


def identifier_features(placing: Placing, comparison: Comparison, verified: str) -> dict[str, Feature]:
    """Return the identifiers of a comparison: firm, weak (firm ones too), verified, and kinds that can conflict.

    A number is weak where its agency says that it is not verified; one that says nothing is taken at its word.
    """
    table, at, field = placing.data.identifiers, placing.rows("identifiers"), comparison.field
    types = pa.array(sorted(comparison.types), pa.string())
    which = pc.index_in(table["identifier_type"].cast(pa.string()), value_set=types)
    names = pa.array([comparison.types[name] for name in sorted(comparison.types)], pa.string())
    kind = names.take(whole(which))
    value = pc.binary_join_element_wise(kind, whole(table["value"].cast(pa.string())), ":")
    codes, values = code_column(value)
    kinds, kind_values = code_column(kind)
    sound = as_mask(table["status"], sorted(EVIDENCE))
    weak = sound | as_mask(table["status"], sorted(WEAK_EVIDENCE))
    traced = as_mask(table["verification"], [verified])
    firm = sound & (traced | np.asarray(pc.is_null(table["verification"]).to_numpy(), dtype=bool))
    former = as_mask(table["identifier_type"], sorted(comparison.former_types))
    current = np.asarray(pc.is_null(table["valid_to"]).to_numpy(), dtype=bool) & ~former
    is_verified = firm & current & traced

    def of(rows: Bools) -> Feature:
        chosen = np.where(rows, codes, NONE).astype(np.int32)
        return make_feature(at, chosen, len(values), placing.size, values)

    def kinds_of(rows: Bools) -> Feature:
        chosen = np.where(rows & (codes >= 0), kinds, NONE).astype(np.int32)
        return make_feature(at, chosen, len(kind_values), placing.size, kind_values)

    return {
        field: of(firm),
        f"{field}_weak": of(weak),
        f"{field}_verified": of(is_verified),
        f"{field}_kind": kinds_of(firm & current),
        f"{field}_weak_kind": kinds_of(weak),
    }
