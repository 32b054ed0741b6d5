"""A purge through every store of a population that went the whole way: landing, archive, runs that go on, releases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.contents import contents, differences
from support.inbox_rows import add_row
from support.ingest_files import one, rows_of
from support.journey import FIRST, SECOND, Journey, ingest, link, publish
from support.purging import places_of
from typer.testing import CliRunner

from pipelines import cli, stages
from pipelines.errors import WarehouseError
from pipelines.identity.runs import read_link_run
from pipelines.ingest.archive import archived_path
from pipelines.keys import pseudonym
from pipelines.linking.scope import read_scope
from pipelines.linking.scores import link_anew
from pipelines.purge import archive, purge_for_good
from pipelines.settings import load_settings
from pipelines.synth.layouts import NOMINAL
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

POLICE = "police"
BY, REASON = "ann", "ticket 4711"


@dataclass(frozen=True)
class Somebody:
    """A police record among several of one person, who stands in both periods; and the published name."""

    record: str
    local_id: str
    person: str

    @property
    def published(self) -> str:
        return pseudonym(load_settings().key, "person", self.person)

    @property
    def name(self) -> str:
        return f"{POLICE}/{self.local_id}"


def find_somebody() -> Somebody:
    """A nominal of both periods that was involved in something, of a person with three records or more."""
    return Somebody(
        *rows_of("""
            SELECT r.record_id::text, p.source_person_id, m.person_id::text
            FROM identity.record r
            JOIN identity.membership m ON m.record_id = r.record_id AND m.valid_to_run IS NULL
            JOIN normalised.person_record p ON p.record_id = r.record_id
            WHERE r.agency = 'police' AND r.first_period < r.last_period
              AND EXISTS (SELECT FROM normalised.event e WHERE e.record_id = r.record_id)
              AND 3 <= (SELECT count(*) FROM identity.membership o
                        WHERE o.person_id = m.person_id AND o.valid_to_run IS NULL)
            GROUP BY 1, 2, 3, r.sequence ORDER BY r.sequence LIMIT 1
        """)[0]
    )


def landed(local_id: str) -> dict[str, int]:
    """By landing table of the police, how many rows carry this local id."""
    query = "SELECT count(*) FROM landing.police_{file} WHERE nominalref = :id"
    return {f: one(query.format(file=f), id=local_id) for f in ("nominal", "involvement")}


def police_files() -> list[tuple[Any, ...]]:
    """The extracts of the police: file, period, hash, whether it is archived by the register, and in fact."""
    rows = rows_of(
        "SELECT file, period, sha256, archive_path IS NOT NULL FROM audit.extract WHERE agency = 'police' ORDER BY 1, 2"
    )
    folder = load_settings().archive_dir
    return [(*row, archived_path(folder, row[2]).exists()) for row in rows]


@pytest.fixture
def somebody(journey: Journey, tmp_path: Path) -> Iterator[Somebody]:
    with journey.warehouse_at("the end", tmp_path):
        yield find_somebody()


def purge(who: Somebody) -> None:
    purge_for_good([who.record], BY, REASON)


class TestEveryStore:
    def test_holds_nothing_of_it_but_tombstones_and_everything_of_others(self, somebody: Somebody) -> None:
        rows_of(  # a text that could not be read as a row, and one of somebody else
            "INSERT INTO quarantine.row (extract_id, row_number, stage, file, reasons, raw)"
            " SELECT max(extract_id), 90000 + n, 'landing', 'nominal', '{RAGGED_ROW}', to_jsonb(raw) FROM audit.extract,"
            " unnest(CAST(:texts AS text[])) WITH ORDINALITY AS t (raw, n)"
            " WHERE agency = 'police' AND file = 'nominal' GROUP BY raw, n RETURNING 1",
            texts=[f'x, "{somebody.local_id}" ,PRIMARY', f"x,{somebody.local_id}0,PRIMARY"],
        )
        before = {table: sum(rows.values()) for table, rows in contents().items()}
        mine = landed(somebody.local_id)
        assert min(mine.values()) > 0

        removed = purge_for_good([somebody.record], BY, REASON)

        after = {table: sum(rows.values()) for table, rows in contents().items()}
        assert landed(somebody.local_id) == dict.fromkeys(mine, 0)
        assert removed.landed == sum(mine.values())
        landing = {table: before[table] - after[table] for table in before if table.startswith("landing")}
        assert {table: gone for table, gone in landing.items() if gone} == {
            f"landing.police_{file}": rows for file, rows in mine.items()
        }
        assert rows_of("SELECT raw IS NULL FROM quarantine.row WHERE row_number > 90000 ORDER BY 1") == [
            (False,),
            (True,),
        ]
        assert removed.quarantined == 1
        assert before['quarantine."row"'] == after['quarantine."row"']
        with transaction() as connection:
            words = [somebody.record, somebody.published]
            kept = places_of(
                connection, words, "normalised", "publication", "identity", "audit", "quarantine", "landing"
            )
        assert set(kept) <= {"identity.record", "identity.membership", "identity.change", "identity.purge"}
        assert removed.normalised == sum(before[t] - after[t] for t in before if t.startswith("normalised"))
        assert removed.published == 2, "of both releases"

    def test_archived_files_with_it_are_deleted_their_names_and_hashes_kept(self, somebody: Somebody) -> None:
        held = {
            (file, period)
            for file, period in rows_of(
                "SELECT DISTINCT e.file, e.period FROM audit.extract e JOIN"
                " (SELECT extract_id FROM landing.police_nominal WHERE nominalref = :id UNION"
                "  SELECT extract_id FROM landing.police_involvement WHERE nominalref = :id) l USING (extract_id)",
                id=somebody.local_id,
            )
        }
        before = police_files()
        others = one("SELECT count(*) FROM audit.extract WHERE agency <> 'police' AND archive_path IS NULL")
        inbox = sorted(path.name for path in (load_settings().inbox_dir / POLICE).iterdir())
        purge(somebody)
        for (file, period, sha256, *_), (*same, by_register, in_fact) in zip(
            before, police_files(), strict=True
        ):
            assert same == [file, period, sha256]
            assert by_register == in_fact == ((file, period) not in held)
        assert (
            one("SELECT count(*) FROM audit.extract WHERE agency <> 'police' AND archive_path IS NULL")
            == others
        )
        assert sorted(path.name for path in (load_settings().inbox_dir / POLICE).iterdir()) == inbox

    def test_a_delivery_whose_file_is_gone_cannot_be_driven_again_and_says_why(
        self, somebody: Somebody
    ) -> None:
        purge(somebody)
        before = contents(("landing", "normalised"))
        with pytest.raises(WarehouseError, match="police/nominal 2026-10 .* since it held a purged record"):
            stages.requeue_delivery(POLICE, SECOND)
        assert differences(contents(("landing", "normalised")), before) == {}
        assert stages.receive(POLICE, SECOND)["delivery_id"] is None, "the same files in the inbox are known"

    def test_killed_before_the_files_went_the_next_purge_deletes_them(
        self, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("pipelines.purge.run.delete_marked_files", lambda: 0)
            purge(somebody)
        assert any(in_fact and not by_register for *_, by_register, in_fact in police_files())
        once = contents()
        assert purge_for_good([somebody.record], BY, REASON).files > 0
        assert all(in_fact == by_register for *_, by_register, in_fact in police_files())
        assert differences(contents(), once) == {}
        assert archive.delete_marked_files() == 0


class TestTheNextRun:
    def test_goes_on_and_ends_where_a_full_run_would_and_names_the_record_nowhere(
        self, journey: Journey, somebody: Somebody
    ) -> None:
        purge(somebody)
        run_id = link(SECOND)
        (counts,) = rows_of("SELECT base_run, counts FROM linked.lineage WHERE run_id = :run", run=run_id)
        assert counts[0] == journey.results[f"run {SECOND}"]
        assert (counts[1]["purged"], counts[1]["vanished"], counts[1]["new"]) == (1, 0, 0)
        with transaction() as connection:
            assert places_of(connection, [somebody.record], "linked") == {}
            inputs = read_link_run(connection, run_id)
        anew = link_anew(
            read_scope(run_id, inputs.extract_ids).data, inputs.model_version
        ).relinked.held.table
        told = dict(zip(anew["record_id"].to_pylist(), anew["cluster_id"].to_pylist(), strict=True))
        kept = dict(
            rows_of("SELECT record_id::text, cluster_id::text FROM linked.cluster_of(:run)", run=run_id)
        )
        mates = {
            record
            for (record,) in rows_of(
                "SELECT record_id::text FROM identity.membership WHERE person_id = CAST(:p AS uuid)",
                p=somebody.person,
            )
        } - {somebody.record}
        assert {each: kept[each] for each in mates} == {each: told[each] for each in mates}
        differ = [record for record, cluster in kept.items() if told.get(record, record) != cluster]
        assert len(differ) <= 0.002 * len(told), "drift by the fracture threshold is small"
        causes = rows_of(
            "SELECT DISTINCT cause FROM identity.change WHERE run_id = :run AND record_id = CAST(:r AS uuid)",
            run=run_id,
            r=somebody.record,
        )
        assert causes == [("PURGE",)]
        assert link(SECOND) == run_id, "and only once"

    def test_is_published_without_the_record(self, somebody: Somebody) -> None:
        seen = "SELECT record_count FROM published.person WHERE person_pseudonym = :name"
        ((before,),) = rows_of(seen, name=somebody.published)
        purge(somebody)
        assert rows_of(seen, name=somebody.published) == []
        publish(link(SECOND))
        assert rows_of(seen, name=somebody.published) == [(before - 1,)]


class TestSentAgain:
    def test_in_a_correction_of_a_period_from_before_it_is_kept_out_and_counted(
        self, somebody: Somebody
    ) -> None:
        purge(somebody)
        add_row(NOMINAL, SECOND, NominalRef="N99001", NameType="PRIMARY", Surname="Quill", Forename1="Ida")
        ingest(POLICE, SECOND, checked=False)
        with transaction() as connection:
            assert places_of(connection, [somebody.record], "normalised") == {}
        reports = rows_of(
            "SELECT file, withheld, rows_in = rows_out + quarantined + duplicates + withheld FROM audit.stage_report"
            " WHERE stage = 'normalise' AND agency = 'police' AND run_id = (SELECT max(run_id) FROM audit.run"
            " WHERE kind = 'ingest') ORDER BY 1"
        )
        assert [balanced for *_, balanced in reports] == [True] * 3
        again = landed(somebody.local_id)["nominal"]
        assert {file: withheld for file, withheld, _ in reports} == {
            "involvement": 0,
            "nominal": again,
            "occurrence": 0,
        }
        assert again > 0
        assert purge_for_good([somebody.record], BY, REASON).landed == again, (
            "purged again, that copy goes too"
        )
        assert one("SELECT count(*) FROM identity.purge") == 2

    @pytest.mark.parametrize(("until", "withheld"), [(FIRST, False), (SECOND, True)])
    def test_in_a_later_period_it_comes_in_and_in_one_up_to_the_purge_it_does_not(
        self, journey: Journey, somebody: Somebody, until: str, withheld: bool
    ) -> None:
        rows_of(
            "INSERT INTO identity.purge (record_id, requested_by, reason, until_period)"
            " VALUES (CAST(:r AS uuid), 'ann', 'ticket', :until) RETURNING 1",
            r=somebody.record,
            until=until,
        )
        counts = stages.normalise_delivery(journey.results["delivery"])
        there = one(
            "SELECT count(*) FROM normalised.person_record p JOIN audit.extract e USING (extract_id)"
            " WHERE p.record_id = CAST(:r AS uuid) AND e.period = :second",
            r=somebody.record,
            second=SECOND,
        )
        assert (there == 0, counts["withheld"] > 0) == (withheld, withheld)


class TestTheCommand:
    def test_asks_then_tells_what_it_removed_by_store_and_no_value(self, somebody: Somebody) -> None:
        surname = one(
            "SELECT surname FROM landing.police_nominal WHERE nominalref = :id LIMIT 1", id=somebody.local_id
        )
        runner, words = CliRunner(), ["purge", somebody.name, "--reason", REASON]
        refused = runner.invoke(cli.app, words, input="n\n")
        assert refused.exit_code == 1 and landed(somebody.local_id)["nominal"] > 0
        done = runner.invoke(cli.app, [*words, "--yes"])
        assert done.exit_code == 0, done.output
        for told in ("landed rows deleted", "archived files deleted", "tombstones added", "kept releases"):
            assert told in done.output
        listed = runner.invoke(cli.app, ["purges"])
        assert somebody.record in listed.output and REASON not in listed.output
        assert surname not in done.output + listed.output
