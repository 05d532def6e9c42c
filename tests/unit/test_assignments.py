"""The shipped rubric, and what it must agree with."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from grader.assignments import Assignment, load_assignment, load_assignments, rubric_json_schema
from grader.checks.judge import judge, version_of
from grader.checks.registry import CHECKS, JUDGES, PARAMETERS, TAKES_CONCEPTS
from grader.domain.answers import Answer, AnswerState
from grader.domain.grade import ItemState
from grader.errors import ContentInvalid, NotFound
from tests.unit.judging import make_evidence, measured


@pytest.fixture(scope="module")
def homework(repository: Path) -> Assignment:
    return load_assignment(repository, "homework_05")


def test_the_homework_is_worth_100_points(homework: Assignment) -> None:
    assert homework.rubric.maximum == 100
    by_part = Counter[str]()
    for item in homework.rubric.items:
        by_part[item.part] += int(item.points)
    assert by_part == {"ex1": 60, **{f"q{number}": 4 for number in range(1, 11)}}


def test_every_check_of_the_registry_is_used_and_described(homework: Assignment) -> None:
    assert {item.check for item in homework.rubric.items} == set(CHECKS)
    assert set(CHECKS) == set(PARAMETERS) == set(JUDGES)
    assert set(CHECKS) > TAKES_CONCEPTS


def test_thresholds_and_keys_are_the_agreed_ones(homework: Assignment) -> None:
    params = {item.key: item.params for item in homework.rubric.items}
    thresholds = {width: params[f"ex1.latent_{width}"]["threshold"] for width in homework.rubric.latent_dims}
    assert thresholds == {2: 0.18, 8: 0.50, 32: 0.64, 128: 0.66}
    assert params["q3.choice"] == params["q6.choice"] == {"key": "B"}


def test_every_written_item_has_concepts(homework: Assignment) -> None:
    for item in homework.rubric.items:
        assert bool(item.concepts) is (item.check in TAKES_CONCEPTS)
        assert not item.concepts or sum(c.points for c in item.concepts) == item.points


def test_an_assignment_comes_with_its_reference(homework: Assignment, repository: Path) -> None:
    assert homework.folder == repository / "reference" / "homework_05"
    assert homework.model_path.read_text("utf-8").count("def build(") == 1
    assert json.loads(homework.template)["nbformat"] == 4
    rubric_bytes = (repository / "rubrics" / "homework_05.yaml").read_bytes()
    assert homework.rubric.sha256 == hashlib.sha256(rubric_bytes).hexdigest()


def test_the_published_schema_is_current_and_accepts_the_rubric(repository: Path) -> None:
    schema = json.loads((repository / "rubrics" / "rubric.schema.json").read_text("utf-8"))
    assert schema == rubric_json_schema()
    path = repository / "rubrics" / "homework_05.yaml"
    rubric = YAML(typ="safe").load(path)
    jsonschema.validate(rubric, schema)
    rubric["items"][1]["params"]["threshold"] = 1.5
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(rubric, schema)
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=rubric.schema.json\n")


def test_good_evidence_earns_everything_that_is_decided_without_a_human(homework: Assignment) -> None:
    answers = [
        Answer(part.key, AnswerState.ANSWERED, "B", "Because.", AnswerState.ANSWERED)
        for part in homework.rubric.parts
    ]
    explained = {2: 0.27, 8: 0.62, 32: 0.8, 128: 0.84}
    evidence = make_evidence(*answers, models=[measured(*pair) for pair in explained.items()])
    grade = judge(homework.rubric, evidence)
    decided = [item for item in grade.items if item.state is ItemState.AUTO]
    assert grade.given == sum(item.points for item in decided) == sum(i.max_points for i in decided) == 58
    assert [item.key for item in grade.items] == [item.key for item in homework.rubric.items]
    assert grade.rubric_sha256 == version_of(homework.rubric, {})


def test_empty_evidence_earns_only_the_run(homework: Assignment) -> None:
    answers = [
        Answer(part.key, AnswerState.PLACEHOLDER, explanation_state=AnswerState.PLACEHOLDER)
        for part in homework.rubric.parts
    ]
    grade = judge(homework.rubric, make_evidence(*answers))
    assert {item.key: item.points for item in grade.items if item.points} == {"ex1.runs": 8}
    assert not grade.needs_review


def test_a_check_that_raises_is_not_turned_into_points(
    homework: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHECKS, "runs", lambda evidence, item, part: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        judge(homework.rubric, make_evidence())


def test_an_unknown_assignment_is_the_callers_mistake(repository: Path) -> None:
    with pytest.raises(NotFound, match="homework_05"):
        load_assignment(repository, "../homework_05")


def test_a_folder_without_rubrics_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentInvalid, match="no rubric was found"):
        load_assignments(tmp_path)


def test_a_part_knows_what_the_template_asks_but_not_where_students_write(repository: Path) -> None:
    rubric = load_assignment(repository, "homework_05").rubric
    prompt = rubric.part("q1").prompt.splitlines()
    assert "1. Why can't the model just memorize each input?" in prompt
    assert prompt[-1].startswith("Hint: Compression = information bottleneck.")
    assert "Question: What happens to reconstruction as latent_dim changes?" in rubric.part("ex1").prompt
    for part in rubric.parts:
        assert part.prompt
        assert "[" not in part.prompt
        assert "Your Answer" not in part.prompt
