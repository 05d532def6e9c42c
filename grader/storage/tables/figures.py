"""Tables from which the figures of a whole class are reckoned. All derived; may be rebuilt."""

from __future__ import annotations

import sqlalchemy as sa

from grader.storage.tables.columns import metadata

# The attempt that counts, one narrow row for each student: ten thousand are read at a sitting.
counted_attempt = sa.Table(
    "counted_attempt",
    metadata,
    sa.Column("course", sa.String(255), primary_key=True),
    sa.Column("assignment", sa.String(255), primary_key=True),
    sa.Column("user_id", sa.String(255), primary_key=True),
    sa.Column("submission_id", sa.String(32), sa.ForeignKey("submission.id"), nullable=False, index=True),
    sa.Column("final", sa.Integer, nullable=False),  # hundredths of points, as all points here
    sa.Column("expected", sa.Integer, nullable=False),  # before lateness, with what is proposed
    sa.Column("maximum", sa.Integer, nullable=False),
    sa.Column("waiting", sa.Integer, nullable=False),  # items that need a human
    sa.Column(
        "shape", sa.String(16), nullable=False
    ),  # equal: the same items with the same maximum in `points`
    sa.Column("points", sa.LargeBinary, nullable=False),  # int32 for each item, by key; -1: it waits
    sa.Column("choices", sa.String(1000), nullable=False),  # "q3=A q6=B", by item; those that were read
    sa.Column("images", sa.String(64), nullable=False),  # sha256 of the held-out ones; "": none measured
    sa.Column("sizes", sa.String(255), nullable=False),  # latent sizes: "2 8 32 128"
    sa.Column("explained", sa.LargeBinary, nullable=False),  # float64 for each of them: explained variance
    sqlite_with_rowid=False,
)

# What the best model of each latent size explains of the variance of held-out images.
measured = sa.Table(
    "measured",
    metadata,
    sa.Column("submission_id", sa.String(32), sa.ForeignKey("submission.id"), primary_key=True),
    sa.Column("latent_dim", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("dataset_sha256", sa.String(64), nullable=False),  # of these images
    sa.Column("explained_variance", sa.Float, nullable=False),
)

# Passages of code and of answers, as hashes that hold course, assignment and kind; see
# `grader.services.resemblance`.
fingerprint = sa.Table(
    "fingerprint",
    metadata,
    sa.Column("hash", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("submission_id", sa.String(32), sa.ForeignKey("submission.id"), primary_key=True),
    sa.Column("user_id", sa.String(255), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Index(None, "submission_id"),
    sqlite_with_rowid=False,
)

# Two students' submissions that have much in common which is rare in the class. A reason to look, no verdict.
resemblance = sa.Table(
    "resemblance",
    metadata,
    sa.Column("submission_id", sa.String(32), sa.ForeignKey("submission.id"), primary_key=True),
    sa.Column("other_id", sa.String(32), sa.ForeignKey("submission.id"), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),  # "text", "code", "weights"
    sa.Column("course", sa.String(255), nullable=False),
    sa.Column("assignment", sa.String(255), nullable=False),
    sa.Column("share", sa.Float, nullable=False),  # 0..1, of what is rare in both; weights: cosine
    sa.Column("passages", sa.Integer, nullable=False),  # shared ones that were found; weights: 0
    sa.Index(None, "course", "assignment", "share"),
    sa.Index(None, "other_id"),
)
