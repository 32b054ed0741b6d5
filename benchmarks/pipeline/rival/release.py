"""The analysts' view, made with groupby and merge, and swapped in."""

from __future__ import annotations

import hmac
from itertools import combinations

import pandas as pd
from sqlalchemy import Connection, text

from benchmarks.pipeline.rival.copying import copy_in, copy_out
from benchmarks.pipeline.rival.deliveries import insert
from benchmarks.pipeline.rival.headlines import headlines
from benchmarks.pipeline.rival.ledger import read_people
from benchmarks.pipeline.rival.tables import PERIOD_END
from benchmarks.pipeline.task import PERIOD
from pipelines.settings import load_settings
from pipelines.warehouse.engine import transaction

SMALL = 5
SHARES_CATEGORY = ("childrens_services",)

_BIRTHS = "SELECT record_id, date_of_birth FROM normalised.person_date_of_birth WHERE precision = 'DAY'"
_RECORDS = "SELECT record_id, sex, ethnicity_5, ethnicity_basis FROM normalised.person_record"
_HOMES = (
    "SELECT record_id, outward, valid_from, valid_to FROM normalised.person_address"
    " WHERE address_type = 'HOME' AND outward IS NOT NULL"
)
_EVENTS = (
    "SELECT event_id, record_id, agency, event_type, event_date, event_end_date, category"
    " FROM normalised.event ORDER BY extract_id, row_number"
)


def build(link_run_id: int) -> int:
    """Return the release built from a linkage run, beside the live one."""
    with transaction() as connection:
        run_id = insert(
            connection,
            "INSERT INTO audit.run (kind, period) VALUES ('publish', :period) RETURNING run_id",
            period=PERIOD,
        )
        release_id = insert(
            connection,
            "INSERT INTO publication.release (run_id, link_run_id, as_of) VALUES (:run, :link_run, :as_of)"
            " RETURNING release_id",
            run=run_id,
            link_run=link_run_id,
            as_of=PERIOD_END.date(),
        )
        key = {"release_id": release_id, "as_of": PERIOD_END}
        members = _members(connection, link_run_id)
        events = _events(connection, members)
        people = _people(connection, members, events, link_run_id)
        copy_in(connection, "publication.person", people.assign(**key))
        copy_in(connection, "publication.person_event", _timeline(events).assign(**key))
        copy_in(connection, "publication.linked_person", headlines(members, events).assign(**key))
        copy_in(connection, "publication.agency_overlap", _overlap(people).assign(**key))
        copy_in(connection, "publication.data_currency", _currency(connection, members, events).assign(**key))
    return release_id


def swap_in(release_id: int) -> None:
    """Make a release the live one."""
    with transaction() as connection:
        connection.execute(text("UPDATE publication.release SET status = 'SUPERSEDED' WHERE status = 'LIVE'"))
        connection.execute(
            text(
                "UPDATE publication.release SET status = 'LIVE', approved_by = 'benchmark',"
                " approval_reason = 'measuring', published_at = now() WHERE release_id = :release"
            ),
            {"release": release_id},
        )
        connection.execute(
            text(
                "INSERT INTO publication.current_release (release_id) VALUES (:release)"
                " ON CONFLICT (is_only_row) DO UPDATE SET release_id = excluded.release_id"
            ),
            {"release": release_id},
        )


def _members(connection: Connection, run_id: int) -> pd.DataFrame:
    """Return everybody's records with a pseudonym for the person; whoever must not be found is left out."""
    members = read_people(connection, run_id)
    notices = copy_out(connection, "SELECT record_id, level FROM identity.protection_notice")
    sealed = notices.loc[notices["level"] == "SEALED", "record_id"]
    members = members[~members["person_id"].isin(members.loc[members["record_id"].isin(sealed), "person_id"])]
    names = {each: pseudonym("person", each) for each in members["person_id"].unique()}
    members = members.assign(person_pseudonym=members["person_id"].map(names))
    return members.assign(is_restricted=members["record_id"].isin(notices["record_id"]))


def pseudonym(kind: str, identity: str) -> str:
    """Return a keyed hash that nobody traces back without the key."""
    return hmac.digest(load_settings().key, f"{kind} {identity}".encode(), "sha256").hex()[:24]


def _events(connection: Connection, members: pd.DataFrame) -> pd.DataFrame:
    events = copy_out(connection, _EVENTS, dates=("event_date", "event_end_date"))
    events = events.merge(members[["record_id", "person_pseudonym"]], on="record_id")
    return events[events["event_date"] <= PERIOD_END].drop_duplicates("event_id", keep="last")


def _timeline(events: pd.DataFrame) -> pd.DataFrame:
    shown = ["person_pseudonym", "agency", "event_type", "event_date", "event_end_date", "category"]
    timeline = events[shown].assign(event_pseudonym=[pseudonym("event", each) for each in events["event_id"]])
    return timeline.assign(category=events["category"].where(events["agency"].isin(SHARES_CATEGORY)))


def _people(connection: Connection, members: pd.DataFrame, events: pd.DataFrame, run_id: int) -> pd.DataFrame:
    """Return one row per person, each value the one that most records give."""
    person = members[["record_id", "person_pseudonym"]]
    people = _agencies(members)
    births = copy_out(connection, _BIRTHS, dates=("date_of_birth",)).merge(person, on="record_id")
    born = _most(births, "date_of_birth").reindex(people.index)
    people["birth_month"] = born.dt.to_period("M").dt.start_time
    people["birth_year"] = born.dt.year.astype("Int64")
    records = copy_out(connection, _RECORDS).merge(person, on="record_id")
    people["sex"] = _most(records[records["sex"] != "U"], "sex").reindex(people.index).fillna("U")
    known = records[~records["ethnicity_5"].isin(["NOT_STATED", "NOT_KNOWN"])]
    stated = _most(known[known["ethnicity_basis"] == "SELF"], "ethnicity_5").reindex(people.index)
    people["ethnic_group"] = stated.fillna(_most(known, "ethnicity_5")).fillna("NOT_KNOWN")
    hidden = members.loc[members["is_restricted"], "person_pseudonym"].unique()
    homes = copy_out(connection, _HOMES, dates=("valid_from", "valid_to")).merge(person, on="record_id")
    people["outward_postcode"] = _latest(homes).reindex(people.index).mask(people.index.isin(hidden))
    seen = events.groupby("person_pseudonym")["event_date"].agg(["min", "max"]).reindex(people.index)
    people["first_seen"] = seen["min"].fillna(PERIOD_END.replace(day=1)).clip(upper=PERIOD_END.replace(day=1))
    people["last_seen"] = PERIOD_END
    return _with_links(connection, people, members, run_id).reset_index()


def _agencies(members: pd.DataFrame) -> pd.DataFrame:
    """Return which agencies know each person, how many they are, and how many records they hold."""
    held = members.groupby(["person_pseudonym", "agency"]).size().unstack(fill_value=0)
    names = pd.Series("", index=held.index)
    for agency in held.columns:  # in alphabetical order
        names = names + (held[agency] > 0).map({True: f"{agency},", False: ""})
    return pd.DataFrame(
        {
            "agencies": "{" + names.str.rstrip(",") + "}",
            "agency_count": (held > 0).sum(axis=1),
            "record_count": held.sum(axis=1),
        }
    )


def _with_links(
    connection: Connection, people: pd.DataFrame, members: pd.DataFrame, run_id: int
) -> pd.DataFrame:
    query = f"SELECT cluster_id, weakest_link_probability FROM linked.cluster_summary WHERE run_id = {int(run_id)}"  # noqa: S608
    weakest = copy_out(connection, query).set_index("cluster_id")["weakest_link_probability"]
    clusters = members.drop_duplicates("person_pseudonym").set_index("person_pseudonym")["cluster_id"]
    people["weakest_link_probability"] = clusters.map(weakest).reindex(people.index)
    people["is_contested"] = False
    return people


def _most(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return the value that most rows of a person give."""
    counted = frame.groupby(["person_pseudonym", column]).size().rename("votes").reset_index()
    counted = counted.sort_values(["votes", column], ascending=[False, True])
    return counted.drop_duplicates("person_pseudonym").set_index("person_pseudonym")[column]


def _latest(homes: pd.DataFrame) -> pd.Series:
    """Return the outward postcode of the latest home of each person."""
    begun = homes[~(homes["valid_from"] > PERIOD_END)]
    begun = begun.assign(is_over=begun["valid_to"] < PERIOD_END)
    begun = begun.sort_values(["is_over", "valid_from"], ascending=[True, False], na_position="last")
    return begun.drop_duplicates("person_pseudonym").set_index("person_pseudonym")["outward"]


def _overlap(people: pd.DataFrame) -> pd.DataFrame:
    """Return how many people each combination of agencies shares: rounded to 5, small counts withheld."""
    counts = people["agencies"].value_counts()
    agencies = sorted({name for each in counts.index for name in each.strip("{}").split(",")})
    chosen = [each for size in range(1, len(agencies) + 1) for each in combinations(agencies, size)]
    names = ["{" + ",".join(each) + "}" for each in chosen]
    counts = counts.reindex(names, fill_value=0)
    rounded = (5 * ((counts + 2) // 5)).astype("Int64").mask(counts < SMALL)
    return pd.DataFrame(
        {
            "agencies": names,
            "agency_count": [len(each) for each in chosen],
            "people": rounded.to_numpy(),
            "is_suppressed": rounded.isna().to_numpy(),
        }
    )


def _currency(connection: Connection, members: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    sent = copy_out(connection, "SELECT agency, period, accepted_at AS received_at FROM audit.delivery")
    happened = events.groupby("agency")["event_date"].agg(["size", "min", "max"]).reindex(sent["agency"])
    return sent.assign(
        is_carried_forward=False,
        records=sent["agency"].map(members.groupby("agency").size()).fillna(0).astype(int),
        events=happened["size"].fillna(0).astype(int).to_numpy(),
        earliest_event=happened["min"].to_numpy(),
        latest_event=happened["max"].to_numpy(),
    )
