"""Reviewing through the pages: forms in, marks out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from grader.checks.answers.statements import read_question
from grader.domain.opinion import Opinion, OpinionState
from grader.domain.people import Role
from grader.services.grades.report import read_report
from grader.services.review import ask_regrade
from grader.web import Deps, create_app
from tests.integration.page_requests import Browser, add_person, signed_in
from tests.integration.parts import Parts
from tests.integration.review_parts import GOOD, HALF, ITEMS, PARTS, Class, make_class, teach_low

QUEUE = "/courses/cs101/assignments/hw/review"


@pytest.fixture
def klass(tmp_path: Path) -> Class:
    klass = make_class(tmp_path)
    for user, role, sections in (
        ("tess", Role.TA, ("A",)),
        ("ida", Role.INSTRUCTOR, ()),
        ("ada", Role.STUDENT, ("A",)),
        ("ben", Role.STUDENT, ("B",)),
    ):
        add_person(klass.parts, user, role, sections)
    return klass


@pytest.fixture
def parts(klass: Class) -> Parts:
    return klass.parts


@pytest.fixture
def app(klass: Class) -> FastAPI:
    parts = klass.parts
    return create_app(
        Deps(parts.database, parts.blobs, parts.jobs, parts.assignments, clock=lambda: klass.now)
    )


def _follow(browser: Browser, path: str, **form: str) -> str:
    """Post, and return the address that it leads to."""
    answer = browser.post(path, form)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def _points(klass: Class, submission: str, item: str = "q1") -> tuple[float, str]:
    stored = read_report(klass.parts.database, submission).grade
    assert stored is not None
    found = next(one for one in stored.grade.items if one.key == item)
    return found.points, found.state.value


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def test_names_are_said_to_be_hidden_only_until_publication(app: FastAPI) -> None:
    browser = signed_in(app, "ida")
    assert "Names are hidden" in browser.get(QUEUE).text
    browser.post(QUEUE.replace("/review", "/gradebook/publish"))
    assert "Names are hidden" not in browser.get(QUEUE).text


def test_a_proposal_is_accepted_and_the_next_answer_comes(klass: Class, app: FastAPI) -> None:
    first, second = klass.grade("ada", GOOD), klass.grade("ben", HALF)
    browser = signed_in(app, "ida")
    queue = browser.get(QUEUE).text
    assert "Start reviewing" in queue
    assert "ada" not in queue.lower().replace("data-", ""), "names are hidden"
    address = _follow(browser, f"{QUEUE}/next?only=q1")
    page = browser.get(address).text
    assert "<mark>" in page
    held = first if first in address else second
    address = _follow(browser, address, act="accept", follows=_hidden(page, "follows"))
    assert _points(klass, held)[1] == "reviewed"
    assert (second if held == first else first) in address, "the other one comes next"
    assert "Undo the last one" in browser.get(address).text


def test_points_by_digit_by_concept_and_undone(klass: Class, app: FastAPI) -> None:
    submission = klass.grade("ada", HALF)
    browser = signed_in(app, "ida")
    here = f"{QUEUE}/{submission}/q1"
    _follow(browser, here, act="take")
    _follow(browser, here, act="points:3", follows="0", comment="Say what is kept.", keep="1")
    assert _points(klass, submission) == (3.0, "reviewed")
    _follow(browser, here, act="undo")
    assert _points(klass, submission)[1] == "needs_review"
    page = browser.get(here).text
    assert "Say what is kept." in page, "the comment is offered again"
    follows = _hidden(page, "follows")
    _follow(
        browser, here, act="save", follows=follows, **{"concept:features": "1.5", "concept:capacity": "1"}
    )
    assert _points(klass, submission) == (2.5, "reviewed")


def test_what_two_reviewers_decide_at_once_is_decided_once(klass: Class, app: FastAPI) -> None:
    submission = klass.grade("ada", HALF)
    here = f"{QUEUE}/{submission}/q1"
    one, other = signed_in(app, "ida"), signed_in(app, "tess")
    _follow(one, here, act="take")
    assert other.post(here, {"act": "take"}).status_code == 409
    assert "Another reviewer looks at this answer" in other.get(here).text
    refused = other.post(here, {"act": "points:0", "follows": "0"})
    assert refused.status_code == 409
    assert "Somebody was quicker" in refused.text


def test_alike_answers_get_the_same_decision_where_they_are_ticked(klass: Class, app: FastAPI) -> None:
    first, alike = klass.grade("ada", GOOD), klass.grade("ben", GOOD.upper())
    browser = signed_in(app, "ida")
    here = f"{QUEUE}/{first}/q1"
    _follow(browser, here, act="take")
    assert alike in browser.get(here).text
    _follow(browser, here, act="points:2", follows="0", neighbour=alike)
    assert _points(klass, alike) == (2.0, "reviewed")


def test_a_students_question_is_answered_beside_the_mark(klass: Class, app: FastAPI) -> None:
    submission = klass.grade("ada", HALF)
    actor = klass.enrol("ada", Role.STUDENT, "A")
    ask_regrade(klass.desk, actor, submission, "q1", "I meant the small code.")
    browser = signed_in(app, "ida")
    here = f"{QUEUE}/{submission}/q1"
    _follow(browser, here, act="take")
    assert "I meant the small code." in browser.get(here).text
    _follow(browser, here, act="points:4", follows="0", reply="You are right.")
    with klass.parts.database.read() as unit:
        (asked,) = unit.regrade_requests.of(submission)
    assert (asked.answer, _points(klass, submission)) == ("You are right.", (4.0, "reviewed"))


def test_an_item_that_is_no_answer_is_looked_at_where_a_student_asks(klass: Class, app: FastAPI) -> None:
    submission = klass.grade("ada", HALF)
    actor = klass.enrol("ada", Role.STUDENT, "A")
    ask_regrade(klass.desk, actor, submission, "ex1.runs", "It ran at home.")
    page = signed_in(app, "ida").get(f"{QUEUE}/{submission}/ex1.runs")
    assert page.status_code == 200
    assert "It ran at home." in page.text


def test_an_assistant_is_told_who_changes_what_waits_for_nobody(klass: Class, app: FastAPI) -> None:
    submission = klass.grade("ada", HALF)
    page = signed_in(app, "tess").get(f"{QUEUE}/{submission}/ex1.runs").text
    assert "It waits for nobody" in page
    assert "Take it" not in page


def test_a_look_at_the_name_is_noted(klass: Class, app: FastAPI) -> None:
    submission = klass.grade("ada", HALF)
    browser = signed_in(app, "ida")
    page = browser.post(f"{QUEUE}/{submission}/q1", {"act": "reveal"})
    assert "Ada" in page.text
    assert ("ida", "review.reveal") in klass.audited()


def test_an_assistant_reviews_their_section_and_a_student_none(klass: Class, app: FastAPI) -> None:
    own, other = klass.grade("ada", GOOD), klass.grade("ben", HALF)
    assistant = signed_in(app, "tess")
    assert own in assistant.get(QUEUE).text
    assert other not in assistant.get(QUEUE).text
    for act in ("take", "points:4", "reveal", "undo", "skip", "accept"):
        assert assistant.post(f"{QUEUE}/{other}/q1", {"act": act}).status_code == 404
    student = signed_in(app, "ada")
    assert student.get(QUEUE).status_code == 403
    assert student.post(f"{QUEUE}/{own}/q1", {"act": "points:4"}).status_code == 403
    assert _points(klass, other)[1] == "needs_review"


@pytest.mark.parametrize(
    "form",
    [
        {"act": "points:9"},
        {"act": "points:x"},
        {"act": "save", "points": "NaN"},
        {"act": "points:1", "follows": "x"},
        {},
    ],
)
def test_what_is_no_mark_is_refused_and_changes_nothing(
    klass: Class, app: FastAPI, form: dict[str, str]
) -> None:
    submission = klass.grade("ada", HALF)
    browser = signed_in(app, "ida")
    here = f"{QUEUE}/{submission}/q1"
    _follow(browser, here, act="take")
    assert browser.post(here, {"follows": "0", **form}).status_code == 422
    assert _points(klass, submission)[1] == "needs_review"


def test_marks_of_a_question_correct_what_one_key_accepts(klass: Class, app: FastAPI) -> None:
    early = klass.grade("ada", GOOD)
    browser = signed_in(app, "ida")
    here = f"{QUEUE}/{early}/q1"
    _follow(browser, here, act="take")
    page = browser.get(here).text
    assert "too few marks of this question are known" in page
    assert _accepting(page)[0] == "accept"
    _follow(browser, here, act="skip")
    teach_low(klass, klass.enrol("ida", Role.INSTRUCTOR))
    _follow(browser, here, act="take")
    page = browser.get(here).text
    assert re.search(r"By its words alone 3 of 4. 6 marks of this question correct it to <strong>", page)
    assert "its confidence is below 95%" in page
    act, points = _accepting(page)
    assert act == f"points:{points}"
    assert points == 1.5
    _follow(browser, here, act=act, follows=_hidden(page, "follows"))
    assert _points(klass, early) == (points, "reviewed")


def _accepting(page: str) -> tuple[str, float]:
    found = re.search(r'name="act" value="([^"]*)" data-key="a">Accept ([\d.]+) of', page)
    assert found, "no button accepts"
    return found[1], float(found[2])


def test_second_opinions_stand_beside_the_proposal(klass: Class, app: FastAPI) -> None:
    asked = read_question(next(one for one in ITEMS if one.key == "q1"), PARTS[-2]).sha256
    opinions = (
        Opinion("endpoint", "small-model", OpinionState.GIVEN, asked, "p" * 64, 0.25),
        Opinion("sentences", "<b>mini</b>", OpinionState.GIVEN, asked, "p" * 64, 0.75),
    )
    submission = klass.grade("ada", GOOD, opinions=opinions)
    browser = signed_in(app, "ida")
    here = f"{QUEUE}/{submission}/q1"
    _follow(browser, here, act="take")
    page = browser.get(here).text
    assert re.search(r"second opinion differs</span> language model \(small-model\): 1 of 4", page)
    assert re.search(r"second opinion</span> sentence model \(&lt;b&gt;mini&lt;/b&gt;\): 3 of 4", page)
    assert "a second opinion says something else" in page


def test_how_far_proposals_can_be_trusted_is_told_by_question(klass: Class, app: FastAPI) -> None:
    browser = signed_in(app, "ida")
    address = f"{QUEUE}/reliability"
    assert address in browser.get(QUEUE).text
    assert "Nobody has decided on a written answer yet" in browser.get(address).text
    teach_low(klass, klass.enrol("ida", Role.INSTRUCTOR), 12)
    page = " ".join(browser.get(address).text.split())
    assert re.search(r"<dt>Decisions</dt><dd>12</dd>", page)
    assert re.search(r"<dt>Proposals right</dt><dd>0%</dd>", page), "1 of 4 is not near 3"
    assert re.search(r'<dd class="note">of 7 that earlier marks corrected', page), "none of the first five"
    assert re.search(r"q1 <span class=.quiet.>Bottleneck</span></th> .*?>on 12 marks", page)
    assert "As sure as it was right?" in page
