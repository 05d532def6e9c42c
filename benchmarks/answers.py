"""How long a proposal takes, and what marks make of it: `python benchmarks/answers.py`. It only prints."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from grader.assignments import load_assignment
from grader.checks.answers.calibration import fit
from grader.checks.answers.propose import propose
from grader.domain.answer_calibration import MarkedProposal
from grader.services.proposals.agreement import Compared, compare_marked, measure_agreement
from grader.services.proposals.marked_answers import read_marked

REPOSITORY = Path(__file__).parents[1]
ROUNDS = 5


def measure() -> None:
    """Print milliseconds of CPU for each answer, by set and for the longest one."""
    rubric = load_assignment(REPOSITORY, "homework_05").rubric
    items = {name: item for item in rubric.items if item.concepts for name in (item.part, item.key)}
    for path in sorted((REPOSITORY / "tests" / "data").glob("answers_*.json")):
        answers = json.loads(path.read_text("utf-8"))["answers"]
        spent = []
        for answer in answers * ROUNDS:
            item = items[answer["question"]]
            began = time.process_time()
            propose(answer["answer"], item, rubric.part(item.part))
            spent.append(1000 * (time.process_time() - began))
        spent.sort()
        print(
            f"{path.stem}: {len(answers)} answers, {sum(spent) / len(spent):.1f} ms of CPU each, "
            f"median {spent[len(spent) // 2]:.1f}, longest {spent[-1]:.1f}"
        )


def measure_calibration() -> None:
    """Print what the marks of the other four fifths make of proposals, by set and for all as one class."""
    assignment = load_assignment(REPOSITORY, "homework_05")
    sets = {
        path.stem: read_marked(path, assignment.rubric)
        for path in sorted((REPOSITORY / "tests" / "data").glob("answers_*.json"))
    }
    for name, marked in [*sets.items(), ("all", [entry for found in sets.values() for entry in found])]:
        print(
            f"{name}: RMSE {_tell(compare_marked(assignment, marked))}; "
            f"calibrated {_tell(compare_marked(assignment, marked, calibrated=True))}"
        )


def _tell(compared: Sequence[Compared]) -> str:
    found = measure_agreement(compared)
    of_four = 4 / found.max_points
    worst = f"worst {found.accepted_worst * of_four:g}"
    return f"{found.rmse * of_four:.2f} of 4, {found.accepted} of {found.answers} accepted, {worst}"


def measure_learning() -> None:
    """Print milliseconds of CPU for one fit, as after every decision of a reviewer."""
    for count in (5, 50, 500):
        marks = [
            MarkedProposal(at % 5 / 4, at % 7 / 6, at % 9 / 8, {"c.stated": at % 11 / 10})
            for at in range(count)
        ]
        began = time.process_time()
        for _ in range(ROUNDS):
            fit("question", marks)
        print(f"fit from {count} marks: {1000 * (time.process_time() - began) / ROUNDS:.1f} ms of CPU")


if __name__ == "__main__":
    measure()
    measure_calibration()
    measure_learning()
