"""`calibration.json`: one entry for each data set, read strictly, and a part of what a grade is judged by."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.assignments import join_calibration, load_assignment
from grader.assignments.calibration_file import FORMAT, read_calibration
from grader.cli.compose import make_autograder
from grader.cli.settings import Settings
from grader.evaluation.calibrate import RULE
from grader.sandbox.fake import FakeSandbox
from grader.storage import Blobs

FIGURES = {"by_seed": {"1": 0.5, "2": 0.6}, "mean": 0.55, "spread": 0.07, "threshold": 0.4, "band": 0.14}


def entry(**changes: Any) -> dict[str, Any]:
    return {"name": "small", "solution_sha256": "s", "explained_variance": {"8": FIGURES}} | changes


@pytest.fixture
def content(tmp_path: Path, repository: Path) -> Path:
    for name in ("rubrics", "reference"):
        shutil.copytree(repository / name, tmp_path / name)
    return tmp_path


def test_an_entry_of_another_data_set_stays_and_an_older_one_of_this_goes() -> None:
    first = join_calibration({}, "a", entry())
    both = join_calibration(first, "b", entry(name="large"))
    again = join_calibration(both, "a", entry(name="new"))
    assert {sha256: one["name"] for sha256, one in again["data_sets"].items()} == {"a": "new", "b": "large"}


def test_figures_of_an_older_format_are_not_carried_over() -> None:
    assert set(join_calibration({"format": 1, "data_sets": {"a": 1}}, "b", entry())["data_sets"]) == {"b"}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text(json.dumps(join_calibration({}, "a", entry())))
    (found,) = read_calibration(tmp_path).values()
    assert (found.dataset, found.figures[8].seeds, found.figures[8].threshold) == ("small", 2, 0.4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": 1, "data_sets": {}},
        {"format": FORMAT},
        {"format": FORMAT, "data_sets": {"a": entry(explained_variance={"x": FIGURES})}},
        {"format": FORMAT, "data_sets": {"a": entry(explained_variance={"8": FIGURES | {"threshold": 0}})}},
        {"format": FORMAT, "data_sets": {"a": entry(explained_variance={"8": FIGURES | {"by_seed": {}}})}},
    ],
    ids=["older format", "no data sets", "no width", "a threshold of 0", "no seed"],
)
def test_a_wrong_file_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    (tmp_path / "calibration.json").write_text(json.dumps(wrong))
    with pytest.raises(ValueError, match=r"format|data_sets"):
        read_calibration(tmp_path)


@pytest.mark.parametrize("name", ["homework_05", "small_digits"])
def test_every_assignment_here_is_calibrated_with_its_solution_as_it_stands(
    repository: Path, name: str
) -> None:
    import hashlib

    assignment = load_assignment(repository, name)
    solution = hashlib.sha256((assignment.folder / "solution.ipynb").read_bytes()).hexdigest()
    assert assignment.calibration
    for known in assignment.calibration.values():
        assert known.solution_sha256 == solution
        assert set(known.figures) == set(assignment.rubric.latent_dims)
    file = json.loads((assignment.folder / "calibration.json").read_text())
    for one in file["data_sets"].values():
        assert one["rule"] == RULE
        assert {"versions", "threads", "hash_seed", "seeds", "model_sha256"} <= set(one)


def test_a_new_calibration_is_a_new_version_of_a_rubric_that_asks_for_it(content: Path) -> None:
    before = {name: load_assignment(content, name).rubric.sha256 for name in ("homework_05", "small_digits")}
    for name in before:
        path = content / "reference" / name / "calibration.json"
        path.write_text(path.read_text() + "\n")
    after = {name: load_assignment(content, name).rubric.sha256 for name in before}
    assert after["small_digits"] != before["small_digits"]
    assert after["homework_05"] == before["homework_05"]


def test_a_data_set_that_was_never_measured_has_no_reference(repository: Path) -> None:
    assignment = load_assignment(repository, "small_digits")
    (sha256,) = assignment.calibration
    assert set(assignment.reference_on(sha256)) == {4, 16}
    assert assignment.reference_on("0" * 64) == {}
    assert assignment.needs_calibration
    assert not replace(assignment, rubric=replace(assignment.rubric, items=())).needs_calibration


@pytest.mark.parametrize(
    ("name", "words"),
    [("small_digits", "all go to review"), ("homework_05", "the rubric's own thresholds count")],
)
def test_a_data_set_in_use_that_was_never_measured_is_told_with_the_line_to_type(
    repository: Path, data_folder: Path, tmp_path: Path, name: str, words: str
) -> None:
    assignment = load_assignment(repository, name)
    settings = Settings(home=tmp_path, content=repository, data=data_folder)
    autograder = make_autograder(settings, FakeSandbox(()), Blobs(tmp_path))
    assert autograder.missing_calibration(assignment) == ""
    told = autograder.missing_calibration(replace(assignment, calibration={}))
    assert words in told
    assert f"Run `grader calibrate {name}`." in told
