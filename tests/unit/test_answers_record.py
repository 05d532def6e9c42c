"""What was found in an answer once is what would be found again, under any points."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from grader.checks.answers.propose import propose
from grader.checks.answers.record import find_again, record_proposal
from grader.domain.rubric import Item, Part
from tests.unit.marked import DATA, SETS, homework, written_items


def _priced(item: Item) -> Item:
    concepts = tuple(
        replace(concept, points=round(concept.points * (0.7 + number), 2))
        for number, concept in enumerate(item.concepts)
    )
    return replace(item, points=sum(concept.points for concept in concepts), concepts=concepts)


def _part(item: Item) -> Part:
    return homework().rubric.part(item.part)


def _stored(text: str, item: Item) -> dict[str, Any]:
    record = {"text": text, "proposal": record_proposal(propose(text, item, _part(item)))}
    loaded: dict[str, Any] = json.loads(json.dumps(record))
    return loaded


@pytest.mark.parametrize("name", SETS)
def test_a_stored_proposal_under_other_points_is_what_is_found_afresh(name: str) -> None:
    items = {item.key: item for item in written_items()}
    for entry in json.loads((DATA / f"{name}.json").read_text("utf-8"))["answers"]:
        item, text = items[entry["question"]], entry["answer"]
        record = _stored(text, item)
        for asked in (item, _priced(item)):
            found = find_again(record, text, asked, _part(item))
            assert found is not None
            fresh = propose(text, asked, _part(item))
            assert json.dumps(found) == json.dumps(record_proposal(fresh))


def test_another_answer_another_question_or_another_release_is_looked_at_anew() -> None:
    item = next(item for item in written_items() if item.key == "q1")
    text = "The code is too small to store every image."
    record = _stored(text, item)
    assert find_again(record, text, item, _part(item)) is not None
    first, *others = item.concepts
    reworded = replace(item, concepts=(replace(first, statements=("Something else is said.",)), *others))
    assert find_again(record, text, reworded, _part(item)) is None
    assert find_again(record, text + " ", item, _part(item)) is None
    assert find_again({}, text, item, _part(item)) is None
    del record["proposal"]["features"]
    assert find_again(record, text, item, _part(item)) is None
