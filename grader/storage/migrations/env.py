"""Alembic calls this file; `grader.storage.migrations.upgrade` hands it the connection."""

from __future__ import annotations

from typing import Any

from alembic import context

from grader.storage.tables.schema import metadata


def _ours(_object: Any, _name: str | None, _kind: str, reflected: bool, compared_to: Any) -> bool:
    """Leave the job engine's tables alone: in SQLite they stand beside ours."""
    return not (_kind == "table" and reflected and compared_to is None)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=_ours,
    compare_type=True,
    render_as_batch=True,
    version_table="schema_version",
    transactional_ddl=True,
)
context.run_migrations()
