"""More tables only grow, and one way to delete: what an erasure names."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# With the column that an erasure names.
ERASABLE = {
    "submission": "id",
    "evidence": "submission_id",
    "grade": "submission_id",
    "override": "submission_id",
}
KEPT = ("rubric_version", "audit", "erasure")
_NEW = ("override", *KEPT)


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
        return
    for table in ("submission", "evidence", "grade"):
        op.execute(f"DROP TRIGGER {table}_no_delete")
    for table in _NEW:
        _refuse(table, "UPDATE")
    for table in KEPT:
        _refuse(table, "DELETE")
    for table, column in ERASABLE.items():
        erased = f"EXISTS (SELECT 1 FROM erasure WHERE submission_id = OLD.{column})"  # noqa: S608
        _refuse(table, "DELETE", f"WHEN NOT {erased} ")


def downgrade() -> None:
    """Take back."""
    if op.get_bind().dialect.name == "postgresql":
        for table in (*ERASABLE, *KEPT):
            op.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
            op.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete ON {table}")
        op.execute("DROP FUNCTION refuse_deletion()")
        for table in ("submission", "evidence", "grade"):
            _append_only(table, "UPDATE OR DELETE OR TRUNCATE")
        return
    for table in (*ERASABLE, *KEPT):
        for change in ("update", "delete"):
            op.execute(f"DROP TRIGGER IF EXISTS {table}_no_{change}")
    for table in ("submission", "evidence", "grade"):
        _refuse(table, "UPDATE")
        _refuse(table, "DELETE")


def _refuse(table: str, change: str, condition: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_deletion() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF NOT EXISTS (SELECT 1 FROM erasure WHERE submission_id = to_jsonb(OLD) ->> TG_ARGV[0]) THEN "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN OLD; END $$"
    )
    for table in ("submission", "evidence", "grade"):
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    for table, column in ERASABLE.items():
        _append_only(table, "UPDATE OR TRUNCATE")
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_deletion('{column}')"
        )
    for table in KEPT:
        _append_only(table, "UPDATE OR DELETE OR TRUNCATE")


def _append_only(table: str, changes: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE {changes} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
