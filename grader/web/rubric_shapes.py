"""The shapes of the API for rubrics and regrades, camelCase as the services' own values are named."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

_MOST_CHARACTERS = 1_000_000


class _Shape(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, from_attributes=True, extra="forbid"
    )


class ProposalShape(_Shape):
    """A rubric's whole text; without one: the rubric that holds."""

    rubric: str | None = Field(default=None, max_length=_MOST_CHARACTERS)


class PublishShape(ProposalShape):
    """What is to be published. ``token`` is of its preview."""

    token: str = Field(max_length=100)
    note: str = Field(default="", max_length=2_000)


class DifferencesShape(_Shape):
    """How points differ. ``steps``: above, up to, how many."""

    rises: int
    falls: int
    same: int
    total: float
    least: float
    most: float
    steps: list[tuple[float | None, float | None, int]]


class ItemChangeShape(_Shape):
    """What becomes of one item."""

    key: str
    max_points: float
    differences: DifferencesShape
    waits_newly: int
    waits_no_longer: int
    decided: int


class ChangeShape(_Shape):
    """What becomes of one submission: points after overrides and lateness."""

    submission_id: str
    user: str
    course: str
    before: float
    after: float
    difference: float
    maximum_before: float
    maximum_after: float
    waiting_before: int
    waiting_after: int
    is_counted: bool


class PreviewShape(_Shape):
    """What a regrade would do; publish it with its token."""

    assignment: str
    rubric_sha256: str
    token: str
    judged: int
    untouched: int
    differences: DifferencesShape
    items: list[ItemChangeShape]
    changes: list[ChangeShape]
    changed: int
    decided: int
    failed: list[tuple[str, str]]
    warnings: list[str]


class RegradedShape(_Shape):
    """What a regrade did: how many, and whom it failed for."""

    changed: int
    confirmed: int
    untouched: int
    failed: list[tuple[str, str]]
