"""A person's session in the warehouse, as one of the reading roles and nothing more.

The session logs in as a member of the role. Logging in as the pipeline and switching down would not do:
`RESET ROLE` switches back up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from pipelines.errors import WarehouseError
from pipelines.settings import load_settings
from pipelines.warehouse.engine import DRIVER, is_embedded, warehouse_url
from pipelines.warehouse.roles import PEOPLE, session_login
from pipelines.warehouse.server_files import wheel_programs

SHORT_NAMES = {role.removeprefix("joinedup_"): role for role in PEOPLE}
PROMPT = "joinedup=> "
MOST_ROWS_SHOWN = 200


def session_url(role: str) -> URL:
    """Return the address with which a person logs in as a role: analyst, auditor or engineer.

    On the embedded server this is the role's own login. Elsewhere it is JOINEDUP_SESSION_URL, a person's own.

    Raises:
        WarehouseError: there is no such role, or JOINEDUP_SESSION_URL is not set where it is needed.
    """
    if role not in SHORT_NAMES:
        raise WarehouseError(f"there is no role {role}: expected one of {', '.join(SHORT_NAMES)}")
    url = warehouse_url()
    if is_embedded(url):
        return url.set(username=session_login(SHORT_NAMES[role]))
    own = os.environ.get("JOINEDUP_SESSION_URL")
    if not own:
        raise WarehouseError(
            f"set JOINEDUP_SESSION_URL to your own login, a member of {SHORT_NAMES[role]}: "
            "the pipeline's login sees everything and is not for people"
        )
    return make_url(own).set(drivername=DRIVER)


def psql_command(role: str, statements: Sequence[str] = ()) -> list[str] | None:
    """Return the psql command that opens a session or runs some statements; None where there is no psql."""
    program = _psql()
    if program is None:
        return None
    address = session_url(role)
    # The password, if any, would show in the list of processes: psql asks for it, or finds it in ~/.pgpass.
    shown = URL.create(
        "postgresql", address.username, None, address.host, address.port, address.database, address.query
    )
    command = [program, "--no-psqlrc", "--set=ON_ERROR_STOP=1", shown.render_as_string(hide_password=False)]
    return command + [f"--command={statement}" for statement in statements]


def _psql() -> str | None:
    """Return psql: the embedded server's own, or one on the path."""
    if load_settings().warehouse_url is None or is_embedded(warehouse_url()):
        return str(wheel_programs() / "psql")
    return shutil.which("psql")


def run_session(role: str, statements: Sequence[str] = ()) -> int:
    """Return the exit code of a session as a role: some statements up to one that fails, or interactive."""
    command = psql_command(role, statements)
    if command is not None:
        environment = {**os.environ, "PGOPTIONS": "-c search_path=published"}
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - psql, as asked
    return run_plain_session(role, statements)


def run_plain_session(role: str, statements: Sequence[str] = (), ask: Callable[[str], str] = input) -> int:
    """Return the exit code of a session without psql: one statement a line, results as tables."""
    made = create_engine(session_url(role), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with made.connect() as connection:
            connection.exec_driver_sql("SET search_path = published")
            if not statements:
                return _talk(connection, ask)
            return next((1 for statement in statements if _show(connection, statement)), 0)
    except OperationalError:
        raise WarehouseError(
            "the session could not be opened; is the warehouse running and prepared?"
        ) from None


def _talk(connection: Connection, ask: Callable[[str], str]) -> int:
    """Return 0 when the person leaves."""
    while True:
        try:
            line = ask(PROMPT).strip().rstrip(";")
        except (EOFError, KeyboardInterrupt):
            return 0
        if line in {"\\q", "quit", "exit"}:
            return 0
        if line:
            _show(connection, line)


def _show(connection: Connection, statement: str) -> int:
    """Return 0 after showing the result of a statement, 1 after showing why it failed."""
    try:
        result = connection.exec_driver_sql(statement.replace("%", "%%"))
    except DBAPIError as error:
        # This goes to the person whose session it is, and to nobody's log.
        sys.stderr.write(f"{error.orig}\n")
        return 1
    if result.returns_rows:
        rows = result.fetchmany(MOST_ROWS_SHOWN + 1)
        shown = [["" if value is None else str(value) for value in row] for row in rows[:MOST_ROWS_SHOWN]]
        sys.stdout.write(_as_columns([list(result.keys()), *shown]))
        if len(rows) > MOST_ROWS_SHOWN:
            sys.stdout.write(f"... the first {MOST_ROWS_SHOWN} rows\n")
    return 0


def _as_columns(rows: list[list[str]]) -> str:
    """Return the rows as lines with aligned columns, the first as a heading."""
    widths = [max(len(row[position]) for row in rows) for position in range(len(rows[0]))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    return "".join(f"{line.rstrip()}\n" for line in lines)
