"""`grader asag evaluate`: files of marked answers, the numbers, and errors with line and mend."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.cli.asag import evaluate_file
from grader.cli.settings import Settings
from grader.errors import RequestRefused
from grader.services.proposals.agreement import (
    Compared,
    agreement_document,
    compare_marked,
    measure_agreement,
)
from grader.services.proposals.marked_answers import read_marked
from tests.unit.marked import DATA, compared, homework

HEAD = "question,answer,points\n"


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "last_year.csv"
    path.write_text(text, "utf-8")
    return path


def _refused(path: Path) -> str:
    with pytest.raises(RequestRefused) as told:
        read_marked(path, homework().rubric)
    return str(told.value)


def test_other_names_for_the_fields_and_another_maximum_are_understood(tmp_path: Path) -> None:
    path = _write(tmp_path, '[{"q": "q3", "text": "It learned by heart.", "points": 3, "out_of": 4}]')
    (marked,) = read_marked(path, homework().rubric)
    assert (marked.item.key, marked.text, marked.points) == ("q3.explanation", "It learned by heart.", 0.75)


@pytest.mark.parametrize(
    "text",
    [
        HEAD + 'q1,"It copies,\nthat is all.",1.5\nq3.explanation,The gap.,0\n',
        "\ufeff" + HEAD + 'q1,"It copies,\nthat is all.",1.5\nq3,The gap.,0\n',
        'points;question;answer;who\n1,5;q1;"It copies,\nthat is all.";a\n0;Q3;The gap.;b\n',
        json.dumps(
            [
                {"question": "q1", "answer": "It copies,\nthat is all.", "points": 1.5},
                {"question": "q3", "answer": "The gap.", "points": 0},
            ]
        ),
        '{"note": "x", "answers": [{"question": "q1", "answer": "It copies,\\nthat is all.",'
        ' "points": "1.5"},\n'
        ' {"question": "q3", "answer": "The gap.", "points": 0}]}',
    ],
)
def test_csv_as_spreadsheets_write_it_and_json_say_the_same(tmp_path: Path, text: str) -> None:
    marked = read_marked(_write(tmp_path, text), homework().rubric)
    assert [(entry.item.key, entry.text, entry.points) for entry in marked] == [
        ("q1", "It copies,\nthat is all.", 1.5),
        ("q3.explanation", "The gap.", 0.0),
    ]


@pytest.mark.parametrize(
    ("text", "line", "mend"),
    [
        (HEAD + 'q1,"a\nb",1\nq11,a,1\n', 4, "there is no written question 'q11'; did you mean q1"),
        (HEAD + "zzz,a,1\n", 2, "use one of: ex1, ex1.observations, q1"),
        (HEAD + "q1,a,5\n", 2, "points must be a number from 0 to 4 (found '5')"),
        (HEAD.strip() + ",maximum\nq1,a,0,0\n", 2, "maximum must be a number above 0 (found '0')"),
        (HEAD + "q1,a,nan\n", 2, "points must be a number from 0 to 4"),
        (HEAD + "q1,a\n", 2, "points is missing; every answer needs question, answer, points"),
        ("question;answer\nq1;a\n", 1, "the column points is missing; let the first line be"),
        (HEAD, 1, "there is no answer in the file"),
        (
            '[\n {"question": "q1", "answer": "a", "points": 1},\n {"question": "q1", "answer": "a"}\n]',
            3,
            "points is",
        ),
        ('[\n {"question": "q1", "answer": 3, "points": 1}\n]', 2, "answer must be text"),
        ('[\n "q1"\n]', 2, "an answer must be an object"),
        ('[\n {"question": "q1"\n]', 3, "this is no JSON"),
        ('{"entries": []}', 1, "there is no list of answers"),
    ],
)
def test_an_error_names_file_line_and_mend(tmp_path: Path, text: str, line: int, mend: str) -> None:
    path = _write(tmp_path, text)
    told = _refused(path)
    assert told.startswith(f"{path}:{line}: ")
    assert mend in told


def test_several_errors_are_told_at_once(tmp_path: Path) -> None:
    told = _refused(_write(tmp_path, HEAD + "q1,a,5\n" * 30)).splitlines()
    assert len(told) == 21
    assert told[-1] == "… and 10 more"


def test_what_is_no_text_or_not_there_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "last_year.csv"
    assert "cannot be read" in _refused(path)
    path.write_bytes(b"question,answer,points\nq1,na\xefve,1\n")
    assert "no UTF-8" in _refused(path)


def _answer(human: float, proposed: float, **changes: Any) -> Compared:
    return replace(Compared("q1", human, proposed, 4.0, is_read=True, is_accepted=False), **changes)


@pytest.mark.parametrize("text", ["[" * 200_000, '[{"points": ' + "9" * 5_000 + "}]"], ids=["nested", "long"])
def test_json_that_nobody_can_read_is_refused_in_words(tmp_path: Path, text: str) -> None:
    assert "this cannot be read" in _refused(_write(tmp_path, text))


def test_the_numbers_are_what_they_are_called() -> None:
    found = measure_agreement([_answer(0, 0), _answer(4, 4), _answer(0, 2), _answer(4, 2)])
    assert found.rmse == round(2**0.5, 4)
    assert found.r == pytest.approx(0.7071, abs=1e-4)
    assert found.qwk == pytest.approx(1 - 0.5 / 1.5, abs=1e-3)
    assert (found.undeserving, found.false_credit) == (2, 1)


def test_equal_judgements_agree_wholly_and_constant_ones_have_no_correlation() -> None:
    same = measure_agreement([_answer(0, 0), _answer(2, 2), _answer(4, 4)])
    assert (same.rmse, same.r, same.qwk) == (0, 1, 1)
    flat = measure_agreement([_answer(4, 4), _answer(4, 4)])
    assert (flat.rmse, flat.r, flat.qwk) == (0, None, None)


def test_questions_of_different_worth_are_scaled_to_the_largest() -> None:
    found = measure_agreement([_answer(1, 0, item="q3.explanation", max_points=1.0), _answer(4, 4)])
    assert (found.max_points, found.rmse) == (4, round(8**0.5, 4))


def test_what_was_not_read_counts_as_nothing_proposed_and_is_told_apart() -> None:
    found = measure_agreement([_answer(4, 0, is_read=False), _answer(2, 2)])
    assert (found.unread, found.rmse, found.rmse_read) == (1, round(8**0.5, 4), 0)


def test_the_errors_of_what_is_accepted_alone_are_counted() -> None:
    found = measure_agreement(
        [_answer(4, 0, is_accepted=True), _answer(0, 0, is_accepted=True), _answer(4, 0)]
    )
    assert (found.accepted, found.accepted_off, found.accepted_worst) == (2, 1, 4)


def test_a_blank_answer_and_the_placeholder_are_accepted_alone_and_nothing_else(tmp_path: Path) -> None:
    lines = 'q1,"",0\nq1,[Write your answer here in 2-4 sentences],0\nq1,I don\'t know,0\nq1,It copies.,1\n'
    marked = read_marked(_write(tmp_path, HEAD + lines), homework().rubric)
    accepted = [entry.is_accepted for entry in compare_marked(homework(), marked)]
    assert accepted == [True, True, False, False]


def test_the_document_has_every_question_and_the_total() -> None:
    document = agreement_document(homework(), compared("answers_dev"))
    assert set(document["questions"]) == {"q1", "q7"}
    assert document["total"]["answers"] == sum(found["answers"] for found in document["questions"].values())
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_the_command_prints_a_table_or_one_json_object(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(content=repository)
    evaluate_file(settings, DATA / "answers_dev.json", "homework_05", calibrated=True, as_json=False)
    table = capsys.readouterr().out
    assert "total" in table
    assert "0 of 20" in table
    assert "5 folds" in table
    evaluate_file(settings, DATA / "answers_dev.json", "homework_05", calibrated=True, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["total"]["false_credit"] == 0
    assert (document["policy"], document["calibrated"]["policy"]) == ("blank", "certain")
    assert document["calibrated"]["total"]["rmse"] != document["total"]["rmse"]
