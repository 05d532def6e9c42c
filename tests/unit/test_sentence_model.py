"""Second opinions of a sentence model: a real one, run by onnxruntime, whose words are directions."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from grader.checks.answers.statements import read_question
from grader.domain.opinion import OpinionState
from grader.errors import SetupIncomplete
from grader.services.opinions.gather import Asked
from grader.services.opinions.sentence_model import SentenceModel
from tests.unit.marked import homework
from tests.unit.sentence_files import write_model

ITEM = next(item for item in homework().rubric.items if item.key == "q1")
PART = homework().rubric.part("q1")
WORDS = " ".join(
    text for concept in ITEM.concepts for text in (*concept.statements, *concept.misconceptions)
).lower()


@pytest.fixture
def model(tmp_path: Path) -> SentenceModel:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tokenizers")
    return SentenceModel(write_model(tmp_path, re.findall(r"\w+|[^\w\s]+", WORDS)))


def asked(answer: str) -> Asked:
    return Asked(ITEM, PART, answer, read_question(ITEM, PART).sha256)


def share(model: SentenceModel, answer: str) -> float:
    found = model.points(asked(answer), 10.0)
    assert found.state is OpinionState.GIVEN
    assert found.share is not None
    return found.share


def test_each_concept_that_a_sentence_comes_near_to_earns_its_points(model: SentenceModel) -> None:
    said = [concept.statements[0] for concept in ITEM.concepts]
    assert share(model, " ".join(said)) == 1.0
    first = ITEM.concepts[0]
    assert share(model, first.statements[0]) == pytest.approx(first.points / ITEM.points, abs=0.001)


def test_a_misconception_that_is_nearer_earns_nothing(model: SentenceModel) -> None:
    assert share(model, ITEM.concepts[0].misconceptions[0]) == 0.0


def test_words_that_it_does_not_know_earn_nothing(model: SentenceModel) -> None:
    assert share(model, "Bananas grow in Ecuador! " * 200) == 0.0
    assert share(model, "...") == 0.0


def test_the_same_answer_gets_the_same_opinion(model: SentenceModel) -> None:
    answer = " ".join(concept.statements[1] for concept in ITEM.concepts)
    first = model.points(asked(answer), 10.0)
    model.points(asked("Something else. In between."), 10.0)
    assert model.points(asked(answer), 10.0) == first


def test_the_model_is_named_by_its_folder_and_its_bytes(model: SentenceModel, tmp_path: Path) -> None:
    name, digest = model.model.rsplit(" ", 1)
    assert name == tmp_path.name
    assert len(digest) == 12


def test_a_model_that_cannot_be_loaded_is_named_with_the_mend(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tokenizers")
    with pytest.raises(SetupIncomplete, match="GRADER_SENTENCE_MODEL"):
        SentenceModel(tmp_path)
    write_model(tmp_path, ["word"])
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(SetupIncomplete, match=r"model\.onnx and tokenizer\.json"):
        SentenceModel(tmp_path)


def test_without_the_extra_the_line_to_type_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(SetupIncomplete, match=r"notebook-grader\[sentences\]"):
        SentenceModel(tmp_path)
