"""Every broken rubric is refused with file, line, and what to write instead."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.assignments import load_assignments
from grader.errors import ContentInvalid

# what to change, into what, a part of the line that is named, what the message says
MUTATIONS = {
    "not a number": ("points: 3", "points: four", "points: four", "points must be a number, e.g. 4"),
    "a number in quotes": ("points: 3", 'points: "3"', 'points: "3"', "points must be a number, e.g. 4"),
    "no points": ("points: 3", "points: 0", "points: 0", "points must be greater than 0, e.g. 4"),
    "negative points": ("points: 3", "points: -3", "points: -3", "points must be greater than 0"),
    "no finite number": ("points: 3", "points: .inf", "points: .inf", "points must be a number"),
    "nothing": ("points: 3", "points:", "points:", "points must be a number, e.g. 4 (found nothing)"),
    "a fraction": ("cells: 500", "cells: 1.5", "cells: 1.5", "cells must be a whole number, e.g. 500"),
    "no list": ("latent_dims: [2, 8, 32, 128]\n\n", "latent_dims: 2\n\n", "latent_dims: 2", "must be a list"),
    "an unknown field": (
        "    check: trend",
        "    chek: x\n    check: trend",
        "chek: x",
        "did you mean check?",
    ),
    "a missing field": ("    points: 3\n", "", "- key: q3.choice", "points is missing; add e.g. points: 4"),
    "an unknown check": ("check: trend", "check: trent", "check: trent", "did you mean trend?"),
    "a missing check": ("    check: runs", "    # runs", "- key: ex1.runs", "check is missing"),
    "a threshold above 1": (
        "threshold: 0.50",
        "threshold: 1.5",
        "1.5",
        "threshold must be at most 1, e.g. 0.5",
    ),
    "a threshold that is another word": (
        "threshold: 0.50",
        "threshold: measured",
        "threshold: measured",
        "threshold must be a number or calibrated, e.g. 0.5",
    ),
    "a data set that there is not": (
        "dataset: mnist",
        "dataset: cifar",
        "dataset: cifar",
        "dataset must be mnist or digits_8x8",
    ),
    "a budget for a question": (
        "    title: Why Compression Forces Learning\n",
        "    title: Why Compression Forces Learning\n    budget: {seconds: 5}\n",
        "budget: {seconds: 5}",
        "only an exercise has a budget; remove it from q1",
    ),
    **{
        f"a budget of {what}": (
            "budget: {seconds: 1500, memory_bytes: 2147483648}",
            f"budget: {{{given}}}",
            f"budget: {{{given}}}",
            message,
        )
        for what, given, message in (
            ("nothing", "", "budget is empty; write e.g. budget: {seconds: 600}"),
            (
                "more time than the run has",
                "seconds: 1801",
                "at most run_limits.total_seconds, 1800 (found",
            ),
            ("more memory than the run has", "memory_bytes: 3221225473", "at most run_limits.memory_bytes"),
            ("no time", "seconds: 0", "seconds must be greater than 0, e.g. 600"),
            ("half a byte", "memory_bytes: 0.5", "memory_bytes must be a whole number, e.g. 1073741824"),
            ("something unknown", "cells: 3", "there is no field cells"),
        )
    },
    "a threshold of 0": (
        "threshold: 0.50",
        "threshold: 0",
        "threshold: 0,",
        "threshold must be greater than 0",
    ),
    "a missing setting": ("threshold: 0.50, ", "", "latent_dim: 8, band", "threshold is missing"),
    "an unknown setting": ("threshold: 0.50", "treshold: 0.50", "treshold", "did you mean threshold?"),
    "settings for a check without": (
        "check: runs",
        "check: runs\n    params: {a: 1}",
        "params: {a: 1}",
        "the check runs takes no params; remove params",
    ),
    "concepts for a check without": (
        "check: runs",
        "check: runs\n    concepts: []",
        "concepts: []",
        "the check runs takes no concepts",
    ),
    "a width that is not measured": (
        "latent_dim: 8,",
        "latent_dim: 9,",
        "latent_dim: 9",
        "latent_dims: 2, 8, 32",
    ),
    "falling widths": (
        "{latent_dims: [2, 8,",
        "{latent_dims: [8, 2,",
        "[8, 2",
        "must rise, e.g. [2, 8, 32, 128]",
    ),
    "a key twice": (
        "    points: 3",
        "    points: 3\n    points: 3",
        "    points: 3",
        'duplicate key "points" in what begins in line',
    ),
    "an item twice": (
        "- key: q4\n    part",
        "- key: q2\n    part",
        "- key: q2\n    part: q4",
        "q2 is used twice",
    ),
    "a part twice": (
        "- key: q5\n    kind",
        "- key: q4\n    kind",
        "- key: q4\n    kind: short_answer\n    heading: Question 5",
        "q4 is used twice",
    ),
    "no such part": ("part: q10", "part: q11", "part: q11", "there is no part q11; did you mean q1"),
    "a part without items": ("part: q10", "part: q9", "key: q10\n    kind", "no item is about q10"),
    "a check for other parts": (
        "part: q10",
        "part: q3",
        "check: short_answer",
        "is for parts of the kind short_answer, and q3 is of the kind choice",
    ),
    "a key that is no option": (
        "params: {key: B}",
        "params: {key: E}",
        "{key: E}",
        "options of q3: A, B, C, D",
    ),
    "a letter that is none": ("      A: The", "      1a: The", "1a: The", "one of the letters A to H"),
    "an unknown kind": ("kind: choice", "kind: choise", "kind: choise", "short_answer or choice"),
    "options for a question": ("kind: choice", "kind: short_answer", "options:", "only a choice has options"),
    "concepts that do not add up": (
        "points: 1.25",
        "points: 2.25",
        "points: 4",
        "add up to 5 points, but q5 has 4",
    ),
    "a negative concept": ("points: 1.25", "points: -1", "points: -1", "points must be greater than 0"),
    "an empty list": ("latent_dims: [2, 8, 32, 128]\n\n", "latent_dims: []\n\n", "[]", "must not be empty"),
    "no statements": ("        statements:", "        claims:", "claims:", "there is no field claims"),
    "another id": (
        "id: homework_05",
        "id: homework_06",
        "id: homework_06",
        "must be the file's name, homework_05",
    ),
    "a heading that the template lacks": (
        "heading: Question 7",
        "heading: Question 77",
        "heading: Question 77",
        "no heading of the template begins with “Question 77”",
    ),
    "a bracket left open": ("latent_dims: [2", "latent_dims: [[2", "", "this is no YAML"),
    "a colon in a title": (
        "title: Reconstruction Loss",
        "title: Loss: it",
        "Loss: it",
        "quote text that contains",
    ),
    "no policy": (
        "\npolicy:\n",
        "\npolicies:\n",
        "",
        "policy is missing; add e.g. policy: {attempts: 20, seed: 0, written_answers: blank}",
    ),
    "an unknown policy for written answers": (
        "written_answers: blank",
        "written_answers: all",
        "written_answers: all",
        "written_answers must be nothing, blank or certain",
    ),
    "a list with a tag": (
        "dataset: mnist",
        "dataset: !!python/list [mnist]",
        "dataset:",
        "dataset must be mnist",
    ),
    "a tab": ("  - key: ex1.trend", "\t- key: ex1.trend", "\t- key", "check the indentation"),
}


@pytest.fixture
def content(repository: Path, tmp_path: Path) -> Path:
    """A copy of the shipped content."""
    for name in ("rubrics", "reference"):
        shutil.copytree(repository / name, tmp_path / name)
    return tmp_path


def refuse(content: Path) -> list[str]:
    with pytest.raises(ContentInvalid) as refused:
        load_assignments(content)
    return str(refused.value).splitlines()


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_rubric_is_refused_with_its_line_and_the_mend(content: Path, name: str) -> None:
    old, new, marked, message = MUTATIONS[name]
    path = content / "rubrics" / "homework_05.yaml"
    text = path.read_text("utf-8")
    assert old in text
    text = text.replace(old, new, 1)
    path.write_text(text, "utf-8")
    told = [line for line in refuse(content) if message in line]
    assert told
    file, number, _ = told[0].split(":", 2)
    assert file == "rubrics/homework_05.yaml"
    line = text.splitlines()[int(number) - 1]
    assert marked.split("\n")[0].strip() in line


def test_all_mistakes_are_told_at_once_in_the_files_order(content: Path) -> None:
    path = content / "rubrics" / "homework_05.yaml"
    text = path.read_text("utf-8").replace("points: 3", "points: x", 1).replace("cells: 500", "cells: x", 1)
    path.write_text(text.replace("band: 0.02", "band: x"), "utf-8")
    lines = [int(line.split(":")[1]) for line in refuse(content)]
    assert len(lines) == 6
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "homework_05.yaml:1: the file must begin with fields, e.g. id: homework_05"),
        (b"- a\n", "homework_05.yaml:1: the file must begin with fields"),
        (b"id: homework_05\n\xff", "homework_05.yaml:2: this is not UTF-8"),
        (b"id: \x00", "homework_05.yaml:1: this is no YAML"),
        (b"id: &a [*a]\n", "homework_05.yaml:1: anchors and aliases (&name, *name) are not read"),
        (b"a: &a [x, x]\nb: [*a, *a]\n", "homework_05.yaml:1: anchors and aliases"),
        (b"id: homework_05\ntitle: *everywhere\n", "homework_05.yaml:2: anchors and aliases"),
        (b"id: " + b"[" * 600, "homework_05.yaml:1: lists and mappings are nested too deeply"),
        (b"- " * 600, "homework_05.yaml:1: lists and mappings are nested too deeply"),
        (b"id: homework_05\n", "homework_05.yaml:1: parts is missing"),
        (b"1: 2\n", "homework_05.yaml:1: id is missing"),
    ],
)
def test_what_is_no_rubric_at_all_is_refused(content: Path, data: bytes, message: str) -> None:
    (content / "rubrics" / "homework_05.yaml").write_bytes(data)
    assert any(message in line for line in refuse(content))


@pytest.mark.parametrize("name", ["template.ipynb", "solution.ipynb", "model.py"])
def test_a_missing_reference_file_is_named(content: Path, name: str) -> None:
    (content / "reference" / "homework_05" / name).unlink()
    (told,) = refuse(content)
    assert told.startswith(f"reference/homework_05/{name}:1: the file is missing; put the ")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("template.ipynb", "{\n", "template.ipynb:2: this is no JSON"),
        ("template.ipynb", "[]", "template.ipynb:1: this is no notebook"),
        ("solution.ipynb", '{"cells": 1}', "solution.ipynb:1: this is no notebook"),
        ("model.py", "x = 1\ndef build(:", "model.py:2: this is no Python"),
        (
            "model.py",
            "def build(n): ...\ndef encode(m, x): ...\n",
            "model.py:1: the function decode is missing",
        ),
        ("calibration.json", "[", "calibration.json:1: the file: invalid json"),
        ("calibration.json", "[]", "calibration.json:1: the file: input should be an object"),
        (
            "calibration.json",
            '{"dataset": {}}',
            "calibration.json:1: format: field required; remove the file and run `grader calibrate homework",
        ),
    ],
)
def test_an_unusable_reference_file_is_named(content: Path, name: str, text: str, message: str) -> None:
    (content / "reference" / "homework_05" / name).write_text(text, "utf-8")
    (told,) = refuse(content)
    assert told.startswith(f"reference/homework_05/{message}")


def test_the_mistakes_of_several_rubrics_are_told_together(content: Path) -> None:
    for name in ("homework_06", "homework_07"):
        (content / "rubrics" / f"{name}.yaml").write_text("id: 1\n", "utf-8")
    told = refuse(content)
    assert any(line.startswith("rubrics/homework_06.yaml:1: id must be text") for line in told)
    assert any(line.startswith("rubrics/homework_07.yaml:1: ") for line in told)


def test_a_rubric_without_a_calibration_can_be_loaded_so_that_it_can_be_calibrated(content: Path) -> None:
    (content / "reference" / "homework_05" / "calibration.json").unlink(missing_ok=True)
    assert load_assignments(content)["homework_05"].calibration == {}
