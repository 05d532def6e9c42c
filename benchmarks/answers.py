"""How long a proposal takes: `python benchmarks/answers.py`. It prints; nothing is asserted."""

from __future__ import annotations

import json
import time
from pathlib import Path

from grader.assignments import load_assignment
from grader.checks.answers.propose import propose

REPOSITORY = Path(__file__).parents[1]
ROUNDS = 5


def measure() -> None:
    """Print milliseconds of CPU for each answer, by set and for the longest one."""
    rubric = load_assignment(REPOSITORY, "homework_05").rubric
    items = {item.part: item for item in rubric.items if item.concepts}
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


if __name__ == "__main__":
    measure()
