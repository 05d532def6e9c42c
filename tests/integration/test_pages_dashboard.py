"""The dashboard's pages: who sees what, what they note, and what their buttons do."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest
from fastapi import FastAPI

from grader.domain.offering import Offering
from grader.domain.override import Override
from grader.domain.people import Membership, Role
from grader.domain.run import Verdict
from grader.domain.submission import SubmissionState
from grader.services.grades.standing import settle
from grader.storage.classes.resemblances import Resemblance
from tests.integration.graded import grade
from tests.integration.page_requests import Browser, add_person, signed_in
from tests.integration.parts import NOW, Parts, make_parts
from tests.integration.small_class import (
    DASHBOARD,
    Work,
    add_students,
    fail,
    hand_in,
    hand_in_graded,
    make_class_parts,
    offer,
)

TABLE = f"{DASHBOARD}/submissions"


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_class_parts(make_parts(tmp_path))


@pytest.fixture
def ids(parts: Parts) -> dict[str, str]:
    """A graded submission of ada (section a) and of ben (section b)."""
    add_students(parts, {"ada": "a", "ben": "b"})
    works = {"ada": Work({"ex1.runs": 8.0, "q1": None}), "ben": Work({"ex1.runs": 2.0}, "A")}
    return {user: hand_in_graded(parts, user, work) for user, work in works.items()}


@pytest.fixture
def ines(app: FastAPI, ids: dict[str, str]) -> Browser:
    return signed_in(app, "ines")


def acts(parts: Parts) -> list[tuple[str, str, str]]:
    with parts.database.read() as unit:
        return [(one.actor, one.action, one.subject) for one in unit.audit.page(course="cs101")]


def test_an_empty_class_is_told_what_will_be_here(app: FastAPI, parts: Parts) -> None:
    add_students(parts, {})
    ines = signed_in(app, "ines")
    assert ines.get(DASHBOARD).text.count('class="empty"') == 7
    assert "as they come in" in ines.get(TABLE).text


def test_a_list_of_pairs_says_how_many_more_there_are(app: FastAPI, parts: Parts) -> None:
    students = [f"s{number}" for number in range(8)]
    add_students(parts, dict.fromkeys(students, "a"))
    first, second = ([hand_in_graded(parts, one, Work({}), number) for one in students] for number in (1, 2))
    ines = signed_in(app, "ines")
    for handed_in, told in ((first[:6], ""), (first, "and 8 more pairs"), (second, "and 8 more pairs")):
        with parts.database.write() as unit:
            for one, other in combinations(handed_in, 2):
                unit.resemblances.add_pair("cs101", "hw", Resemblance(one, other, "code", 0.9, 5))
            unit.commit()
        page = ines.get(DASHBOARD).text
        assert page.count(">side by side<") == (20 if told else 15)
        assert ("more pair" in page) == bool(told)
        assert told in page


def test_the_figures_stand_on_the_page_with_a_table_beside_each_picture(ines: Browser) -> None:
    page = ines.get(DASHBOARD)
    assert page.status_code == 200
    assert page.text.count("<svg") == page.text.count('role="img"') + page.text.count('aria-hidden="true"><')
    assert page.text.count("As a table") == 2
    assert "mean 5," in page.text  # 8 points of ada, 2 of ben
    assert "Students by points" in page.text
    assert "grader regrade" not in page.text


def test_a_class_under_two_versions_of_the_rubric_is_told_so_and_how_to_mend_it(
    ines: Browser, parts: Parts, ids: dict[str, str]
) -> None:
    grade(parts, ids["ben"], 3.0, maximum=4.0)
    page = ines.get(DASHBOARD).text
    assert "out of 4 or 15 points" in page
    assert "<code>grader regrade hw</code>" in page
    assert "Students by percent" in page
    assert "after lateness, in percent: mean 64.17," in page  # 8 of 15 points of ada, 3 of 4 of ben


@pytest.mark.parametrize("path", ["", "/submissions"])
def test_a_student_and_a_stranger_are_refused(
    app: FastAPI, parts: Parts, ids: dict[str, str], path: str
) -> None:
    assert signed_in(app, "ada").get(DASHBOARD + path).status_code == 403
    for page in (f"/students/{ids['ada']}", f"/pairs/{ids['ada']}/{ids['ben']}"):
        assert signed_in(app, "ada").get(DASHBOARD + page).status_code == 403


def test_an_assistant_finds_only_their_sections_on_every_page(app: FastAPI, ids: dict[str, str]) -> None:
    tom = signed_in(app, "tom")
    for page in (tom.get(DASHBOARD), tom.get(TABLE), tom.post(TABLE, {"words": "b"})):
        assert page.status_code == 200
        assert "Ben" not in page.text
    assert tom.get(f"{DASHBOARD}/students/{ids['ada']}").status_code == 200
    assert tom.get(f"{DASHBOARD}/students/{ids['ben']}").status_code == 404
    assert tom.get(f"{DASHBOARD}/pairs/{ids['ada']}/{ids['ben']}").status_code == 404
    assert tom.get(f"{DASHBOARD}?section=b").status_code == 404


def _pages(ids: dict[str, str]) -> tuple[str, ...]:
    return DASHBOARD, TABLE, f"{TABLE}?sort=name&up=1", f"{DASHBOARD}/students/{ids['ada']}"


def test_names_are_hidden_on_every_page_until_grades_are_published(
    app: FastAPI, parts: Parts, ids: dict[str, str]
) -> None:
    fail(parts, hand_in(parts, "ada", 2))
    offer(parts, Offering())
    for who in ("tom", "ines"):
        browser = signed_in(app, who)
        report = (
            (f"/submissions/{ids['ada']}",) if who == "tom" else ()
        )  # to instructors it is signed, and noted
        for path in (*_pages(ids), *report):
            page = browser.get(path)
            assert page.status_code == 200
            assert not re.search(r"\bada\b", page.text, re.IGNORECASE), f"{who} {path}"
        found = browser.post(TABLE, {"words": "ada"}).text
        assert ("2 of 2" if who == "tom" else "3 of 3") in found, "who is found would say who it is"
        assert 'role="search"' not in found
    assert "names.show" not in [action for _, action, _ in acts(parts)]
    assert "Ada" not in signed_in(app, "tom").get(f"{DASHBOARD}?names=1").text, "assistants cannot ask"
    offer(parts, Offering(published_at=NOW))
    assert "Ada" in signed_in(app, "tom").get(TABLE).text


def test_an_instructor_who_asks_for_names_sees_them_on_the_way_and_is_noted(
    ines: Browser, parts: Parts, ids: dict[str, str]
) -> None:
    offer(parts, Offering())
    address = re.search(r'href="([^"]*names=1)"', ines.get(TABLE).text)
    assert address
    page = ines.get(address[1].replace("&amp;", "&")).text
    assert "Ada" in page
    student = re.search(rf'href="([^"]*/students/{ids["ada"]}[^"]*)"', page)
    assert student
    assert "Ada" in ines.get(student[1]).text
    assert ("ines", "names.show", "hw") in acts(parts)


def test_an_assistant_does_not_see_their_own_work_from_when_they_were_a_student(
    app: FastAPI, parts: Parts, ids: dict[str, str]
) -> None:
    add_person(parts, "tim", Role.STUDENT, ("a",))
    own = hand_in_graded(parts, "tim", Work({"ex1.runs": 7.0}))
    with parts.database.write() as unit:
        unit.people.enrol("tim", Membership("cs101", Role.TA, frozenset("a")), NOW)
        unit.commit()
    tim = signed_in(app, "tim")
    assert own not in tim.get(TABLE).text
    assert ids["ada"] in tim.get(TABLE).text
    assert tim.get(f"{DASHBOARD}/students/{own}").status_code == 404


def test_a_search_is_posted_and_stands_in_no_address(ines: Browser, parts: Parts) -> None:
    page = ines.post(f"{TABLE}?sort=points", {"words": "ADA"})
    assert "Ada" in page.text
    assert "Ben" not in page.text
    addresses = re.findall(r'(?:href|action|formaction|hx-get|hx-post)="([^"]*)"', page.text)
    assert not [address for address in addresses if "ada" in address.casefold().replace("dashboard", "")]
    assert 'form="search"' in page.text
    assert ines.client.post(TABLE, data={"words": "ada"}).status_code == 403  # without the session's token


def test_htmx_gets_the_table_alone(ines: Browser) -> None:
    part = ines.get(f"{TABLE}?sort=name&up=1", **{"HX-Request": "true", "HX-Target": "table"})
    assert "<html" not in part.text
    assert part.text.index("Ada") < part.text.index("Ben")
    assert 'aria-sort="ascending"' in part.text


def test_filters_stand_in_the_address_and_leave_only_what_they_name(ines: Browser, parts: Parts) -> None:
    fail(parts, hand_in(parts, "ben", 2))
    for query, names in (
        ("?section=a", {"Ada"}),
        ("?attention=waiting", {"Ada"}),
        ("?attention=failed", {"Ben"}),
        ("?state=failed", {"Ben"}),
        ("?attention=asked", set()),
        ("?state=nonsense", {"Ada", "Ben"}),
        ("?page=99", {"Ada", "Ben"}),
    ):
        page = ines.get(TABLE + query)
        assert {name for name in ("Ada", "Ben") if name in page.text} == names, query
    assert ines.get(f"{TABLE}?sort=nonsense").status_code == 422


def test_a_students_page_tells_the_history_and_notes_who_looked(
    ines: Browser, parts: Parts, ids: dict[str, str]
) -> None:
    with parts.database.write() as unit:
        mark = Override("q1", 3.0, "tom", reason="second reading", comment="well seen")
        unit.overrides.add(ids["ada"], mark, NOW, follows=0)
        settle(unit, ids["ada"])
        unit.commit()
    page = ines.get(f"{DASHBOARD}/students/{ids['ada']}").text
    for words in ("Ada", "Attempt 1", "Graded", "second reading", "well seen", "Tom", "counts"):
        assert words in page
    assert acts(parts)[0] == ("ines", "student.view", "ada")


def test_two_side_by_side_are_noted_for_both(ines: Browser, parts: Parts, ids: dict[str, str]) -> None:
    page = ines.get(f"{DASHBOARD}/pairs/{ids['ada']}/{ids['ben']}")
    assert page.status_code == 200
    assert "print(" in page.text
    noted = {(action, subject) for _, action, subject in acts(parts)}
    assert noted >= {("submission.compare", ids["ada"]), ("submission.compare", ids["ben"])}
    assert ines.get(f"{DASHBOARD}/pairs/{ids['ada']}/{'0' * 32}").status_code == 404


def test_what_we_failed_at_is_tried_again_by_instructors_alone(
    app: FastAPI, ines: Browser, parts: Parts
) -> None:
    failed = [hand_in(parts, user, 2) for user in ("ada", "ben")]
    for submission_id in failed:
        fail(parts, submission_id, "no jail could be started")
    assert "no jail could be started" in ines.get(DASHBOARD).text
    tom = signed_in(app, "tom")
    assert "Try again" not in tom.get(DASHBOARD).text
    assert tom.post(f"{DASHBOARD}/retry").status_code == 403
    assert ines.post(f"{DASHBOARD}/retry", {"submission": failed[0]}).status_code == 303
    assert states(parts, failed) == [SubmissionState.QUEUED, SubmissionState.FAILED]
    assert acts(parts)[0] == ("ines", "submission.retry", failed[0])
    assert ines.post(f"{DASHBOARD}/retry").status_code == 303
    assert states(parts, failed) == [SubmissionState.QUEUED, SubmissionState.QUEUED]
    assert acts(parts)[0] == ("ines", "submission.retry", failed[1])
    assert ines.post(f"{DASHBOARD}/retry").status_code == 404


def test_a_crash_is_told_with_its_verdict_and_the_first_errors_name(ines: Browser, parts: Parts) -> None:
    hand_in_graded(parts, "ada", Work({}, verdict=Verdict.MEMORY_LIMIT, seconds=700.0), 2)
    page = ines.get(DASHBOARD).text
    assert "memory limit" in page
    assert "MemoryError" in page
    assert "no more" not in page  # an error's words may be the student's
    assert "11 min 40 s" in page


def states(parts: Parts, ids: list[str]) -> list[SubmissionState]:
    with parts.database.read() as unit:
        found = [unit.submissions.find(submission_id) for submission_id in ids]
    return [filed.submission.state for filed in found if filed]
