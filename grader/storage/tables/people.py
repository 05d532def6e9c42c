"""Tables of people and courses: who takes part in what, and how a course gives an assignment."""

from __future__ import annotations

import sqlalchemy as sa

from grader.storage.tables.columns import UtcDateTime, metadata

person = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.String(255), primary_key=True),  # what submissions call user_id
    sa.Column("login", sa.String(255), nullable=False, unique=True),  # casefolded
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("email", sa.String(255), nullable=False),
    sa.Column("password", sa.String(255)),  # argon2; NULL: none was chosen yet
    sa.Column("is_admin", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("disabled_at", UtcDateTime),
)

course = sa.Table(
    "course",
    metadata,
    sa.Column("id", sa.String(255), primary_key=True),
    sa.Column("title", sa.String(255), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("retention_days", sa.Integer),  # after its last submission; NULL: kept
)


def _course() -> sa.Column[str]:
    return sa.Column("course", sa.String(255), sa.ForeignKey("course.id"), primary_key=True)


def _person() -> sa.Column[str]:
    return sa.Column("person_id", sa.String(255), sa.ForeignKey("person.id"), primary_key=True)


member = sa.Table(
    "member",
    metadata,
    _course(),
    _person(),
    sa.Column("role", sa.String(16), nullable=False),  # a `grader.domain.people.Role`
    sa.Column("joined_at", UtcDateTime, nullable=False),
    sa.Column("removed_at", UtcDateTime),
    sa.Index(None, "person_id"),
)

# Sections are many-to-many: those a student is in, those a teaching assistant looks after.
member_section = sa.Table(
    "member_section",
    metadata,
    _course(),
    _person(),
    sa.Column("section", sa.String(255), primary_key=True),
    sa.Index(None, "course", "section"),
)

# Tokens are kept as hashes: who reads the database cannot use them.
invitation = sa.Table(
    "invitation",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("person_id", sa.String(255), sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("created_by", sa.String(255), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("person_id", sa.String(255), sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("csrf", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

login_failure = sa.Table(
    "login_failure",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("login", sa.String(255), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index(None, "login", "at"),
    sa.Index(None, "address", "at"),
)

# How a course gives an assignment. Without a row `grader.domain.offering.Offering` has the defaults.
offering = sa.Table(
    "offering",
    metadata,
    sa.Column("course", sa.String(255), primary_key=True),
    sa.Column("assignment", sa.String(255), primary_key=True),
    sa.Column("document", sa.Text, nullable=False),  # the `Offering`
    sa.Column("changed_at", UtcDateTime, nullable=False),
)

# An extension or an excuse. The newest of a student stands.
accommodation = sa.Table(
    "accommodation",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("course", sa.String(255), nullable=False),
    sa.Column("assignment", sa.String(255), nullable=False),
    sa.Column("user_id", sa.String(255), nullable=False),
    sa.Column("due_at", UtcDateTime),  # NULL: as for everybody
    sa.Column("is_excused", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Index(None, "course", "assignment", "user_id"),
)

# A notebook that was looked through and not yet handed in. Its bytes are a blob.
draft = sa.Table(
    "draft",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("course", sa.String(255), nullable=False),
    sa.Column("assignment", sa.String(255), nullable=False),
    sa.Column("user_id", sa.String(255), nullable=False),
    sa.Column("notebook_sha256", sa.String(64), nullable=False),
    sa.Column("filename", sa.String(255), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("course", "assignment", "user_id", "notebook_sha256"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),  # a person, "key:<id>", "grader"
    sa.Column("course", sa.String(255), nullable=False),  # "": the service's own
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(255), nullable=False),
    sa.Column("details", sa.Text, nullable=False),  # a JSON object
    sa.Index(None, "course", "id"),
    sa.Index(None, "subject"),
)

# Submissions of which everything may be deleted: the one way past the append-only triggers.
erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("submission_id", sa.String(32), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
