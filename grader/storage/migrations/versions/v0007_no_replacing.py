"""SQLite: no row of a table that only grows is replaced, either."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# With the keys by which INSERT OR REPLACE would take another row's place: it fires no DELETE trigger.
KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "submission": (
        ("id",),
        ("course", "assignment", "user_id", "notebook_sha256"),
        ("course", "assignment", "user_id", "attempt"),
    ),
    "evidence": (),
    "grade": (("submission_id", "follows"),),
    "override": (("submission_id", "item", "follows"),),
    "rubric_version": (),
    "audit": (),
    "erasure": (("submission_id",),),
}


def upgrade() -> None:
    """Apply. PostgreSQL replaces a row by updating it alone, which is refused already."""
    if op.get_bind().dialect.name == "postgresql":
        return
    for table, keys in KEYS.items():
        taken = " OR ".join(_taken(table, key) for key in (("rowid",), *keys))
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def downgrade() -> None:
    """Take back."""
    if op.get_bind().dialect.name != "postgresql":
        for table in KEYS:
            op.execute(f"DROP TRIGGER {table}_no_replace")


def _taken(table: str, key: tuple[str, ...]) -> str:
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    return f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608
