"""Encode normalised tables as features: integer codes per record, everything derived once per distinct value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.contracts.model import Comparison, LinkageModel
from pipelines.errors import LinkageError
from pipelines.link.data import LinkData
from pipelines.link.features import Feature, Ints, Texts, derive, make_feature, make_paired
from pipelines.link.names import phonetic, tokens

EVIDENCE = frozenset({"VALID", "SYNTHETIC"})
WEAK_EVIDENCE = frozenset({"UNVERIFIED"})
LOCATED = frozenset({"LIVE", "VALID_FORMAT"})
USABLE_CONTACT = frozenset({"VALID", "SYNTHETIC", "UNVERIFIED"})


@dataclass(frozen=True)
class Encoded:
    """Records in order of their ids, their agency codes, and the features that comparisons and keys use."""

    record_ids: Texts
    agencies: tuple[str, ...]
    agency: Ints
    features: dict[str, Feature]

    def positions(self, record_ids: list[str]) -> Ints:
        """Return where these records stand; raises LinkageError when one is unknown."""
        index = pd.Index(self.record_ids).get_indexer(pd.Index(record_ids))
        if bool((index < 0).any()):
            raise LinkageError("linking: a record id is not among the records")
        return np.asarray(index, dtype=np.int64)


def encode(model: LinkageModel, data: LinkData) -> Encoded:
    """Return the features of `data` that `model` uses; the order of input rows does not matter."""
    records = _frame(data.records).sort_values("record_id", kind="stable")
    if bool(records["record_id"].duplicated().any()):
        raise LinkageError("linking: a record id stands twice in the records")
    ids = records["record_id"].to_numpy(dtype=object)
    agencies = tuple(sorted(records["agency"].unique()))
    codes = pd.Index(agencies).get_indexer(pd.Index(records["agency"])).astype(np.int64)
    place = _Placer(ids)
    features = {"sex": place.one(_frame(data.records), _sex)}
    features |= _names(place, _frame(data.names))
    features |= _births(place, _frame(data.births))
    features |= _addresses(place, _frame(data.addresses))
    features["contact"] = place.one(_frame(data.contacts), _contact)
    for comparison in model.comparisons:
        if comparison.kind == "identifier":
            features |= _identifiers(place, _frame(data.identifiers), comparison, model.verified_code)
    return Encoded(ids, agencies, codes, features)


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(date_as_object=True)
    frame["record_id"] = frame["record_id"].astype(str)
    return frame


class _Placer:
    """Places rows at the position of their record; rows of unknown records are an error."""

    def __init__(self, record_ids: Texts) -> None:
        self.index = pd.Index(record_ids)
        self.size = len(record_ids)

    def positions(self, frame: pd.DataFrame) -> Ints:
        found = np.asarray(self.index.get_indexer(pd.Index(frame["record_id"])), dtype=np.int64)
        if bool((found < 0).any()):
            raise LinkageError("linking: a row belongs to a record that is not among the records")
        return found

    def one(self, frame: pd.DataFrame, value: Callable[[pd.DataFrame], pd.Series[Any]]) -> Feature:
        return make_feature(self.positions(frame), value(frame), self.size)


def _sex(frame: pd.DataFrame) -> pd.Series[Any]:
    return frame["sex"].where(frame["sex"].isin(["M", "F"]))


def _contact(frame: pd.DataFrame) -> pd.Series[Any]:
    usable = frame["status"].isin(USABLE_CONTACT) & frame["value"].notna()
    return frame["value"].astype(object).where(usable)


def _names(place: _Placer, frame: pd.DataFrame) -> dict[str, Feature]:
    """Return given, middle and family names, both orders of the full name, and their phonetic forms."""
    frame = frame.reset_index(drop=True)
    at = place.positions(frame)
    both = (frame["given"].notna() & frame["family"].notna()).to_numpy(dtype=bool)
    joined = frame["given"].str.cat(frame["family"], sep="|").astype(object)
    reversed_ = frame["family"].str.cat(frame["given"], sep="|").astype(object)
    sounds = (
        frame["given"].map(phonetic, na_action="ignore"),
        frame["family"].map(phonetic, na_action="ignore"),
    )
    sound = sounds[0].str.cat(sounds[1], sep="|").astype(object)
    reversed_sound = sounds[1].str.cat(sounds[0], sep="|").astype(object)
    either = sound.where(sound <= reversed_sound, reversed_sound) if both.any() else sound
    middle_tokens = frame["middle"].str.split().explode()
    token_rows = at[frame.index.get_indexer(middle_tokens.index)] if len(frame) else at
    features = make_paired(
        {"given": (at, frame["given"]), "middle_token": (token_rows, middle_tokens)}, place.size
    )
    features |= make_paired(
        {"full": (at[both], joined[both]), "reversed": (at[both], reversed_[both])}, place.size
    )
    features |= make_paired(
        {"full_phonetic": (at[both], sound[both]), "reversed_phonetic": (at[both], reversed_sound[both])},
        place.size,
    )
    features["family"] = make_feature(at, frame["family"], place.size)
    features["middle"] = make_feature(at, frame["middle"], place.size)
    features["sorted_names"] = make_feature(at[both], either[both], place.size)
    features["given_phonetic"] = derive(features["given"], lambda name: _coded((name,)))
    features["family_phonetic"] = derive(features["family"], lambda name: _coded((name, *tokens(name))))
    features["given_initial"] = derive(features["given"], lambda name: (name[:1],))
    features["family_initial"] = derive(features["family"], lambda name: (name[:1],))
    return features


def _coded(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for name in names if (code := phonetic(name))))


def _births(place: _Placer, frame: pd.DataFrame) -> dict[str, Feature]:
    """Return dates of birth with their precision, and the keys made from those known to the day."""
    rows = frame.reset_index(drop=True)
    text = [
        _birth_text(*row)
        for row in zip(
            rows["date_of_birth"], rows["precision"], rows["earliest"], rows["latest"], strict=True
        )
    ]
    birth = make_feature(place.positions(rows), pd.Series(text, dtype=object), place.size)
    return {
        "birth": birth,
        "date_of_birth": derive(birth, lambda value: (value[4:14],) if value.startswith("DAY|") else ()),
        "birth_either_order": derive(birth, _either_order),
        "birth_year": derive(
            birth, lambda value: (value[4:8],) if value.startswith("DAY|") else _one_year(value)
        ),
        "birth_month": derive(birth, lambda value: (value[4:11],) if value.startswith("DAY|") else ()),
    }


def _birth_text(value: object, precision: object, earliest: object, latest: object) -> str | None:
    """Return `DAY|yyyy-mm-dd|yyyy-mm-dd` or `SPAN|earliest|latest`; None when nothing is known."""
    if precision == "DAY" and not pd.isna(value):  # type: ignore[call-overload]
        return f"DAY|{value}|{value}"
    if precision == "NONE" or pd.isna(earliest) or pd.isna(latest):  # type: ignore[call-overload]
        return None
    return f"SPAN|{earliest}|{latest}"


def _either_order(value: str) -> tuple[str, ...]:
    if not value.startswith("DAY|"):
        return ()
    year, month, day = value[4:14].split("-")
    return (f"{year}-{min(month, day)}-{max(month, day)}",)


def _one_year(value: str) -> tuple[str, ...]:
    _, earliest, latest = value.split("|")
    return (earliest[:4],) if earliest[:4] == latest[:4] else ()


def _addresses(place: _Placer, frame: pd.DataFrame) -> dict[str, Feature]:
    """Return postcode, outward postcode, and place (UPRN, or postcode with building number).

    Pseudo postcodes, no fixed abode and confidential addresses are not places: they would join strangers.
    """
    at = place.positions(frame)
    located = frame["postcode_status"].isin(LOCATED) & frame["postcode"].notna()
    numbered = located & frame["building_number"].notna()
    number_place = (frame["postcode"].astype(str) + "#" + frame["building_number"].astype(str)).where(
        numbered
    )
    uprn_place = ("U" + frame["uprn"].astype(str)).where(frame["uprn"].notna() & located)
    places = pd.concat([number_place, uprn_place], ignore_index=True).astype(object)
    return {
        "postcode": make_feature(at, frame["postcode"].astype(object).where(located), place.size),
        "outward": make_feature(at, frame["outward"].astype(object).where(located), place.size),
        "place": make_feature(np.concatenate([at, at]), places, place.size),
    }


def _identifiers(
    place: _Placer, frame: pd.DataFrame, comparison: Comparison, verified: str
) -> dict[str, Feature]:
    """Return the identifiers of one comparison: firm, weak, those that can conflict, and verified ones."""
    kind = frame["identifier_type"].map(comparison.types)
    value = (kind.astype(object) + ":" + frame["value"].astype(object)).where(
        kind.notna() & frame["value"].notna()
    )
    firm = frame["status"].isin(EVIDENCE)
    weak = firm | frame["status"].isin(WEAK_EVIDENCE)
    current = frame["valid_to"].isna() & ~frame["identifier_type"].isin(comparison.former_types)
    is_verified = firm & current & (frame["verification"] == verified)
    at = place.positions(frame)
    shared = make_paired(
        {
            comparison.field: (at, value.where(firm)),
            f"{comparison.field}_weak": (at, value.where(weak)),
            f"{comparison.field}_current": (at, value.where(firm & current)),
            f"{comparison.field}_verified": (at, value.where(is_verified)),
        },
        place.size,
    )
    shared[f"{comparison.field}_kind"] = make_feature(at, kind.where(firm & current), place.size)
    shared[f"{comparison.field}_weak_kind"] = make_feature(at, kind.where(weak), place.size)
    return shared
