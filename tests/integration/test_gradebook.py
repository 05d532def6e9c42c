"""The gradebook through its pages: who sees what, and what each act changes."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI

from grader.domain.gradebook import GradebookRow, RowState
from grader.domain.people import Role
from grader.services.gradebook.lines import open_book
from grader.services.grades.class_standing import draw_audited, settle_class
from grader.services.grades.standing import settle
from grader.storage import UnitOfWork
from grader.storage.standings import Mark, Standing
from tests.integration.graded import grade, graded, hand_in
from tests.integration.page_requests import Browser, add_person, signed_in
from tests.integration.parts import Parts, make_assignment

DUE = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=10)
PLACE = "/courses/cs101/assignments/hw"
BOOK = f"{PLACE}/gradebook"


@pytest.fixture
def ina(parts: Parts, app: FastAPI) -> Browser:
    add_person(parts, "ina", Role.INSTRUCTOR)
    for student, section in (("ada", "red"), ("ben", "blue"), ("cleo", "blue")):
        add_person(parts, student, Role.STUDENT, (section,))
    return signed_in(app, "ina")


def row(parts: Parts, user: str) -> GradebookRow:
    with parts.database.read() as unit:
        book = open_book(unit, "cs101", parts.assignments["hw"], datetime.now(UTC))
        return unit.gradebook.of(book, [user])[0]


def acts(parts: Parts) -> list[str]:
    with parts.database.read() as unit:
        return [entry.action for entry in unit.audit.page(course="cs101", limit=None)]


def settings(**changes: str) -> dict[str, str]:
    form = {
        "is_open": "on",
        "release": "at_once",
        "counts": "best",
        "grace_minutes": "5",
        "is_anonymous": "on",
    }
    return {**form, "due_at": f"{DUE:%Y-%m-%dT%H:%M}", "audited_percent": "10", **changes}


def test_everybody_of_the_roster_has_a_line_and_whoever_handed_in(parts: Parts, ina: Browser) -> None:
    graded(parts, "ada", 6.0, sent=DUE)
    hand_in(parts, "guest", DUE)
    page = ina.get(f"{BOOK}?names=true").text
    for name in ("Ada", "Ben", "Cleo", "guest"):
        assert f">{name}</a>" in page
    assert "Ina</a>" not in page
    assert [row(parts, user).state for user in ("ada", "guest", "ben")] == [
        RowState.PUBLISHED,
        RowState.QUEUED,
        RowState.NOT_SUBMITTED,
    ]


def test_names_are_hidden_until_publication_and_showing_them_is_noted(parts: Parts, ina: Browser) -> None:
    first = graded(parts, "ada", sent=DUE)
    page = ina.get(BOOK).text
    assert re.search(rf'href="/submissions/{first}">A-\w{{6}}</a>', page)
    assert "Ada" not in page
    assert "names.show" not in acts(parts)
    assert "Ada" in ina.get(f"{BOOK}?names=true").text
    ina.get(f"{BOOK}?names=true&page=1")
    assert acts(parts).count("names.show") == 1
    ina.post(f"{BOOK}/publish")
    assert "Ada" in ina.get(BOOK).text
    ina.post(f"{BOOK}/withdraw")
    assert "Ada" not in ina.get(BOOK).text
    assert acts(parts)[:2] == ["gradebook.withdraw", "gradebook.publish"]


def test_assistants_see_their_sections_alone(parts: Parts, ina: Browser, app: FastAPI) -> None:
    add_person(parts, "tom", Role.TA, ("red",))
    ada, ben = graded(parts, "ada", sent=DUE), graded(parts, "ben", sent=DUE)
    tom = signed_in(app, "tom")
    page = tom.get(f"{BOOK}?names=true&section=blue").text
    assert ben not in page
    assert ada not in page
    page = tom.get(f"{BOOK}?names=true").text
    assert ada in page
    assert "Ada" not in page
    assert tom.get(f"{BOOK}/students/ada").status_code == 403
    assert tom.get(f"{PLACE}/gradebook.csv").status_code == 403
    ina.post(f"{BOOK}/publish")
    assert "Ada" in tom.get(BOOK).text
    assert tom.get(f"{BOOK}/students/ada").status_code == 200
    assert tom.get(f"{BOOK}/students/ben").status_code == 404
    file = tom.get(f"{PLACE}/gradebook.csv").text
    assert "ada" in file
    assert "ben" not in file


@pytest.mark.parametrize("who", ["ada", "outsider"])
@pytest.mark.parametrize(
    "path",
    ["gradebook", "gradebook.csv", "gradebook/students/ben", "settings", "settings/template.ipynb"],
)
def test_students_and_strangers_see_nothing_of_it(
    parts: Parts, ina: Browser, app: FastAPI, who: str, path: str
) -> None:
    add_person(parts, "outsider", Role.INSTRUCTOR, course="other")
    answer = signed_in(app, who).get(f"{PLACE}/{path}")
    assert answer.status_code == (403 if who == "ada" else 404)


@pytest.mark.parametrize("who", ["ada", "tom", "outsider"])
@pytest.mark.parametrize(
    "path", ["gradebook/publish", "gradebook/withdraw", "settings", "gradebook/students/ben/extension",
             "gradebook/students/ben/excuse", "gradebook/students/ben/items/ex1.runs"],
)  # fmt: skip
def test_nobody_else_changes_anything(parts: Parts, ina: Browser, app: FastAPI, who: str, path: str) -> None:
    graded(parts, "ben", 2.0, sent=DUE)
    add_person(parts, "tom", Role.TA, ("red",))
    add_person(parts, "outsider", Role.INSTRUCTOR, course="other")
    before, noted = row(parts, "ben"), acts(parts)
    data = {"points": "8", "reason": "because", "act": "excuse", "follows": "0"}
    assert signed_in(app, who).post(f"{PLACE}/{path}", data).status_code in (403, 404)
    assert row(parts, "ben") == before
    assert acts(parts) == noted


def test_a_mark_by_hand_needs_a_reason_wins_and_can_be_taken_back(parts: Parts, ina: Browser) -> None:
    graded(parts, "ada", 2.0, sent=DUE)
    item = f"{BOOK}/students/ada/items/ex1.runs"
    refused = ina.post(item, {"points": "7", "reason": " ", "follows": "0"})
    assert refused.status_code == 422
    assert "a reason stands beside every changed grade" in refused.text
    assert ina.post(item, {"points": "9", "reason": "too kind", "follows": "0"}).status_code == 422
    assert ina.post(item, {"points": "7", "reason": "a typo of ours", "follows": "0"}).status_code == 303
    assert (row(parts, "ada").final, row(parts, "ada").is_overridden) == (7.0, True)
    page = ina.get(f"{BOOK}/students/ada").text
    assert "a typo of ours" in page
    assert 'role="status"' not in page
    seen = re.search(r'name="follows" value="(\d+)"', page)
    assert seen is not None
    assert ina.post(item, {"points": "1", "reason": "late click", "follows": "0"}).status_code == 409
    taken = ina.post(item, {"act": "take_back", "reason": "it was right", "follows": seen[1]})
    assert taken.status_code == 303
    assert (row(parts, "ada").final, row(parts, "ada").is_overridden) == (2.0, False)
    log = html.unescape(ina.get("/courses/cs101/audit?action=grade").text)
    assert "gave 7 of 8 points for ex1.runs, before: 2" in log
    assert "took back what a human gave for ex1.runs, before: 7" in log


def test_every_act_leads_back_to_where_it_was_done_and_says_what_holds_now(
    parts: Parts, ina: Browser
) -> None:
    graded(parts, "ada", 2.0, sent=DUE)
    student = f"{BOOK}/students/ada"
    item, extension, excuse = (f"{student}/{path}" for path in ("items/ex1.runs", "extension", "excuse"))

    def said(path: str, form: dict[str, str]) -> tuple[str, str]:
        where = ina.post(path, {"reason": "because", **form}).headers["location"]
        notes = re.findall(r'role="status">([^<]*)<', re.sub(r"</?time[^>]*>", "", ina.get(where).text))
        assert f'id="{where.partition("#")[2]}"' in ina.get(where).text
        return where.removeprefix(student), " ".join(notes)

    assert said(item, {"points": "7", "follows": "0"}) == (
        "?done=ex1.runs&attempt=1#ex1.runs",
        "Saved: 7 of 8 points for ex1.runs, given by hand.",
    )
    seen = re.search(r'name="follows" value="(\d+)"', ina.get(student).text)
    assert seen is not None
    assert said(item, {"act": "take_back", "follows": seen[1]})[1] == (
        "Taken back: ex1.runs has 2 of 8 points again."
    )
    assert said(extension, {"due_at": "2027-01-01T00:00"}) == (
        "?done=extension#extension",
        "Saved: their work is due 1 Jan 2027, 00:00 UTC.",
    )
    assert said(extension, {"due_at": ""})[1] == "Taken back: the due date is as for everybody."
    assert said(excuse, {"act": "excuse"}) == (
        "?done=excuse#excuse",
        "Saved: excused from this assignment.",
    )
    assert said(excuse, {"act": "take_back"})[1] == "Taken back: no longer excused."
    graded(parts, "ada", 4.0, sent=DUE, code="print(2)")
    given = said(item, {"points": "1", "follows": "0"})
    assert given == (
        "?done=ex1.runs&attempt=2#ex1.runs",
        "Saved for attempt 2. Attempt 1 counts now and is shown here.",
    )


def test_published_grades_are_the_instructors_to_change(parts: Parts, ina: Browser, app: FastAPI) -> None:
    add_person(parts, "tom", Role.TA, ("red",))
    graded(parts, "ada", 2.0, sent=DUE)
    ina.post(f"{BOOK}/publish")
    data = {"points": "7", "reason": "because", "follows": "0"}
    item = f"{BOOK}/students/ada/items/ex1.runs"
    assert signed_in(app, "tom").post(item, data).status_code == 403
    assert ina.post(item, data).status_code == 303


def test_lateness_costs_an_extension_gives_back_and_taking_it_back_costs_again(
    parts: Parts, ina: Browser
) -> None:
    graded(parts, "ada", 8.0, sent=DUE + timedelta(hours=30))
    ina.post(f"{PLACE}/settings", settings(late_percent_per_day="10"))
    assert (row(parts, "ada").final, row(parts, "ada").late_days) == (6.4, 2)
    extension = f"{BOOK}/students/ada/extension"
    later = DUE + timedelta(hours=10)
    data = {"due_at": f"{later:%Y-%m-%dT%H:%M}", "reason": "was ill"}
    assert ina.post(extension, {**data, "reason": ""}).status_code == 422
    assert ina.post(extension, data).status_code == 303
    assert (row(parts, "ada").final, row(parts, "ada").late_days) == (7.2, 1)
    assert row(parts, "ada").extended_to == later
    ina.post(extension, {"due_at": "", "reason": "a mistake"})
    assert row(parts, "ada").final == 6.4


def test_an_extension_gives_time_and_never_takes_it(parts: Parts, ina: Browser) -> None:
    graded(parts, "ada", 8.0, sent=DUE + timedelta(hours=30))
    graded(parts, "ben", 8.0, sent=DUE + timedelta(hours=30))
    ina.post(f"{PLACE}/settings", settings(late_percent_per_day="10"))
    earlier = {"due_at": f"{DUE - timedelta(days=300):%Y-%m-%dT%H:%M}", "reason": "a typo in the year"}
    refused = ina.post(f"{BOOK}/students/ben/extension", earlier)
    assert refused.status_code == 422
    told = f"choose a date after the class's, {DUE:%Y-%m-%d %H:%M} UTC"
    assert told in html.unescape(refused.text)
    assert (row(parts, "ben").final, row(parts, "ben").extended_to) == (6.4, None)
    a_day = {"due_at": f"{DUE + timedelta(days=1):%Y-%m-%dT%H:%M}", "reason": "was ill"}
    assert ina.post(f"{BOOK}/students/ada/extension", a_day).status_code == 303
    assert [row(parts, user).final for user in ("ada", "ben")] == [7.2, 6.4]
    a_week_for_all = f"{DUE + timedelta(days=7):%Y-%m-%dT%H:%M}"
    ina.post(f"{PLACE}/settings", settings(late_percent_per_day="10", due_at=a_week_for_all))
    assert [row(parts, user).final for user in ("ada", "ben")] == [8.0, 8.0]
    assert "gives no time beyond that" in ina.get(f"{BOOK}/students/ada").text


def test_an_excuse_is_shown_kept_with_an_extension_and_taken_back(parts: Parts, ina: Browser) -> None:
    excuse = f"{BOOK}/students/ben/excuse"
    assert ina.post(excuse, {"act": "excuse", "reason": "transferred credit"}).status_code == 303
    ina.post(f"{BOOK}/students/ben/extension", {"due_at": "2027-01-01T00:00", "reason": "in case"})
    assert row(parts, "ben").is_excused
    canvas = ina.get(f"{PLACE}/gradebook.csv?format=canvas").text
    assert canvas.splitlines()[2:] == ["Ben,,ben,ben,blue,EX"]
    assert ina.get(f"{PLACE}/gradebook.csv?format=moodle").text.count("\r\n") == 1
    ina.post(excuse, {"act": "take_back", "reason": "not after all"})
    assert not row(parts, "ben").is_excused
    assert row(parts, "ben").extended_to is not None


def test_the_attempt_that_counts_follows_the_settings(parts: Parts, ina: Browser) -> None:
    graded(parts, "ada", 8.0, sent=DUE + timedelta(days=3), code="print(1)")
    graded(parts, "ada", 5.0, sent=DUE, code="print(2)")
    assert (row(parts, "ada").attempt, row(parts, "ada").attempts) == (1, 2)
    ina.post(f"{PLACE}/settings", settings(counts="last"))
    assert (row(parts, "ada").attempt, row(parts, "ada").final) == (2, 5.0)
    ina.post(f"{PLACE}/settings", settings(late_percent_per_day="20"))  # the first is worth 3.2 now
    assert (row(parts, "ada").attempt, row(parts, "ada").final) == (2, 5.0)
    ina.post(f"{PLACE}/settings", settings(late_percent_per_day="1"))
    assert (row(parts, "ada").attempt, row(parts, "ada").final) == (1, 7.76)


def test_settings_that_cannot_be_are_refused_field_by_field(parts: Parts, ina: Browser) -> None:
    wrong = settings(
        opens_at=f"{DUE + timedelta(days=1):%Y-%m-%dT%H:%M}",
        closes_at="soon",
        late_percent_per_day="101",
        grace_minutes="1.5",
    )
    answer = ina.post(f"{PLACE}/settings", wrong)
    assert answer.status_code == 422
    for words in ("Not a date and time", "Not a whole number"):
        assert words in answer.text
    answer = ina.post(f"{PLACE}/settings", {**wrong, "closes_at": "", "grace_minutes": "5"})
    for words in ("Must be after it opens", "Must be from 0 to 100 percent"):
        assert words in answer.text
    with parts.database.read() as unit:
        assert unit.offerings.find("cs101", "hw").due_at is None


def test_settings_that_someone_else_saved_meanwhile_are_not_undone(
    parts: Parts, ina: Browser, app: FastAPI
) -> None:
    def opened(browser: Browser) -> str:
        return read_seen(browser.get(f"{PLACE}/settings").text)

    def read_seen(page: str) -> str:
        return re.findall(r'name="seen" value="(\w+)"', page)[0]

    add_person(parts, "ivo", Role.INSTRUCTOR)
    ivo = signed_in(app, "ivo")
    by_ina, by_ivo = opened(ina), opened(ivo)
    ina.post(f"{BOOK}/publish")  # changes no settings
    assert ivo.post(f"{PLACE}/settings", settings(seen=by_ivo)).status_code == 303
    late = ina.post(f"{PLACE}/settings", settings(seen=by_ina, due_at="", grace_minutes="77"))
    assert late.status_code == 409
    assert "Someone else saved other settings" in late.text
    assert 'value="77"' in late.text
    with parts.database.read() as unit:
        offering = unit.offerings.find("cs101", "hw")
    assert (offering.due_at, offering.grace_minutes) == (DUE, 5)
    again = settings(seen=read_seen(late.text), grace_minutes="77")
    assert ina.post(f"{PLACE}/settings", again).status_code == 303
    with parts.database.read() as unit:
        assert unit.offerings.find("cs101", "hw").grace_minutes == 77


def test_changed_settings_are_told_in_the_audit_log(parts: Parts, ina: Browser) -> None:
    assert ina.post(f"{PLACE}/settings", settings(counts="last")).status_code == 303
    assert "counts: best → last" in html.unescape(ina.get("/courses/cs101/audit").text)
    assert f"{DUE:%Y-%m-%dT%H:%M}" in ina.get(f"{PLACE}/settings").text
    ina.post(f"{PLACE}/settings", settings(counts="last"))
    assert acts(parts).count("settings.change") == 1


def test_a_publication_survives_a_change_of_settings(parts: Parts, ina: Browser) -> None:
    ina.post(f"{BOOK}/publish")
    ina.post(f"{PLACE}/settings", settings())
    with parts.database.read() as unit:
        assert unit.offerings.find("cs101", "hw").published_at is not None


def test_what_is_not_published_or_waits_stays_out_of_files_unless_asked_for(
    parts: Parts, ina: Browser
) -> None:
    graded(parts, "ada", 6.0, sent=DUE)
    graded(parts, "ben", 0.0, sent=DUE, proposed=4.0)
    ina.post(f"{PLACE}/settings", settings(release="when_published"))
    assert [row(parts, user).state for user in ("ada", "ben")] == [RowState.FINAL, RowState.WAITING]
    file = ina.get(f"{PLACE}/gradebook.csv?format=moodle")
    assert (file.text.count("\r\n"), file.headers["grader-left-out"]) == (1, "2")
    file = ina.get(f"{PLACE}/gradebook.csv?format=moodle&provisional=true")
    assert file.text.splitlines()[1:] == ["ada,ada,ada@example.org,Ada,6", "ben,ben,ben@example.org,Ben,0"]
    ina.post(f"{BOOK}/publish")
    file = ina.get(f"{PLACE}/gradebook.csv?format=moodle")
    assert (file.text.count("\r\n"), file.headers["grader-left-out"]) == (2, "1")
    with parts.database.read() as unit:
        noted = unit.audit.page(action="gradebook.export")
    assert [entry.details["students"] for entry in noted] == [1, 2, 0]


def test_a_file_holds_as_many_students_as_it_says(parts: Parts, ina: Browser) -> None:
    graded(parts, "ada", 6.0, sent=DUE)
    graded(parts, "ben", 7.0, sent=DUE)
    graded(parts, "dan", 3.0, sent=DUE, proposed=3.0)
    for student in ("ben", "cleo"):
        ina.post(f"{BOOK}/students/{student}/excuse", {"act": "excuse", "reason": "was ill"})
    for form, provisional, students, left_out in (
        ("canvas", "false", 3, 1),
        ("canvas", "true", 4, 0),
        ("moodle", "false", 1, 1),
        ("moodle", "true", 2, 0),
    ):
        file = ina.get(f"{PLACE}/gradebook.csv?format={form}&provisional={provisional}")
        headings = 2 if form == "canvas" else 1
        assert file.text.count("\r\n") - headings == students == int(file.headers["grader-students"])
        assert file.headers["grader-left-out"] == str(left_out)
    page = ina.get(f"{BOOK}?names=true").text
    assert "In the file: 1 student with a published grade. Left out unless you tick the box: 1." in page
    assert "Excused: 2," in page


def test_points_out_of_another_maximum_are_counted_and_are_to_be_regraded_first(
    parts: Parts, ina: Browser
) -> None:
    ids = {user: graded(parts, user, 8.0, sent=DUE) for user in ("ada", "ben", "cleo")}
    ina.post(f"{BOOK}/students/ben/excuse", {"act": "excuse", "reason": "was ill"})
    assert "Regrade first" not in ina.get(BOOK).text
    (item,) = parts.assignments["hw"].rubric.items
    parts.assignments["hw"] = make_assignment(items=(replace(item, points=4.0),))
    grade(parts, ids["cleo"], 4.0, maximum=4.0)
    for form, outdated in (("canvas", "1"), ("moodle", "1"), ("generic", "2")):
        assert ina.get(f"{PLACE}/gradebook.csv?format={form}").headers["grader-outdated"] == outdated
    assert "Regrade first: points of 2 students are not out of the 4" in ina.get(BOOK).text
    with parts.database.read() as unit:
        assert [one.details["outdated"] for one in unit.audit.page(action="gradebook.export")] == [2, 1, 1]


def test_staff_and_removed_members_are_in_no_line_and_no_file(parts: Parts, ina: Browser) -> None:
    add_person(parts, "tom", Role.TA, ("red",))
    for user in ("ada", "ben", "guest", "ina", "tom"):
        graded(parts, user, 8.0, sent=DUE)
    ina.post(f"{BOOK}/publish")
    with parts.database.write() as unit:
        unit.people.remove("cs101", "ben", datetime.now(UTC))
        unit.commit()
    page = ina.get(BOOK).text
    assert re.findall(r'students/\w+">(\w+)</a>', page) == ["Ada", "Cleo", "guest"]
    assert ">All 3</a>" in page
    assert ina.get(f"{BOOK}/students/tom").status_code == 404
    assert ina.post(f"{BOOK}/students/ben/excuse", {"act": "excuse", "reason": "left"}).status_code == 404
    for form in ("canvas", "moodle", "generic"):
        file = ina.get(f"{PLACE}/gradebook.csv?format={form}")
        named = [name for name in ("ada", "ben", "guest", "ina", "tom") if f"{name}," in file.text]
        assert named == ["ada", "guest"]
        assert file.headers["grader-students"] == "2"


def test_a_student_who_sees_every_part_sees_all_whatever_the_other_parts_would_be(
    parts: Parts, ina: Browser
) -> None:
    graded(parts, "ada", sent=DUE)
    ina.post(f"{PLACE}/settings", settings(**{"release": "when_published", "release.ex1": "at_once"}))
    assert row(parts, "ada").state is RowState.PUBLISHED
    ina.post(f"{PLACE}/settings", settings(**{"release": "at_once", "release.ex1": "when_published"}))
    assert row(parts, "ada").state is RowState.FINAL


def test_points_after_the_due_date_are_published_for_whom_it_has_passed(parts: Parts, ina: Browser) -> None:
    graded(parts, "ada", sent=DUE)
    graded(parts, "ben", sent=DUE)
    ina.post(f"{PLACE}/settings", settings(release="after_due"))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    data = {"due_at": f"{tomorrow:%Y-%m-%dT%H:%M}", "reason": "was ill"}
    ina.post(f"{BOOK}/students/ben/extension", data)
    assert [row(parts, user).state for user in ("ada", "ben")] == [RowState.PUBLISHED, RowState.FINAL]


def test_the_table_is_searched_sorted_filtered_and_paged(parts: Parts, ina: Browser) -> None:
    for user, points in (("ada", 3.0), ("ben", 8.0), ("cleo", 5.0)):
        graded(parts, user, points, sent=DUE)
    ina.post(f"{BOOK}/publish")
    names = r'students/\w+">(\w+)</a>'
    for sort in ("name", "section", "state", "final", "given", "waiting", "late", "attempt", "submitted",
                 "extension"):  # fmt: skip
        assert len(re.findall(names, ina.get(f"{BOOK}?sort={sort}&descending=true&items=true").text)) == 3
    assert re.findall(names, ina.get(f"{BOOK}?sort=final").text) == ["Ada", "Cleo", "Ben"]
    assert re.findall(names, ina.get(f"{BOOK}?sort=final&descending=true").text) == ["Ben", "Cleo", "Ada"]
    assert re.findall(names, ina.get(f"{BOOK}?section=blue").text) == ["Ben", "Cleo"]
    assert re.findall(names, ina.post(f"{BOOK}/search", {"search": "CLE example"}).text) == ["Cleo"]
    assert re.findall(names, ina.post(f"{BOOK}/search", {"search": "%"}).text) == []
    assert "No student fits" in ina.get(f"{BOOK}?state=waiting").text


def test_points_of_items_stand_before_the_dates_and_an_id_below_its_name(parts: Parts, ina: Browser) -> None:
    graded(parts, "ada", sent=DUE)
    page = ina.get(f"{BOOK}?names=true&items=true").text
    assert page.index("ex1.<wbr>runs</th>") < page.index("Handed in (UTC)")
    assert '>Ada</a><br><span class="quiet">ada</span>' in page


def test_a_course_without_students_is_told_how_to_get_some(parts: Parts, app: FastAPI) -> None:
    add_person(parts, "ina", Role.INSTRUCTOR)
    browser = signed_in(app, "ina")
    page = browser.get(f"{BOOK}?names=true").text
    assert 'Nobody takes part yet: <a href="/courses/cs101/roster">import a roster</a>' in page
    add_person(parts, "ada", Role.STUDENT)
    assert "No student fits" in browser.get(f"{BOOK}?names=true&state=failed").text


def test_settling_a_class_at_once_is_settling_each(parts: Parts, ina: Browser) -> None:
    for number, user in enumerate(("ada", "ben", "cleo")):
        graded(parts, user, 3.1 * number % 8, sent=DUE + timedelta(hours=20 * number), code=f"a = {number}")
        sent = DUE + timedelta(hours=50 * number)
        graded(parts, user, 1.5, sent=sent, code=f"b = {number}", proposed=6.25)
        for code in range(4):
            graded(parts, user, 1.5, sent=sent, code=f"c = {code}", proposed=6.25, accepted=True)
    ina.post(f"{BOOK}/students/ben/extension", {"due_at": "2026-01-01T00:00", "reason": "earlier"})
    ina.post(
        f"{PLACE}/settings",
        settings(late_percent_per_day="7.5", counts="best", grace_minutes="61", audited_percent="50"),
    )
    with parts.database.write() as unit:
        at_once = _all_that_counts(unit)
        assert settle_class(unit, "cs101", "hw") == 0
        assert draw_audited(unit, "cs101", "hw") == 0
        for submission_id in at_once:
            settle(unit, submission_id)
        each = _all_that_counts(unit)
    assert each == at_once
    assert len({standing.final for standing, _ in each.values()}) > 3
    audited = [mark.is_audited for _, marks in each.values() for mark in marks]
    assert 0 < sum(audited) < 12


def _all_that_counts(unit: UnitOfWork) -> dict[str, tuple[Standing, list[Mark]]]:
    standings = [one.standing for one in unit.standings.of_class("cs101", "hw")]
    marks = unit.standings.marks_of([one.submission_id for one in standings])
    return {one.submission_id: (one, marks[one.submission_id]) for one in standings}


def test_a_regrade_keeps_what_a_human_gave(parts: Parts, ina: Browser) -> None:
    submission_id = graded(parts, "ada", 2.0, sent=DUE)
    data = {"points": "7", "reason": "because", "follows": "0"}
    ina.post(f"{BOOK}/students/ada/items/ex1.runs", data)
    grade(parts, submission_id, 4.0)
    assert row(parts, "ada").final == 7.0


def test_the_template_is_what_students_get(parts: Parts, ina: Browser) -> None:
    answer = ina.get(f"{PLACE}/settings/template.ipynb")
    assert answer.content == parts.assignments["hw"].template
    assert answer.headers["content-disposition"] == 'attachment; filename="hw.ipynb"'
