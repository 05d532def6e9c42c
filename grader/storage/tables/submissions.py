"""Tables of submissions, the work on them, and access."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from grader.storage.tables.columns import UtcDateTime, metadata


def _owner(**options: Any) -> sa.Column[str]:
    return sa.Column(
        "submission_id", sa.String(32), sa.ForeignKey("submission.id"), nullable=False, **options
    )


# What was uploaded, as it was uploaded.
submission = sa.Table(
    "submission",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("course", sa.String(255), nullable=False),
    sa.Column("assignment", sa.String(255), nullable=False),
    sa.Column("user_id", sa.String(255), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("notebook_sha256", sa.String(64), nullable=False),
    sa.Column("filename", sa.String(255), nullable=False),
    sa.Column("submitted_at", UtcDateTime, nullable=False),  # as the caller dates it
    sa.Column("accepted_at", UtcDateTime, nullable=False),  # by our own clock
    sa.UniqueConstraint("course", "assignment", "user_id", "attempt"),
    sa.Index(None, "assignment"),
    # Holds all that tables of submissions are sorted and filtered by, but for marks.
    sa.Index("ix_submission_by_time", "course", "assignment", "submitted_at", "id", "user_id", "attempt"),
)

# Where the work on it stands: the one row about a submission that changes.
work = sa.Table(
    "work",
    metadata,
    _owner(primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),  # "run", "measure"
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("failure", sa.Text, nullable=False),
    sa.Column("started_at", UtcDateTime),  # when a worker first took it up
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Index(None, "state"),
)

# Live progress, replaced by the evidence once there is some.
progress = sa.Table(
    "progress",
    metadata,
    _owner(primary_key=True),
    sa.Column("cell", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("output_bytes", sa.BigInteger, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
)

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _owner(index=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("seconds", sa.Text, nullable=False),
    sa.Column("measured_at", UtcDateTime, nullable=False),
)

# With each verdict stands what it takes to replay it.
grade = sa.Table(
    "grade",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _owner(),
    sa.Column("evidence_id", sa.Integer, sa.ForeignKey("evidence.id"), nullable=False),
    sa.Column("rubric_sha256", sa.String(64), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("given", sa.Float, nullable=False),
    sa.Column("maximum", sa.Float, nullable=False),
    sa.Column("needs_review", sa.Boolean, nullable=False),
    sa.Column("notebook_sha256", sa.String(64), nullable=False),
    sa.Column("dataset", sa.String(255), nullable=False),
    sa.Column("dataset_sha256", sa.String(64), nullable=False),
    sa.Column("versions", sa.Text, nullable=False),  # a JSON object
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("threads", sa.Integer, nullable=False),
    sa.Column("graded_at", UtcDateTime, nullable=False),
    sa.Column("follows", sa.Integer, nullable=False),  # the grade that stood before; 0: none
    sa.UniqueConstraint("submission_id", "follows"),  # grades of a submission are a chain: none forks
    # With what is asked of a whole class's grades: a row's documents are long.
    sa.Index(None, "submission_id", "graded_at"),
)

# By what the weights of measured models are known again.
weights = sa.Table(
    "weights",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _owner(index=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, index=True),
    sa.Column("parameters", sa.BigInteger, nullable=False, index=True),
    sa.Column("sketch", sa.Text, nullable=False),  # a JSON array
)

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),  # the secret's public beginning
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("secret_sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("scopes", sa.Text, nullable=False),  # a JSON array
    sa.Column("courses", sa.Text),  # a JSON array; NULL: every course
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("last_used_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("holder", sa.String(16), primary_key=True),  # the API key's id
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),  # of the whole request
    sa.Column("claim", sa.String(32), nullable=False),  # of whoever answers it now
    sa.Column("claimed_at", UtcDateTime, nullable=False),
    sa.Column("answer", sa.Text),  # NULL while the request runs
)

worker = sa.Table(
    "worker",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("process", sa.Integer, nullable=False),
    sa.Column("beat", sa.Float, nullable=False),  # seconds since the epoch, by the database's clock
)
