"""Several attempts on pages: the same file again, which one counts, and what is said of the others."""

from __future__ import annotations

from fastapi import FastAPI

from grader.domain.grade import ItemState
from grader.domain.offering import Counts, Release
from grader.services.grades.report import read_report, submission_document
from tests.integration.page_requests import Browser, signed_in
from tests.integration.parts import NOW, Parts
from tests.integration.student_parts import (
    PAGE,
    check,
    days,
    fill_in,
    grade,
    hand_in,
    make_grade,
    offer,
    text_of,
)


def test_a_file_that_was_handed_in_says_as_what_and_leaves_no_draft_behind(
    parts: Parts, ada: Browser
) -> None:
    first = hand_in(ada)
    draft = check(ada, fill_in(answer="B"))
    told = text_of(ada.get(draft).text)
    assert "This file is your attempt 1" in told
    assert "Handing it in again would change nothing." in told
    assert "not handed in" not in told
    assert "Submit for good" not in told
    assert first in ada.get(draft).text
    assert "not handed in" not in text_of(ada.get(PAGE).text)
    assert ada.post(draft).headers["Location"] == first
    assert parts.count("draft") == 0
    assert "This file is your attempt 1" in text_of(ada.get(draft).text)  # by the browser's Back button


def test_where_the_last_one_counts_an_earlier_file_can_be_made_the_last_again(
    parts: Parts, ada: Browser
) -> None:
    offer(parts, counts=Counts.LAST)
    first, second = hand_in(ada), hand_in(ada, fill_in(answer="A"))
    grade(parts, first)
    grade(parts, second)
    draft = check(ada, fill_in(answer="B"))
    told = text_of(ada.get(draft).text)
    assert "This file is your attempt 1" in told
    assert "it becomes attempt 3" in told
    assert ada.post(draft).headers["Location"] == first  # a click on a page of before there was an attempt 2
    again = ada.post(draft, {"again_after": "2"}).headers["Location"]
    assert again not in (first, second)
    assert ada.post(draft, {"again_after": "2"}).headers["Location"] == again
    assert "Handing it in again would change nothing." in text_of(ada.get(draft).text)
    assert parts.count("submission") == 3
    assert parts.count("draft") == 0
    grade(parts, again)
    assert "counts" in text_of(ada.get(again).text)
    with parts.database.read() as unit:
        counted = unit.standings.find(again.rsplit("/", 1)[1])
    assert counted is not None
    assert counted.is_counted


def test_an_earlier_file_becomes_the_last_only_while_something_is_taken_and_where_the_last_counts(
    parts: Parts, ada: Browser
) -> None:
    first, _second = hand_in(ada), hand_in(ada, fill_in(answer="A"))
    draft = check(ada, fill_in(answer="B"))
    for after in ("2", "1", "x", "9" * 400):
        assert ada.post(draft, {"again_after": after}).headers["Location"] == first
    offer(parts, counts=Counts.LAST, closes_at=days(-1))
    refused = ada.post(draft, {"again_after": "2"})
    assert refused.status_code == 422
    assert "closed on" in refused.text
    assert "Hand in again" not in refused.text
    assert parts.count("submission") == 2


def test_which_of_two_attempts_is_better_is_not_told_before_their_points_are(
    parts: Parts, ada: Browser
) -> None:
    first, second = hand_in(ada), hand_in(ada, fill_in("print(2)", "B"))
    grade(parts, first)
    grade(parts, second, make_grade(("ex1.runs", 1.0, 8.0, ItemState.AUTO, "", {})))
    assert "counts" in text_of(ada.get(first).text)
    offer(parts, release=Release.WHEN_PUBLISHED)
    listed = text_of(ada.get(PAGE).text)
    assert "Which attempt counts is told once all points are released." in listed
    for page in (first, second):
        assert "counts" not in text_of(ada.get(page).text)


def test_a_report_that_does_not_count_names_the_one_that_does_and_promises_no_teacher(
    parts: Parts, ada: Browser, app: FastAPI
) -> None:
    offer(parts, counts=Counts.LAST)
    first, second = hand_in(ada), hand_in(ada, fill_in("print(2)", "B"))
    grade(parts, first)
    grade(parts, second)
    told = text_of(ada.get(first).text)
    assert "Attempt 2 counts, not this one." in told
    assert "is not read, unless you ask for a regrade" in told
    assert second in ada.get(first).text
    assert "not read – / 1" in told
    for promise in ("waits for a teacher", "A teacher will read it", "so far", "for a teacher and"):
        assert promise not in told, promise
    assert text_of(ada.get(PAGE).text).count("waits for a teacher") == 1  # the attempt that counts
    counting = text_of(ada.get(second).text)
    assert "1 item waits for a teacher and counts 0 until then." in counting
    assert "A teacher will read it." in counting
    assert "Attempt 2 counts, not this one." in text_of(signed_in(app, "ines").get(first).text)
    comment = submission_document(read_report(parts.database, first.rsplit("/", 1)[1]), None, NOW)["comment"]
    assert comment == "Another attempt counts; only if asked a person decides on: q1.explanation."

    ada.post(f"{first}/items/q1.explanation/regrade", {"text": "Please look."})
    told = text_of(ada.get(first).text)
    assert "1 item waits for a teacher" in told
    assert "not read" not in told


def test_as_long_as_it_is_not_told_which_attempt_counts_reports_promise_a_teacher_to_that_one_alone(
    parts: Parts, ada: Browser
) -> None:
    offer(parts, releases={"ex1": Release.WHEN_PUBLISHED})
    first, second = hand_in(ada), hand_in(ada, fill_in("print(2)", "B"))
    grade(parts, first)
    assert "1 item waits for a teacher and counts 0 until then." in text_of(ada.get(first).text)
    grade(parts, second)
    for page in (first, second):
        told = text_of(ada.get(page).text)
        assert "waits for a teacher, who reads only the attempt that counts, and counts 0" in told
        assert "counts, not this one" not in told
