"""A student may hand the same file in again as a later attempt."""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SAME = ["course", "assignment", "user_id", "notebook_sha256"]
_KEYS = (["rowid"], ["id"], ["course", "assignment", "user_id", "attempt"])  # of which no row is replaced
_NAME = "uq_submission_course_assignment_user_id_notebook_sha256"
_COLUMNS = "id, course, assignment, user_id, attempt, notebook_sha256, filename, submitted_at, accepted_at"


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(_NAME, "submission", type_="unique")
        return
    _rebuild(_KEYS)


def downgrade() -> None:
    """Take back; refused by the database where a file was handed in again."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_unique_constraint(_NAME, "submission", _SAME)
        return
    _rebuild((*_KEYS, _SAME), f", CONSTRAINT {_NAME} UNIQUE ({', '.join(_SAME)})")


def _rebuild(keys: Sequence[Sequence[str]], more: str = "") -> None:
    """SQLite drops no constraint of a table that stands, so the rows move to a new one of the same name.

    Put back before the transaction ends, they are again what other tables refer to.
    """
    later = (
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'submission' AND type <> 'table' AND sql <> '' "
        "AND name <> 'submission_no_replace'"
    )
    indexes_and_triggers = op.get_bind().exec_driver_sql(later).scalars().all()
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM submission")
    op.execute("DROP TABLE submission")
    op.execute(
        "CREATE TABLE submission (id VARCHAR(32) NOT NULL, course VARCHAR(255) NOT NULL, "
        "assignment VARCHAR(255) NOT NULL, user_id VARCHAR(255) NOT NULL, attempt INTEGER NOT NULL, "
        "notebook_sha256 VARCHAR(64) NOT NULL, filename VARCHAR(255) NOT NULL, "
        "submitted_at DATETIME NOT NULL, accepted_at DATETIME NOT NULL, "
        "CONSTRAINT pk_submission PRIMARY KEY (id), "
        "CONSTRAINT uq_submission_course_assignment_user_id_attempt "
        f"UNIQUE (course, assignment, user_id, attempt){more})"
    )
    op.execute(f"INSERT INTO submission ({_COLUMNS}) SELECT {_COLUMNS} FROM kept")  # noqa: S608
    op.execute("DROP TABLE kept")
    for statement in indexes_and_triggers:
        op.execute(statement)
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM submission WHERE {' AND '.join(f'{one} = NEW.{one}' for one in key)})"  # noqa: S608
        for key in keys
    )
    op.execute(
        f"CREATE TRIGGER submission_no_replace BEFORE INSERT ON submission WHEN {taken} "
        "BEGIN SELECT RAISE(ABORT, 'submission is append-only'); END"
    )
