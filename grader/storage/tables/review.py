"""Tables of what humans decide, and of what counts in the end."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from grader.storage.tables.columns import UtcDateTime, metadata


def _submission(**options: Any) -> sa.Column[str]:
    return sa.Column(
        "submission_id", sa.String(32), sa.ForeignKey("submission.id"), nullable=False, **options
    )


# A human's mark on one item. The newest stands; NULL points take back what stood before.
override = sa.Table(
    "override",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _submission(index=True),
    sa.Column("item", sa.String(64), nullable=False),
    sa.Column("points", sa.Float),
    sa.Column("concepts", sa.Text, nullable=False),  # a JSON object: points by concept
    sa.Column("comment", sa.Text, nullable=False),  # for the student
    sa.Column("reason", sa.Text, nullable=False),  # for the record
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("follows", sa.Integer, nullable=False),  # the override that stood before; 0: none
    sa.Column("is_undo", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("submission_id", "item", "follows"),  # a chain: two reviewers cannot both be next
)

# Who looks at an answer now, so that nobody else is given it.
claim = sa.Table(
    "claim",
    metadata,
    _submission(primary_key=True),
    sa.Column("item", sa.String(64), primary_key=True),
    sa.Column("holder", sa.String(255), nullable=False, index=True),
    sa.Column("until", UtcDateTime, nullable=False),
)

comment = sa.Table(
    "comment",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("course", sa.String(255), nullable=False),
    sa.Column("assignment", sa.String(255), nullable=False),
    sa.Column("item", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("uses", sa.Integer, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("course", "assignment", "item", "text"),
)

regrade_request = sa.Table(
    "regrade_request",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _submission(index=True),
    sa.Column("item", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("answer", sa.Text),  # NULL: it waits
    sa.Column("actor", sa.String(255)),
    sa.Column("answered_at", UtcDateTime),
    # At most one waits for each item.
    sa.Index(
        "uq_regrade_request_open",
        "submission_id",
        "item",
        unique=True,
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    ),
)

# What a student's name is hidden behind is derived with this: without it nobody can try names out.
pseudonym_key = sa.Table(
    "pseudonym_key",
    metadata,
    sa.Column("course", sa.String(255), primary_key=True),
    sa.Column("assignment", sa.String(255), primary_key=True),
    sa.Column("secret", sa.String(64), nullable=False),
)

# What counts now, derived from grade, overrides and offering in the transaction that changes one of them:
# for queues, statistics and gradebooks over thousands of submissions.
standing = sa.Table(
    "standing",
    metadata,
    _submission(primary_key=True),
    sa.Column("course", sa.String(255), nullable=False),
    sa.Column("assignment", sa.String(255), nullable=False),
    sa.Column("user_id", sa.String(255), nullable=False),
    sa.Column("grade_id", sa.Integer, nullable=False),
    sa.Column("given", sa.Float, nullable=False),  # before what lateness costs
    sa.Column("final", sa.Float, nullable=False),
    sa.Column("expected", sa.Float, nullable=False),  # as `final`, with what is proposed for waiting items
    sa.Column("maximum", sa.Float, nullable=False),
    sa.Column("waiting", sa.Integer, nullable=False),  # items that need a human
    sa.Column("is_counted", sa.Boolean, nullable=False),  # of this student's attempts
    sa.Column("crashed", sa.Boolean, nullable=False),  # the run did not reach its end
    sa.Column("seconds", sa.Float, nullable=False),  # of the run
    sa.Column("text_sha256", sa.String(64), nullable=False),  # of its answers, to find copies
    sa.Column("code_sha256", sa.String(64), nullable=False),
    sa.Column("late_days", sa.Integer, nullable=False, default=0),  # begun after the student's due date
    # With all that a gradebook is sorted by: ten thousand lines are read from it alone.
    sa.Index(
        "ix_standing_of_student",
        "course",
        "assignment",
        "user_id",
        "is_counted",
        "waiting",
        "final",
        "given",
        "late_days",
        "submission_id",
        "maximum",
    ),
    sa.Index(None, "course", "assignment", "is_counted", "final"),
    sa.Index(None, "course", "assignment", "waiting"),
    sa.Index(None, "course", "assignment", "seconds"),
    sa.Index(None, "course", "assignment", "crashed", "seconds"),
    sa.Index(None, "course", "assignment", "text_sha256", "user_id", "submission_id"),
    sa.Index(None, "course", "assignment", "code_sha256", "user_id", "submission_id"),
)

mark = sa.Table(
    "mark",
    metadata,
    _submission(primary_key=True),
    sa.Column("item", sa.String(64), primary_key=True),
    sa.Column("course", sa.String(255), nullable=False),
    sa.Column("assignment", sa.String(255), nullable=False),
    sa.Column("points", sa.Float, nullable=False),
    sa.Column("max_points", sa.Float, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("proposed", sa.Float),  # points; NULL: nothing is proposed
    sa.Column("doubt", sa.Float, nullable=False),  # 0..1, the queue's order
    sa.Column("is_audited", sa.Boolean, nullable=False),  # drawn to be looked at although it was accepted
    sa.Column("words_sha256", sa.String(64), nullable=False),  # of the normalised answer; "": none
    sa.Column("choice", sa.String(16), nullable=False),  # the letter that was read; "": none
    sa.Column("in_queue", sa.Boolean, nullable=False),  # waits, is audited, or was asked about
    sa.Index("ix_mark_by_doubt", "course", "assignment", "in_queue", "doubt", "submission_id", "item"),
    sa.Index("ix_mark_by_item", "course", "assignment", "in_queue", "item", "words_sha256", "submission_id"),
    sa.Index(None, "course", "assignment", "item", "words_sha256"),
)

rubric_version = sa.Table(
    "rubric_version",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("assignment", sa.String(255), nullable=False, index=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("file_sha256", sa.String(64), nullable=False),  # of the file that it takes the place of
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
)

# What a human gave for a written answer, beside what had been predicted before that was known.
answer_mark = sa.Table(
    "answer_mark",
    metadata,
    sa.Column(
        "submission_id", sa.String(32), sa.ForeignKey("submission.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("item", sa.String(64), primary_key=True),
    sa.Column("course", sa.String(255), nullable=False),
    sa.Column("assignment", sa.String(255), nullable=False),
    sa.Column("override_id", sa.Integer, nullable=False),
    sa.Column("grade_id", sa.Integer, nullable=False),  # whose proposal it is
    sa.Column("question_sha256", sa.String(64), nullable=False),  # "": nothing was proposed
    sa.Column("given", sa.Float),  # a share of the points, as are the others; NULL: the human took it back
    sa.Column("proposed", sa.Float, nullable=False),
    sa.Column("doubt", sa.Float, nullable=False),
    sa.Column("features", sa.Text, nullable=False),  # a JSON object; "": the answer was not read
    sa.Column("predicted", sa.Float),  # the corrected share; NULL: not calibrated then
    sa.Column("confidence", sa.Float),
    sa.Column("was_accepted", sa.Boolean, nullable=False),  # before a human looked at it
    sa.Column("was_drawn", sa.Boolean, nullable=False),  # chance sent it to the audit
    sa.Index("ix_answer_mark_question", "course", "assignment", "item", "question_sha256", "override_id"),
)

# What reviewers' own marks taught about the proposals for one question. The newest stands.
answer_calibration = sa.Table(
    "answer_calibration",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("course", sa.String(255), nullable=False),
    sa.Column("assignment", sa.String(255), nullable=False),
    sa.Column("item", sa.String(64), nullable=False),
    sa.Column("question_sha256", sa.String(64), nullable=False),
    sa.Column("answers", sa.Integer, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Index(None, "course", "assignment", "item"),
)
