"""What the command line says, and how it ends."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader.cli import demo, grade
from grader.cli.compose import make_home
from grader.cli.grade import grade_file
from grader.cli.render import render_report
from grader.cli.settings import Settings
from grader.errors import SetupIncomplete


def _item(points: float, state: str) -> dict[str, Any]:
    return {"key": "q1", "points": points, "max_points": 4.0, "state": state, "feedback": "Well."}


def _printed(report: Any) -> str:
    console = Console(width=110, file=io.StringIO(), record=True)
    console.print(report)
    return console.export_text()


@pytest.mark.parametrize(
    ("points", "state", "shown"),
    [
        (0.0, "needs_review", "– / 4"),
        (2.0, "needs_review", "2 / 4"),
        (0.0, "auto", "0 / 4"),
        (4.0, "auto", "4 / 4"),
    ],
)
def test_points_that_nobody_decided_on_are_no_zero(points: float, state: str, shown: str) -> None:
    score = {"given": points, "maximum": 4.0}
    assert shown in _printed(render_report("a notebook", "graded", score, [_item(points, state)]))


def test_what_is_proposed_is_shown_as_proposed() -> None:
    item = _item(0.0, "needs_review") | {"evidence": {"proposal": {"points": 2.5}}}
    assert "2.5? / 4" in _printed(render_report("a notebook", "graded", {"given": 0, "maximum": 4.0}, [item]))


@pytest.mark.parametrize(
    ("progress", "given", "subtitle"),
    [("PendingManual", 0.0, "waits for review"), ("FullyGraded", 4.0, "graded"), ("Failed", None, "failed")],
)
def test_the_demonstration_says_in_words_how_it_stands(
    progress: str, given: float | None, subtitle: str
) -> None:
    document = {"gradingProgress": progress, "scoreGiven": given, "scoreMaximum": 4.0, "items": []}
    console = Console(width=110, file=io.StringIO(), record=True)
    demo.print_report("a notebook", document, console)
    assert console.export_text().splitlines()[-1].strip("╰╯─ ") == subtitle


def test_an_error_that_nobody_thought_of_is_our_failure_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(*_: object) -> None:
        raise KeyError("inside")

    monkeypatch.setattr(grade, "_grade", break_down)
    assert grade_file(Settings(), Path("x.ipynb"), "homework_05", as_json=True) == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], document["score"]) == ("failed", None)


def test_a_home_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupIncomplete, match="GRADER_HOME"):
        make_home(Settings(home=tmp_path / "file"))
