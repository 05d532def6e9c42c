"""What a class's figures are reckoned from, and what submissions have in common."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# By which lists of a whole class find their few rows.
INDEXES = {
    f"ix_standing_course_assignment_{'_'.join(columns)}": columns
    for columns in (
        ("seconds",),
        ("crashed", "seconds"),
        ("text_sha256", "user_id", "submission_id"),
        ("code_sha256", "user_id", "submission_id"),
    )
}
BY_TIME = ["course", "assignment", "submitted_at", "id", "user_id", "attempt"]
NUMBERS = ("final", "expected", "maximum", "waiting")
TABLES = ("resemblance", "fingerprint", "measured", "counted_attempt")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "counted_attempt",
        *_names("course", "assignment", "user_id"),
        _submission(),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in NUMBERS),
        sa.Column("shape", sa.String(length=16), nullable=False),
        sa.Column("points", sa.LargeBinary(), nullable=False),
        sa.Column("choices", sa.String(length=1000), nullable=False),
        sa.Column("images", sa.String(length=64), nullable=False),
        sa.Column("sizes", sa.String(length=255), nullable=False),
        sa.Column("explained", sa.LargeBinary(), nullable=False),
        _reference("counted_attempt", "submission_id"),
        sa.PrimaryKeyConstraint("course", "assignment", "user_id", name="pk_counted_attempt"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_counted_attempt_submission_id", "counted_attempt", ["submission_id"])
    op.create_table(
        "measured",
        _submission(),
        sa.Column("latent_dim", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dataset_sha256", sa.String(length=64), nullable=False),
        sa.Column("explained_variance", sa.Float(), nullable=False),
        _reference("measured", "submission_id"),
        sa.PrimaryKeyConstraint("submission_id", "latent_dim", name="pk_measured"),
    )
    op.create_table(
        "fingerprint",
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        _submission(),
        *_names("user_id"),
        sa.Column("kind", sa.String(length=8), nullable=False),
        _reference("fingerprint", "submission_id"),
        sa.PrimaryKeyConstraint("hash", "submission_id", name="pk_fingerprint"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_fingerprint_submission_id", "fingerprint", ["submission_id"])
    op.create_table(
        "resemblance",
        _submission(),
        _submission("other_id"),
        sa.Column("kind", sa.String(length=8), nullable=False),
        *_names("course", "assignment"),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        _reference("resemblance", "submission_id"),
        _reference("resemblance", "other_id"),
        sa.PrimaryKeyConstraint("submission_id", "other_id", "kind", name="pk_resemblance"),
    )
    op.create_index(
        "ix_resemblance_course_assignment_share", "resemblance", ["course", "assignment", "share"]
    )
    op.create_index("ix_resemblance_other_id", "resemblance", ["other_id"])
    op.create_index("ix_submission_by_time", "submission", BY_TIME)
    for name, columns in INDEXES.items():
        op.create_index(name, "standing", ["course", "assignment", *columns])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_submission_by_time", "submission")
    for name in INDEXES:
        op.drop_index(name, "standing")
    for table in TABLES:
        op.drop_table(table)


def _names(*columns: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(length=255), nullable=False) for name in columns]


def _submission(name: str = "submission_id") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=32), nullable=False)


def _reference(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["submission.id"], name=f"fk_{table}_{column}")
