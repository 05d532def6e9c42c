"""Marks of measured weights, so that another submission's are known again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "weights",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("parameters", sa.BigInteger(), nullable=False),
        sa.Column("sketch", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name="fk_weights_submission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_weights"),
    )
    for column in ("submission_id", "fingerprint", "parameters"):
        op.create_index(f"ix_weights_{column}", "weights", [column])


def downgrade() -> None:
    """Take back."""
    op.drop_table("weights")
