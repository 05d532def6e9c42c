"""Reports on pages: what a student sees when, what staff see, and what nobody else does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI

from grader.domain.offering import Release
from grader.domain.override import Override
from grader.domain.run import CellRun, CellState
from grader.domain.submission import SubmissionState
from grader.services.grades.standing import settle
from tests.integration.page_requests import Browser, signed_in
from tests.integration.parts import Parts
from tests.integration.student_parts import (
    PAGE,
    PNG,
    days,
    extend,
    grade,
    hand_in,
    offer,
    text_of,
)

EXERCISE = ("All cells ran, so to say.", "6.5", "26.4%", "0.0512")
QUESTION = ("Your choice was read as B.", "overfits")


@pytest.fixture
def graded(parts: Parts, ada: Browser) -> str:
    page = hand_in(ada)
    grade(parts, page)
    return page


def test_the_report_tells_points_reasons_and_what_waits(ada: Browser, graded: str) -> None:
    page = ada.get(graded).text
    told = text_of(page)
    assert "9.5 of 12 points so far" in told
    assert "1 item waits for a teacher" in told
    for words in (*EXERCISE, *QUESTION, "Wanted 18.0%", "– / 1"):
        assert words in told, words
    assert "because it &lt;b&gt;overfits" in page
    for name, kind in (("latent_2.png", "image/png"), ("error_curve.svg", "image/svg+xml")):
        assert f"{graded}/pictures/{name}" in page
        picture = ada.get(f"{graded}/pictures/{name}")
        assert (picture.status_code, picture.headers["Content-Type"]) == (200, kind)
    assert ada.get(f"{graded}/pictures/latent_2.png").content == PNG


def test_nothing_of_the_proposal_nor_for_staff_is_on_a_students_page(ada: Browser, graded: str) -> None:
    page = ada.get(graded).text
    for secret in ("secret statement", "staff only", "proposal", "a" * 64):
        assert secret not in page


@pytest.mark.parametrize(
    ("said", "extended", "sees_exercise", "sees_question"),
    [
        ({}, 0.0, True, True),
        ({"release": Release.WHEN_PUBLISHED}, 0.0, False, False),
        ({"release": Release.WHEN_PUBLISHED, "published_at": days(-1)}, 0.0, True, True),
        ({"release": Release.AFTER_DUE, "due_at": days(1)}, 0.0, False, False),
        ({"release": Release.AFTER_DUE, "due_at": days(-1)}, 0.0, True, True),
        ({"release": Release.AFTER_DUE, "due_at": days(-1)}, 2.0, False, False),
        ({"release": Release.AFTER_DUE}, 0.0, True, True),
        ({"releases": {"ex1": Release.WHEN_PUBLISHED}}, 0.0, False, True),
        ({"releases": {"q1": Release.WHEN_PUBLISHED}}, 0.0, True, False),
        ({"releases": {"q1": Release.AFTER_DUE}, "due_at": days(1)}, 0.0, True, False),
    ],
)
def test_each_part_is_shown_from_its_release_on(
    parts: Parts,
    ada: Browser,
    graded: str,
    said: dict[str, Any],
    extended: float,
    sees_exercise: bool,
    sees_question: bool,
) -> None:
    offer(parts, **said)
    if extended:
        extend(parts, "ada", days(extended))
    with parts.database.write() as unit:
        settle(unit, graded.rsplit("/", 1)[1])
        unit.commit()
    told = text_of(ada.get(graded).text)
    for words, sees in ((EXERCISE, sees_exercise), (QUESTION, sees_question)):
        for word in words:
            assert (word in told) is sees, (word, told)
    # The total, and what waits, could tell of what is held back.
    assert ("9.5 of 12 points so far" in told) is (sees_exercise and sees_question)
    assert ("waits for a teacher" in told) is sees_question
    if sees_question and not sees_exercise:
        assert "3 of 4 points in what is released so far" in told
    run = 200 if sees_exercise else 404
    for path in ("pictures/latent_2.png", "pictures/error_curve.svg", "notebook", "notebook/frame"):
        assert ada.get(f"{graded}/{path}").status_code == run, path
    assert ("How each cell ran" in told) is sees_exercise
    for page in (PAGE, "/courses/cs101"):
        listed = text_of(ada.get(page).text)
        assert ("9.5" in listed) is (sees_exercise and sees_question), listed
        assert ("waits for a teacher" in listed) is (sees_exercise and sees_question)


def test_a_run_that_is_held_back_shows_only_which_cells_had_their_turn(parts: Parts, ada: Browser) -> None:
    page = hand_in(ada)
    submission_id = page.rsplit("/", 1)[1]
    with parts.database.write() as unit:
        unit.work.take_up(submission_id, 0, "run", first=True, now=datetime.now(UTC))
        unit.progress.restart(submission_id, [2, 3])
        unit.progress.note(submission_id, [CellRun(2, CellState.ERROR, 1.5, 3, "ValueError: <b>mine</b>")])
        unit.commit()
    shown = ada.get(page).text
    assert "ValueError: &lt;b&gt;mine" in shown
    assert "stopped with an error" in shown
    offer(parts, releases={"ex1": Release.WHEN_PUBLISHED})
    for held in (ada.get(page).text, ada.get(f"{page}/progress").text):
        assert "had its turn" in held
        assert "ValueError" not in held
        assert "stopped" not in held
        assert "1.5 s" not in held


def test_lateness_is_told_in_numbers(parts: Parts, ada: Browser) -> None:
    offer(parts, due_at=days(-1.5), late_percent_per_day=10.0)
    page = hand_in(ada)
    grade(parts, page)
    told = text_of(ada.get(page).text)
    assert "7.6 of 12 points so far" in told
    assert "2 days late: 9.5 points × 80% = 7.6" in told
    assert "7.6 of 12" in text_of(ada.get(PAGE).text)


def test_a_teachers_mark_and_comment_stand_in_the_report(parts: Parts, ada: Browser, graded: str) -> None:
    submission_id = graded.rsplit("/", 1)[1]
    with parts.database.write() as unit:
        decided = Override("q1.explanation", 0.5, "ines", "for the record", "Half of it is there.")
        unit.overrides.add(submission_id, decided, datetime.now(UTC), follows=0)
        settle(unit, submission_id)
        unit.commit()
    told = text_of(ada.get(graded).text)
    assert "10 of 12 points" in told
    assert "so far" not in told
    assert "reviewed by a teacher" in told
    assert "Half of it is there." in told
    assert "for the record" not in told
    assert "ines" not in told


def test_our_failure_is_told_as_ours_and_its_reason_to_staff_alone(
    parts: Parts, ada: Browser, app: FastAPI
) -> None:
    page = hand_in(ada)
    with parts.database.write() as unit:
        unit.work.finish(page.rsplit("/", 1)[1], 0, SubmissionState.FAILED, datetime.now(UTC), "no jail here")
        unit.commit()
    told = text_of(ada.get(page).text)
    assert "We could not grade this; it is no zero." in told
    assert "no jail here" not in told
    assert "20 of 20 left" in text_of(ada.get(PAGE).text)
    assert "no jail here" in text_of(signed_in(app, "ines").get(page).text)


def test_nobody_but_its_student_and_their_teachers_finds_a_submission(app: FastAPI, graded: str) -> None:
    paths = ("", "/progress", "/notebook", "/notebook/frame", "/pictures/latent_2.png")
    for who in ("ben", "cyd", "eve"):
        other = signed_in(app, who)
        for path in paths:
            assert other.get(graded + path).status_code == 404, (who, path)
    for path in paths:
        assert Browser(app).get(graded + path).status_code == 303
    assert signed_in(app, "ada").get("/submissions/x").status_code == 404


def test_staff_see_everything_within_their_sections(parts: Parts, app: FastAPI, graded: str) -> None:
    offer(parts, release=Release.WHEN_PUBLISHED)
    of_b = hand_in(signed_in(app, "cyd"))
    grade(parts, of_b)
    ines, tom = signed_in(app, "ines"), signed_in(app, "tom")
    for staff, name in ((ines, "Ada"), (tom, "A-")):
        told = text_of(staff.get(graded).text)
        assert name in told
        assert "9.5 of 12 points" in told
        assert "How this grade came about" in told
        assert staff.get(f"{graded}/notebook/frame").status_code == 200
    assert "Ada" not in text_of(tom.get(graded).text)
    offer(parts, is_anonymous=False)
    assert "Ada" in text_of(tom.get(graded).text)
    assert ines.get(of_b).status_code == 200
    assert tom.get(of_b).status_code == 404
    with parts.database.read() as unit:
        readers = {entry.actor for entry in unit.audit.page(subject=graded.rsplit("/", 1)[1])}
    assert {"ines", "tom"} <= readers


def test_the_list_leads_staff_to_their_pages_and_students_to_their_work(app: FastAPI, ada: Browser) -> None:
    staff, own = signed_in(app, "ines").get("/courses/cs101").text, ada.get("/courses/cs101").text
    for page in ("dashboard", "review", "gradebook"):
        assert f"{PAGE}/{page}" in staff
        assert f"{PAGE}/{page}" not in own
    assert "Hand in" in own


def test_a_closed_assignment_is_listed_only_for_who_handed_in(
    parts: Parts, app: FastAPI, graded: str
) -> None:
    offer(parts, is_open=False)
    assert "A homework" in signed_in(app, "ada").get("/courses/cs101").text
    assert "A homework" not in signed_in(app, "ben").get("/courses/cs101").text
    assert "A homework" in signed_in(app, "ines").get("/courses/cs101").text


def test_a_student_asks_about_an_item_and_finds_the_answer_beside_it(
    parts: Parts, ada: Browser, app: FastAPI, graded: str
) -> None:
    where = f"{graded}/items/q1.choice/regrade"
    refused = ada.post(where, {"text": " "})
    assert refused.status_code == 422
    assert "The question has 1 to 2000 characters" in refused.text
    assert ada.post(where, {"text": "I meant <b>B</b>."}).headers["Location"] == f"{graded}#q1.choice"
    page = ada.get(graded).text
    assert "I meant &lt;b&gt;B" in page
    assert "A teacher will answer here." in page
    assert where not in page
    assert ada.post(where, {"text": "again"}).status_code == 422
    with parts.database.write() as unit:
        submission_id = graded.rsplit("/", 1)[1]
        unit.regrade_requests.answer(submission_id, "q1.choice", "It stays.", "ines", datetime.now(UTC))
        unit.commit()
    told = text_of(ada.get(graded).text)
    assert "It stays." in told
    assert "ines" not in told
    assert signed_in(app, "ben").post(where, {"text": "not mine"}).status_code == 404
    assert ada.post(f"{graded}/items/nothing/regrade", {"text": "x"}).status_code == 404
    offer(parts, release=Release.WHEN_PUBLISHED)
    assert ada.post(f"{graded}/items/ex1.runs/regrade", {"text": "x"}).status_code == 404
