"""Features of addresses: postcode, outward postcode, place, and the address as it is written."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.columns import Column, as_mask, code_column
from pipelines.link.encode.dwellings import LOCATED, Dwellings, Keys
from pipelines.link.encode.placing import Placing
from pipelines.link.features import NONE, Bools, Codes, Feature, Ints, empty_feature, make_feature
from pipelines.link.fused.arrays import Words
from pipelines.link.fused.grouping import renumber
from pipelines.link.fused.hashing import hash_strings

PLAIN = ("postcode", "outward", "place", "lines")
PLACES = (*PLAIN, "uprn_current", "dwelling", "dwelling_current", "dwelling_covers")
POSTCODES, NUMBERS, UPRNS = 1, 2, 3  # seeds, so that equal texts of different kinds differ


def place_features(
    placing: Placing, dwellings: Callable[[], Dwellings], name: str, kept: Bools
) -> dict[str, Feature]:
    """Return one of `PLACES`; of the rows that are `kept`, which are not at a hub.

    `place` is a UPRN, or postcode with building number; `dwelling` the same with its flat, and by the building's
    name too; `dwelling_covers` what an address may be where a flat is missing or a number is a range; `..._current`
    what a record has at its current addresses.

    Together with the places come the postcodes that they are made of. Pseudo postcodes, no fixed abode and
    confidential addresses are not places: they would join strangers.
    """
    table, at = placing.data.addresses, placing.rows("addresses")
    if name == "lines":
        if "lines" not in table.column_names:
            return {name: empty_feature(placing.size)}
        return {name: placing.column(at, _where(kept, table["lines"]))}
    if name not in PLAIN:
        return _dwelling_features(placing, dwellings(), name, kept)
    located = as_mask(table["postcode_status"], LOCATED) & kept
    if name != "place":
        return {name: placing.column(at, _where(located, table[name]))}
    number, numbers = code_column(table["building_number"])
    # Hardly a postcode comes twice in a file's own table of them: to code the texts themselves is quicker.
    postcode, postcodes = code_column(_where(located, table["postcode"].cast(pa.string())))
    uprn, uprns = code_column(_where(located, table["uprn"]))
    known = np.flatnonzero(uprn >= 0)
    uprn = uprn[known]
    numbered = _joined(postcode, number, len(numbers))
    codes, size = renumber(np.concatenate([numbered, len(postcodes) * len(numbers) + uprn.astype(np.int64)]))
    values = np.zeros(size + 1, dtype=np.uint64)
    # The last entry takes what has no code. A place is told apart by the hashes of what it is made of.
    values[codes[: len(at)]] = _hashes(postcodes, POSTCODES)[postcode] ^ _hashes(numbers, NUMBERS)[number]
    values[codes[len(at) :]] = _hashes(uprns, UPRNS)[uprn]
    found = values[:-1].view(np.int64)
    return {
        "place": make_feature(np.concatenate([at, at[known]]), codes, size, placing.size, found),
        "postcode": make_feature(at, postcode, len(postcodes), placing.size, postcodes),
    }


def _dwelling_features(placing: Placing, dwellings: Dwellings, name: str, kept: Bools) -> dict[str, Feature]:
    at = placing.rows("addresses")
    current = dwellings.current(at) & kept if name.endswith("_current") else kept
    keys: dict[str, Keys]
    match name:
        case "uprn_current":
            keys = {name: dwellings.uprns()}
        case "dwelling_current":
            keys = {name: dwellings.own()}
        case "dwelling" | "dwelling_covers":
            keys = {
                "dwelling": dwellings.own().with_others(dwellings.uprns()),
                "dwelling_covers": dwellings.covers(),
            }
        case _:
            raise KeyError(name)
    return _features_of({name: each.of(current) for name, each in keys.items()}, at, placing.size)


def _features_of(keys: dict[str, Keys], at: Ints, size: int) -> dict[str, Feature]:
    """Return the features of keys; their codes point into one table, so that one can be held against another."""
    codes, distinct = renumber(np.concatenate([each.key for each in keys.values()]))
    values = np.zeros(distinct, dtype=np.int64)
    found, start = {}, 0
    for name, each in keys.items():
        own = codes[start : start + len(each.key)]
        values[own] = each.key
        start += len(each.key)
        found[name] = make_feature(at[each.row], own, distinct, size, values)
    return found


def _where(kept: Bools, column: Column) -> Column:
    """Return a column of texts without those that are not kept."""
    return column if kept.all() else pc.if_else(pa.array(kept), column.cast(pa.string()), None)


def _joined(first: Codes, second: Codes, width: int) -> Ints:
    """Return one number for each pair of codes, -1 where either is missing."""
    return np.where((first < 0) | (second < 0), NONE, first.astype(np.int64) * width + second)


def _hashes(texts: pa.Array, seed: int) -> Words:
    """Return the hash of each distinct text; the last entry stands for none."""
    return np.append(hash_strings(texts, seed), np.uint64(0))
