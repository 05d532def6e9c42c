"""The shapes that the API promises; for its OpenAPI document and for tests that hold it to them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ItemShape(_Shape):
    """One line of the grade."""

    key: str
    title: str
    points: float
    maxPoints: float  # noqa: N815
    state: Literal["auto", "needs_review", "reviewed"]
    confidence: float | None  # null: not calibrated
    feedback: str
    evidence: dict[str, Any]
    released: bool  # whether the student sees this item's points now


class CellShape(_Shape):
    """One code cell, as far as it is known."""

    index: int
    state: Literal["ok", "error", "timeout", "not_run"]
    seconds: float
    outputBytes: int  # noqa: N815
    error: str | None = None


class SubmissionShape(_Shape):
    """A submission and how its work stands."""

    id: str
    courseId: str  # noqa: N815
    assignmentId: str  # noqa: N815
    userId: str  # noqa: N815
    attempt: int
    filename: str
    sha256: str
    submittedAt: str  # noqa: N815
    timestamp: str
    status: Literal["queued", "running", "graded", "failed"]
    activityProgress: Literal["Submitted", "Completed"]  # noqa: N815
    gradingProgress: Literal["Pending", "PendingManual", "FullyGraded", "Failed"]  # noqa: N815
    scoreGiven: float | None  # noqa: N815
    scoreMaximum: float | None  # noqa: N815
    released: bool  # whether the student sees all of it now
    comment: str
    tries: int
    failure: str | None
    items: list[ItemShape]
    cells: list[CellShape]
    seconds: dict[str, float]


class PictureShape(_Shape):
    """A picture of a graded submission and where it is."""

    name: str
    kind: Literal["reconstructions", "error_curve"]
    latentDim: int | None  # noqa: N815
    mediaType: Literal["image/png", "image/svg+xml"]  # noqa: N815
    href: str


class PicturesShape(_Shape):
    """All pictures of a submission: none before it is graded."""

    pictures: list[PictureShape]


class ResultShape(_Shape):
    """A student's attempt that counts."""

    id: str
    userId: str  # noqa: N815
    attempt: int
    submittedAt: str  # noqa: N815
    timestamp: str
    gradingProgress: Literal["PendingManual", "FullyGraded"]  # noqa: N815
    scoreGiven: float  # noqa: N815
    scoreBeforeLateness: float  # noqa: N815
    scoreMaximum: float  # noqa: N815
    daysLate: int  # noqa: N815
    waiting: int
    excused: bool
    released: bool  # whether the student sees all of it now


class ResultsShape(_Shape):
    """One page of results."""

    results: list[ResultShape]


class CourseShape(_Shape):
    """A course."""

    id: str
    title: str


class CountsShape(_Shape):
    """What a roster changed: how many people of each kind."""

    new: int
    changed: int
    unchanged: int
    removed: int


class FieldShape(_Shape):
    """What is wrong with one field."""

    field: str
    message: str
    line: int | None = None  # of a rubric's text


class ProblemShape(_Shape):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldShape] | None = None  # field by field
    reasons: dict[str, str] | None = None  # why the service is not ready


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of these statuses."""
    # With a model of its own FastAPI would promise application/json beside it; so it is inlined.
    schema = ProblemShape.model_json_schema()
    field = schema.pop("$defs")["FieldShape"]
    schema["properties"]["errors"]["anyOf"][0]["items"] = field
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }
