"""Shapes that tell the items' most points, and an index by which a class's last changes are found."""

from __future__ import annotations

from collections import defaultdict
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _name_shapes("{item}={hundredths}")
    op.create_index("ix_grade_submission_id_graded_at", "grade", ["submission_id", "graded_at"])
    op.drop_index("ix_grade_submission_id", "grade")


def downgrade() -> None:
    """Take back."""
    op.create_index("ix_grade_submission_id", "grade", ["submission_id"])
    op.drop_index("ix_grade_submission_id_graded_at", "grade")
    _name_shapes("{item}")


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
