"""What humans decide, and what counts in the end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = (
    "standing",
    "regrade_request",
    "override",
    "mark",
    "claim",
    "rubric_version",
    "comment",
    "answer_calibration",
    "answer_mark",
    "pseudonym_key",
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "answer_calibration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course", sa.String(length=255), nullable=False),
        sa.Column("assignment", sa.String(length=255), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("question_sha256", sa.String(length=64), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_answer_calibration"),
    )
    op.create_index(
        "ix_answer_calibration_course_assignment_item",
        "answer_calibration",
        ["course", "assignment", "item"],
        unique=False,
    )
    op.create_table(
        "answer_mark",
        sa.Column("submission_id", sa.String(length=32), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("course", sa.String(length=255), nullable=False),
        sa.Column("assignment", sa.String(length=255), nullable=False),
        sa.Column("override_id", sa.Integer(), nullable=False),
        sa.Column("grade_id", sa.Integer(), nullable=False),
        sa.Column("question_sha256", sa.String(length=64), nullable=False),
        sa.Column("given", sa.Float(), nullable=True),
        sa.Column("proposed", sa.Float(), nullable=False),
        sa.Column("doubt", sa.Float(), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("predicted", sa.Float(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("was_accepted", sa.Boolean(), nullable=False),
        sa.Column("was_drawn", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_answer_mark_submission_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("submission_id", "item", name="pk_answer_mark"),
    )
    op.create_index(
        "ix_answer_mark_question",
        "answer_mark",
        ["course", "assignment", "item", "question_sha256", "override_id"],
        unique=False,
    )
    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course", sa.String(length=255), nullable=False),
        sa.Column("assignment", sa.String(length=255), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_comment"),
        sa.UniqueConstraint(
            "course", "assignment", "item", "text", name="uq_comment_course_assignment_item_text"
        ),
    )
    op.create_table(
        "rubric_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rubric_version"),
    )
    op.create_index("ix_rubric_version_assignment", "rubric_version", ["assignment"], unique=False)
    op.create_table(
        "claim",
        sa.Column("submission_id", sa.String(length=32), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name="fk_claim_submission_id"),
        sa.PrimaryKeyConstraint("submission_id", "item", name="pk_claim"),
    )
    op.create_index("ix_claim_holder", "claim", ["holder"], unique=False)
    op.create_table(
        "mark",
        sa.Column("submission_id", sa.String(length=32), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("course", sa.String(length=255), nullable=False),
        sa.Column("assignment", sa.String(length=255), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("max_points", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("proposed", sa.Float(), nullable=True),
        sa.Column("doubt", sa.Float(), nullable=False),
        sa.Column("is_audited", sa.Boolean(), nullable=False),
        sa.Column("words_sha256", sa.String(length=64), nullable=False),
        sa.Column("choice", sa.String(length=16), nullable=False),
        sa.Column("in_queue", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name="fk_mark_submission_id"),
        sa.PrimaryKeyConstraint("submission_id", "item", name="pk_mark"),
    )
    op.create_index(
        "ix_mark_course_assignment_item_words_sha256",
        "mark",
        ["course", "assignment", "item", "words_sha256"],
        unique=False,
    )
    op.create_index(
        "ix_mark_by_doubt",
        "mark",
        ["course", "assignment", "in_queue", "doubt", "submission_id", "item"],
        unique=False,
    )
    op.create_index(
        "ix_mark_by_item",
        "mark",
        ["course", "assignment", "in_queue", "item", "words_sha256", "submission_id"],
        unique=False,
    )
    op.create_table(
        "override",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.String(length=32), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("points", sa.Float(), nullable=True),
        sa.Column("concepts", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("follows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name="fk_override_submission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_override"),
        sa.UniqueConstraint(
            "submission_id", "item", "follows", name="uq_override_submission_id_item_follows"
        ),
    )
    op.create_index("ix_override_submission_id", "override", ["submission_id"], unique=False)
    op.create_table(
        "regrade_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.String(length=32), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("actor", sa.String(length=255), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_regrade_request_submission_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_regrade_request"),
    )
    op.create_index("ix_regrade_request_submission_id", "regrade_request", ["submission_id"], unique=False)
    op.create_index(
        "uq_regrade_request_open",
        "regrade_request",
        ["submission_id", "item"],
        unique=True,
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "pseudonym_key",
        sa.Column("course", sa.String(length=255), nullable=False),
        sa.Column("assignment", sa.String(length=255), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("course", "assignment", name="pk_pseudonym_key"),
    )
    op.create_table(
        "standing",
        sa.Column("submission_id", sa.String(length=32), nullable=False),
        sa.Column("course", sa.String(length=255), nullable=False),
        sa.Column("assignment", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("grade_id", sa.Integer(), nullable=False),
        sa.Column("given", sa.Float(), nullable=False),
        sa.Column("final", sa.Float(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("maximum", sa.Float(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("is_counted", sa.Boolean(), nullable=False),
        sa.Column("crashed", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("late_days", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name="fk_standing_submission_id"),
        sa.PrimaryKeyConstraint("submission_id", name="pk_standing"),
    )
    op.create_index(
        "ix_standing_course_assignment_is_counted_final",
        "standing",
        ["course", "assignment", "is_counted", "final"],
        unique=False,
    )
    op.create_index(
        "ix_standing_of_student",
        "standing",
        [
            "course",
            "assignment",
            "user_id",
            "is_counted",
            "waiting",
            "final",
            "given",
            "late_days",
            "submission_id",
        ],
        unique=False,
    )
    op.create_index(
        "ix_standing_course_assignment_waiting", "standing", ["course", "assignment", "waiting"], unique=False
    )


def downgrade() -> None:
    """Take back."""
    for table in TABLES:
        op.drop_table(table)
