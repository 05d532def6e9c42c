"""All tables together, and which of them only grow."""

from __future__ import annotations

from grader.storage.tables import columns, people, review, submissions
from grader.storage.tables import figures as _figures  # noqa: F401  its tables join the others

metadata = columns.metadata
APPEND_ONLY = (
    submissions.submission.name,
    submissions.evidence.name,
    submissions.grade.name,
    review.override.name,
    review.rubric_version.name,
    people.audit.name,
    people.erasure.name,
)
