"""The judged answers in `tests/data`, and what the scorer proposes for them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from grader.assignments import Assignment, load_assignment
from grader.checks.answers.propose import propose
from grader.domain.answer_calibration import MarkedProposal
from grader.domain.proposal import UNREAD, Proposal
from grader.domain.rubric import Item
from grader.services.proposals.agreement import Compared, compare_marked
from grader.services.proposals.marked_answers import Marked, read_marked

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY / "tests" / "data"
SETS = ["answers_dev", "answers_dev_more", "answers_held_out", "answers_fresh"]
UNTUNED = ["answers_second", "answers_sealed"]


@cache
def homework() -> Assignment:
    """The assignment that the answers belong to."""
    return load_assignment(REPOSITORY, "homework_05")


def written_items() -> list[Item]:
    """All items that are answered in writing."""
    return [item for item in homework().rubric.items if item.concepts]


def proposed(key: str, text: str) -> Proposal:
    """The proposal for a text as the answer to an item."""
    item = next(item for item in written_items() if item.key == key)
    return propose(text, item, homework().rubric.part(item.part))


@cache
def compared(name: str) -> list[Compared]:
    """A set's answers with the points of both sides."""
    return compare_marked(homework(), marked(name))


@cache
def calibrated(*names: str) -> list[Compared]:
    """The same where the marks of the other four fifths are known; several sets together are one class."""
    together = [entry for name in names for entry in marked(name)]
    return compare_marked(homework(), together, calibrated=True)


@cache
def marked(name: str) -> list[Marked]:
    """A set's answers with their marks."""
    return read_marked(DATA / f"{name}.json", homework().rubric)


def marked_proposals(*names: str) -> list[MarkedProposal]:
    """Marks and proposals of all answers that were read, to whatever question."""
    found = []
    for entry in (entry for name in names for entry in marked(name)):
        proposal = proposed(entry.item.key, entry.text)
        if UNREAD.isdisjoint(proposal.gates):
            shares = (points / entry.item.points for points in (entry.points, proposal.points))
            found.append(MarkedProposal(*shares, proposal.doubt, proposal.features))
    return found
