"""An index gets a name that PostgreSQL takes; databases made since have it already."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_OLD = "ix_answer_mark_course_assignment_item_question_sha256_override_id"
_NEW = "ix_answer_mark_question"
_COLUMNS = ["course", "assignment", "item", "question_sha256", "override_id"]


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "sqlite":  # nowhere else was the old name ever taken
        op.execute(f"DROP INDEX IF EXISTS {_OLD}")
        op.create_index(_NEW, "answer_mark", _COLUMNS, if_not_exists=True)


def downgrade() -> None:
    """Take back: the release before finds it by its columns, whatever its name."""
