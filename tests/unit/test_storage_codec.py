"""Documents of domain values: what goes in comes out, and nothing else is let in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from grader.domain.answers import Alignment, Answer, AnswerState
from grader.domain.evidence import Evidence
from grader.domain.grade import Grade, ItemGrade, ItemState
from grader.domain.models import DatasetIdentity, ModelReport, UnmeasuredModel
from grader.domain.run import CellRun, CellState, InputStatistics, NotebookRun, Verdict
from grader.errors import EvidenceMissing
from grader.storage.codec import dump, load

RUN = NotebookRun(
    Verdict.DEADLINE,
    (CellRun(3, CellState.TIMEOUT, error="Zeit überschritten"),),
    (),
    1.0,
    0.5,
    "x",
    3,
    {},
    1,
)
MODELS = ModelReport(
    (),
    (UnmeasuredModel("w", 1, "Net", "own architecture"),),
    0.0676,
    {2: 0.056, 128: 0.0044},
    DatasetIdentity("mnist", "s", 500),
    {"torch": "2.13.0"},
    1.0,
)
EVIDENCE = Evidence(
    "n", Alignment({"q1": Answer("q1", AnswerState.BLANK, cells=(1, 2))}), RUN, MODELS, "0.1.0"
)
GRADE = Grade((ItemGrade("q1", "t", 1.5, 4.0, ItemState.NEEDS_REVIEW, 0.5, "f", {"mse": 0.1}),), "r")


@pytest.mark.parametrize("value", [EVIDENCE, GRADE, RUN, MODELS])
def test_a_value_comes_back_as_it_was(value: object) -> None:
    assert load(type(value), dump(value)) == value


def test_infinities_come_back() -> None:
    statistics = InputStatistics((1, 784), float("-inf"), float("inf"), 0.0)
    assert load(InputStatistics, dump(statistics)) == statistics


def test_half_a_character_and_nul_can_be_stored() -> None:
    run = replace(RUN, detail="a\ud800b\x00c")
    document = dump(run)
    document.encode("utf-8")
    assert "\x00" not in document
    assert load(NotebookRun, document).detail == "a?b\x00c"


def _changed(**changes: object) -> str:
    return json.dumps(json.loads(dump(RUN)) | changes)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "not json",
        "[]",
        "{}",
        _changed(version=99),
        _changed(type="Grade"),
        _changed(data={}),
        _changed(data={**json.loads(dump(RUN))["data"], "threads": "1"}),
        _changed(data={**json.loads(dump(RUN))["data"], "verdict": "splendid"}),
    ],
)
def test_what_dump_did_not_write_is_refused(document: str) -> None:
    with pytest.raises(EvidenceMissing):
        load(NotebookRun, document)
