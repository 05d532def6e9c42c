"""The shapes of the review's API, camelCase as the services' own values are named."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from grader.domain.opinion import OpinionState
from grader.domain.proposal import Hold
from grader.services.review import Decision, Outcome
from grader.web.bounds import Number

Points = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Held = Literal["you", "another", ""]


class _Shape(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, from_attributes=True, extra="forbid"
    )


class ListedShape(_Shape):
    """One answer in the queue."""

    submission_id: str
    item: str
    student: str  # a pseudonym, where the course hides names
    excerpt: str
    points: float
    max_points: float
    proposed: float | None
    doubt: float
    why: list[Literal["review", "audit", "request"]]
    same_words: int
    group: str
    held: Held
    cursor: str


class QueueShape(_Shape):
    """A page of the queue; `Link: rel="next"` names the next one."""

    entries: list[ListedShape]


class ConceptShape(_Shape):
    """One concept with what is proposed for it."""

    id: str
    name: str
    max_points: float
    statements: list[str]
    points: float | None
    rule: str | None
    matched: str
    span: tuple[int, int] | None


class OverrideShape(_Shape):
    """What a human decided. Points null: it was taken back."""

    id: int
    points: float | None
    concepts: dict[str, float]
    comment: str
    reason: str
    actor: str
    made_at: datetime
    follows: int


class RequestShape(_Shape):
    """A student's question about a mark."""

    id: int
    submission_id: str
    item: str
    text: str
    made_at: datetime
    answer: str | None
    actor: str | None
    answered_at: datetime | None


class NeighbourShape(_Shape):
    """An answer that says nearly the same."""

    submission_id: str
    student: str
    likeness: float
    text: str
    proposed: float | None
    held: Held


class OpinionShape(_Shape):
    """What a second source says of an answer."""

    source: str
    model: str
    state: OpinionState
    points: float | None
    dissents: bool
    note: str
    prompt_sha256: str


class AnswerShape(_Shape):
    """All that a reviewer sees of one answer."""

    submission_id: str
    item: str
    title: str
    student: str
    attempt: int
    prompt: str
    options: dict[str, str]
    text: str
    cells: list[int]
    found: str
    candidates: list[dict[str, Any]]
    figures: dict[str, Any]
    feedback: str
    points: float
    max_points: float
    state: Literal["auto", "needs_review", "reviewed"]
    proposed: float | None
    doubt: float
    gates: list[str]
    concepts: list[ConceptShape]
    suggested: float | None
    corrected: float | None
    confidence: float | None
    taught_by: int
    holds: list[Hold]
    opinions: list[OpinionShape]
    why: list[Literal["review", "audit", "request"]]
    held: Held
    may_change: bool
    follows: int
    history: list[OverrideShape]
    requests: list[RequestShape]
    neighbours: list[NeighbourShape]


class DecidedShape(_Shape):
    """What stands now; `follows` is what the next decision names."""

    submission_id: str
    item: str
    follows: int
    state: Literal["auto", "needs_review", "reviewed"]
    points: float
    max_points: float


class ClaimShape(_Shape):
    """Until when nobody else gets the answer."""

    submission_id: str
    item: str
    until: datetime


class RevealedShape(_Shape):
    """Who a student is."""

    user_id: str
    name: str
    email: str


class GroupedShape(_Shape):
    """What became of one neighbour."""

    submission_id: str
    outcome: Outcome


class CommentShape(_Shape):
    """A comment that is used again."""

    id: int
    text: str
    uses: int
    actor: str
    made_at: datetime


class NextForm(_Shape):
    """`after`: the cursor of an answer to pass over."""

    after: str | None = None


class AcceptForm(_Shape):
    """Accept what is proposed. `follows`: the newest override that was seen, 0 for none."""

    follows: Number = 0
    comment: str = ""
    reason: str = ""


class DecisionForm(AcceptForm):
    """Points, or points by concept."""

    points: Points | None = None
    concepts: dict[str, Points] = {}

    def read(self) -> Decision:
        """The decision."""
        return Decision(self.points, self.concepts, self.comment, self.reason)


class GroupForm(_Shape):
    """The neighbours that get the same decision."""

    submissions: list[Annotated[str, Field(pattern=r"^[!-~]{1,64}$")]]


class CommentForm(_Shape):
    """A new comment."""

    text: str


class AskForm(_Shape):
    """A question in a student's name."""

    user_id: str
    text: str


class ReplyForm(_Shape):
    """An answer, and a new mark where it changes."""

    answer: str
    decision: DecisionForm | None = None
