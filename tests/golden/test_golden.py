"""Whole-system cases as data: a notebook goes in at the front door, a grade comes out.

Each folder beside this file holds `case.yaml` (what to upload, see `builder.py`) and `expected.yaml`:
`status`, and where it matters `score`, `message`, `items` (per key: points, state, words of the feedback, and
of a `proposal` its points, gates, rules by concept and quoted spans; `others` speaks for every item not
named), `answers` (words that must have been mapped to a part), `unmapped`, and `states` of the code cells.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.golden.builder import build

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
CASES = sorted(folder.parent for folder in HERE.glob("*/case.yaml"))
EXIT_STATUS = {"graded": 0, "needs_review": 0, "refused": 2, "failed": 3}


def test_there_is_a_case_for_everything_that_was_promised() -> None:
    assert len(CASES) >= 20


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_golden(folder: Path, tmp_path: Path, data_folder: Path) -> None:
    case, expected = _load(folder / "case.yaml"), _load(folder / "expected.yaml")
    upload = tmp_path / "homework_05_a_new_user.ipynb"
    upload.write_bytes(build(case, folder))
    assignment = case.get("assignment", "homework_05")
    document = _grade(upload, assignment, _content(case, tmp_path), tmp_path, data_folder)

    assert document["status"] == expected["status"], document
    if "message" in expected:
        assert expected["message"] in document["reason"].lower()
    if "score" in expected:
        assert document["score"]["given"] == expected["score"]
    _compare_items(document, expected.get("items", {}))
    states = [cell["state"] for cell in document.get("cells", [])]
    if "states" in expected:
        assert states == expected["states"]
    if "first_state" in expected:
        assert (states[0], states[-1]) == (expected["first_state"], expected["last_state"])
    for part, words in expected.get("answers", {}).items():
        assert words in json.dumps(_item(document, part)["evidence"])


def _load(path: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe").load(path))


def _content(case: dict[str, Any], tmp_path: Path) -> Path:
    """The content folder; with a copy of the rubric where the case changes limits, budgets or policy."""
    if not {"limits", "budgets", "policy"} & set(case):
        return REPOSITORY
    for name in ("rubrics", "reference"):
        shutil.copytree(REPOSITORY / name, tmp_path / "content" / name)
    path = tmp_path / "content" / "rubrics" / f"{case.get('assignment', 'homework_05')}.yaml"
    yaml = YAML()
    rubric = yaml.load(path)
    rubric["policy"] |= case.get("policy", {})
    for name, value in case.get("limits", {}).items():
        section = "upload_limits" if name in rubric["upload_limits"] else "run_limits"
        rubric[section][name] = value
    for part in rubric["parts"]:  # a budget beyond a tightened limit would be refused
        part.pop("budget", None)
        if part["key"] in case.get("budgets", {}):
            part["budget"] = case["budgets"][part["key"]]
    yaml.dump(rubric, path)
    return tmp_path / "content"


def _grade(upload: Path, assignment: str, content: Path, home: Path, data: Path) -> dict[str, Any]:
    settings = {"GRADER_CONTENT": content, "GRADER_HOME": home / "home", "GRADER_DATA": data}
    finished = subprocess.run(
        [sys.executable, "-m", "grader", "grade", str(upload), "--assignment", assignment, "--json"],
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
        | {name: str(value) for name, value in settings.items()},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout, finished.stderr
    document: dict[str, Any] = json.loads(finished.stdout)
    assert finished.returncode == EXIT_STATUS[document["status"]], finished.stderr
    return document


def _item(document: dict[str, Any], key: str) -> dict[str, Any]:
    return next(item for item in document["items"] if item["key"] == key)


def _compare_items(document: dict[str, Any], expected: dict[str, Any]) -> None:
    for item in document.get("items", []):
        wanted = dict(expected.get(item["key"], expected.get("others", {})))
        words = wanted.pop("feedback", "")
        if "proposal" in wanted:
            _compare_proposal(item, wanted.pop("proposal"))
        assert {name: item[name] for name in wanted} == wanted, item
        assert words in item["feedback"], item


def _compare_proposal(item: dict[str, Any], wanted: dict[str, Any] | None) -> None:
    found = item["evidence"].get("proposal")
    if wanted is None or found is None:
        assert found == wanted, item
        return
    text = item["evidence"]["text"]
    seen = {
        "points": found["points"],
        "gates": found["gates"],
        "confidence": found["confidence"],
        "rules": [concept["rule"] for concept in found["concepts"]],
        "quotes": [text[slice(*concept["span"])] if concept["span"] else "" for concept in found["concepts"]],
    }
    assert {name: seen[name] for name in wanted} == wanted, item
