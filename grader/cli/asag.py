"""`grader asag evaluate`: proposals for written answers against the marks that humans gave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from grader.assignments import Assignment, load_assignment
from grader.cli import render
from grader.cli.compose import read_assignments
from grader.cli.settings import Settings
from grader.errors import RequestRefused
from grader.services.proposals.agreement import agreement_document, compare_marked
from grader.services.proposals.marked_answers import read_marked

_COLUMNS = (
    "question",
    "answers",
    "RMSE",
    "r",
    "QWK",
    "false credit",
    "not read",
    "accepted alone",
    "of these far off",
    "worst",
)


def evaluate_file(
    settings: Settings, path: Path, assignment_id: str | None, *, calibrated: bool, as_json: bool
) -> None:
    """Print how far proposals agree with a file of marked answers.

    ``calibrated``: also how far they would where the other answers' marks are known. Raises `RequestRefused`
    with file, line and mend.
    """
    assignment = _find(settings, assignment_id)
    marked = read_marked(path, assignment.rubric)
    document = agreement_document(
        assignment,
        compare_marked(assignment, marked),
        compare_marked(assignment, marked, calibrated=True) if calibrated else (),
    )
    if as_json:
        print(json.dumps(document, ensure_ascii=False, allow_nan=False))
        return
    console = render.console()
    console.print(_table(document, f"agreement with humans: {document['assignment']}"))
    if calibrated:
        title = f"calibrated by the other marks of each question, in {document['calibrated']['folds']} folds"
        console.print(_table(document["calibrated"], title))
    console.print(
        "RMSE in points of the question's maximum. False credit: half of the points or more, proposed for an "
        "answer that earned none. Far off: by half of the points or more. Before reviewers' marks have "
        "calibrated a question, only blank answers are accepted alone.",
        soft_wrap=True,
    )


def _find(settings: Settings, assignment_id: str | None) -> Assignment:
    if assignment_id is not None:
        return load_assignment(settings.content, assignment_id)
    known = read_assignments(settings)
    if len(known) > 1:
        raise RequestRefused(
            f"There are several assignments; add --assignment with one of: {', '.join(known)}."
        )
    return next(iter(known.values()))


def _table(document: Mapping[str, Any], title: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title)
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "question" else "right", no_wrap=name == "question")
    for key, found in document["questions"].items():
        table.add_row(key, *_cells(found))
    table.add_section()
    table.add_row(Text("total", "bold"), *_cells(document["total"]))
    return table


def _cells(found: Mapping[str, Any]) -> list[str]:
    return [
        f"{found['answers']}",
        f"{found['rmse']:.2f} of {found['max_points']:g}",
        _number(found["r"]),
        _number(found["qwk"]),
        f"{found['false_credit']} of {found['undeserving']}",
        f"{found['unread']}",
        f"{found['accepted']} ({100 * found['accepted'] / found['answers']:.0f} %)",
        f"{found['accepted_off']}",
        f"{found['accepted_worst']:.3g}" if found["accepted"] else "–",
    ]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
