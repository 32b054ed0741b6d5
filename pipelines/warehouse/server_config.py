"""Configuration of the embedded server: quick bulk work, and nothing personal in its log."""

from __future__ import annotations

from collections.abc import Mapping

# An error message of PostgreSQL repeats the value that caused it, and its statement repeats literals. Errors
# belong to the session that made them; the server's own log starts at the level above.
QUIET_LOG: Mapping[str, str] = {
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}

BULK_WORK: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    # Parallel plans add floating-point numbers in changing order; two cores gain little from them.
    "max_parallel_workers_per_gather": "0",
}

LOCAL_ONLY: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "80",
    "timezone": "UTC",
    "unix_socket_permissions": "0700",
}

# For servers that are thrown away after the tests; a crash of the machine may lose data.
NOT_DURABLE: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

IDENT_MAP = "joinedup"
# Over the socket only, and only for the system user who owns the server.
HBA = f"local all all peer map={IDENT_MAP}\n"


def render_config(*groups: Mapping[str, str]) -> str:
    """Return the text of a configuration file with the settings of all groups; a later group wins."""
    merged: dict[str, str] = {}
    for group in groups:
        merged.update(group)
    return "".join(f"{name} = {_quoted(value)}\n" for name, value in merged.items())


def render_ident(system_users: tuple[str, ...]) -> str:
    """Return the text of `pg_ident.conf`: these system users may log in as any role of this server."""
    return "".join(f'{IDENT_MAP} "{user}" all\n' for user in system_users)


def _quoted(value: str) -> str:
    """Return a value as a string literal of a configuration file."""
    return "'" + value.replace("'", "''") + "'"
