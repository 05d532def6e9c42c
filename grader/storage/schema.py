"""All tables together, and which of them only grow."""

from __future__ import annotations

from grader.storage import class_tables as _class_tables  # noqa: F401  its tables join the others
from grader.storage import people_tables, review_tables, tables

metadata = tables.metadata
APPEND_ONLY = (
    tables.submission.name,
    tables.evidence.name,
    tables.grade.name,
    review_tables.override.name,
    review_tables.rubric_version.name,
    people_tables.audit.name,
    people_tables.erasure.name,
)
