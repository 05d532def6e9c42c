"""Shapes that tell the items' most points, and indexes with what is asked of a whole class."""

from __future__ import annotations

from collections import defaultdict
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


# What a gradebook's lines are sorted by.
LINES = (
    "course",
    "assignment",
    "user_id",
    "is_counted",
    "waiting",
    "final",
    "given",
    "late_days",
    "submission_id",
)


def upgrade() -> None:
    """Apply."""
    _name_shapes("{item}={hundredths}")
    op.create_index("ix_grade_submission_id_graded_at", "grade", ["submission_id", "graded_at"])
    op.drop_index("ix_grade_submission_id", "grade")
    _index_lines(*LINES, "maximum")


def downgrade() -> None:
    """Take back."""
    _index_lines(*LINES)
    op.create_index("ix_grade_submission_id", "grade", ["submission_id"])
    op.drop_index("ix_grade_submission_id_graded_at", "grade")
    _name_shapes("{item}")


def _index_lines(*columns: str) -> None:
    op.drop_index("ix_standing_of_student", "standing")
    op.create_index("ix_standing_of_student", "standing", list(columns))


def _name_shapes(form: str) -> None:
    """Name the shapes of all attempts that count as this release does."""
    connection = op.get_bind()
    counted = sa.table("counted_attempt", sa.column("submission_id"), sa.column("shape"))
    mark = sa.table("mark", sa.column("submission_id"), sa.column("item"), sa.column("max_points"))
    items: dict[str, list[str]] = defaultdict(list)
    query = sa.select(mark.c.submission_id, mark.c.item, mark.c.max_points).where(
        mark.c.submission_id.in_(sa.select(counted.c.submission_id))
    )
    for submission_id, item, most in connection.execute(query):
        items[submission_id].append(form.format(item=item, hundredths=round(100 * most)))
    if items:
        connection.execute(
            sa.update(counted)
            .where(counted.c.submission_id == sa.bindparam("of"))
            .values(shape=sa.bindparam("named")),
            [
                {"of": of, "named": sha256("\n".join(sorted(some)).encode()).hexdigest()[:16]}
                for of, some in items.items()
            ],
        )
