"""Handing in through the pages: looked through first, submitted once, by its owner, while it is open."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from grader.services.submitting import drafts, look_through
from grader.web import Deps, create_app
from grader.worker.guard import JailGuard
from grader.worker.stages import Job, Stages
from tests.integration.page_requests import Browser, signed_in
from tests.integration.parts import NOW, Parts
from tests.integration.student_parts import (
    PAGE,
    check,
    days,
    extend,
    fill_in,
    grade,
    hand_in,
    offer,
    text_of,
    write_notebook,
)
from tests.integration.web_requests import post, problem

pytestmark = pytest.mark.usefixtures("small_class")


def test_a_notebook_goes_from_the_drop_zone_to_its_report(parts: Parts, ada: Browser) -> None:
    draft = check(ada, fill_in("print(1)", "B"))
    found = text_of(ada.get(draft).text)
    assert "not handed in yet" in found
    assert "read as B" in found
    assert parts.count("submission") == 0
    page = ada.post(draft).headers["Location"]
    waiting = ada.get(page)
    assert "The service is not grading now. Your work is safe" in waiting.text
    assert 'hx-trigger="every 2s"' in waiting.text
    assert '<noscript><meta http-equiv="refresh"' in waiting.text

    autograder, job, guard = parts.autograder, Job(page.rsplit("/", 1)[1], 0), JailGuard()
    stages = Stages(parts.database, parts.blobs, autograder, parts.assignments, clock=lambda: NOW)
    # The scripted grader runs what the only exercise says.
    run = stages.run(job, guard)
    assert run is not None
    with parts.database.write() as unit:
        unit.workers.beat("worker", "here", 1)
        unit.commit()
    assert "Your notebook is running" in ada.get(page).text
    models = stages.measure(job, run, guard)
    assert models is not None
    assert stages.judge(job, run, models, guard) is not None
    done = ada.get(f"{page}/progress")
    assert (done.status_code, done.headers["HX-Refresh"]) == (204, "true")
    report = text_of(ada.get(page).text)
    assert "8 of 8 points" in report
    assert "All cells ran." in report
    listed = text_of(ada.get(PAGE).text)
    assert "counts" in listed
    assert "8 of 8" in listed
    assert "8 of 8" in text_of(ada.get("/courses/cs101").text)


def test_the_check_names_what_is_missing_and_tells_nothing_of_what_is_right(ada: Browser) -> None:
    page = ada.get(check(ada, fill_in("!pip install x\nimport google.colab", "A or B"))).text
    told = text_of(page)
    assert "no letter for certain" in told
    assert "Cell 3 installs packages." in told
    assert "Colab" in told
    assert "0 of 2 parts" not in told
    assert "1 of 2 parts are complete" in told
    wrong = text_of(ada.get(check(ada, fill_in(answer="A"))).text)
    assert "read as A" in wrong
    assert "right" not in wrong.replace("not whether it is right", "")
    untouched = text_of(ada.get(check(ada, fill_in())).text)
    assert "placeholder unchanged" in untouched


def test_words_that_belong_nowhere_are_shown(ada: Browser) -> None:
    data = fill_in("print(1)", "B")
    extra = (
        "markdown",
        "# Notes\n\nI liked the picture of the <script>alert(1)</script> digits very much indeed.",
    )
    page = ada.get(
        check(ada, data.replace(b'"# Homework"', b'"# Homework\\n\\nDear teacher, hello there."'))
    ).text
    assert "<script>alert" not in page
    assert "Dear teacher" in text_of(page)
    assert "<script>alert" not in ada.get(check(ada, fill_in("print(1)", "B", extra))).text


def test_code_that_is_the_templates_own_is_no_answer(parts: Parts, ada: Browser) -> None:
    template = fill_in("model = None  # your code here")
    parts.assignments["hw"] = replace(parts.assignments["hw"], template=template)
    for code, found in (
        ("model = None  # your code here\n", "placeholder unchanged"),
        ("# nothing yet", "nothing written"),
        ("", "nothing written"),
        ("model = train()", "1 code cell"),
    ):
        told = text_of(ada.get(check(ada, fill_in(code))).text)
        assert f"Exercise 1 Run {found}" in told
        assert f"{int(found == '1 code cell')} of 2 parts are complete" in told
    without = write_notebook(("markdown", "# Homework"), ("code", ""))
    assert "Exercise 1 Run not found" in text_of(ada.get(check(ada, without)).text)


def test_one_limit_is_told_before_and_after(ada: Browser) -> None:
    assert "one .ipynb file, at most 0.2 MB" in text_of(ada.get(PAGE).text)
    for size, words in ((200_001, "at most 0.2 MB are allowed"), (300_000, "At most 0.2 MB are accepted")):
        refused = ada.post(f"{PAGE}/drafts", files={"file": ("hw.ipynb", b"x" * size)})
        assert words in text_of(refused.text)


def test_the_address_of_a_refused_upload_leads_back_to_the_drop_zone(ada: Browser) -> None:
    assert ada.post(f"{PAGE}/drafts", files={"file": ("hw.ipynb", b"{}")}).status_code == 422
    again = ada.get(f"{PAGE}/drafts")
    assert (again.status_code, again.headers["Location"]) == (303, PAGE)


def test_a_refused_file_says_why_on_the_same_page_and_changes_nothing(parts: Parts, ada: Browser) -> None:
    first = hand_in(ada)
    for data, why in (
        (b"", "The file is empty"),
        (b"%PDF-1.4", "a PDF"),
        (b"{}", "not a notebook"),
        (b"x" * 210_000, "too large"),
        (b"x" * 4_000_000, "MB are accepted"),
    ):
        answer = ada.post(f"{PAGE}/drafts", files={"file": ("hw.ipynb", data)})
        assert answer.status_code == 422, why
        assert why in answer.text
        assert "Your attempts" in answer.text
        assert first in answer.text
    answer = ada.post(f"{PAGE}/drafts", files={"file": ("", b"")})
    assert answer.status_code == 422
    assert "No file was chosen" in answer.text
    assert parts.count("draft") == 0


def test_a_draft_waits_on_the_assignments_page_until_it_is_handed_in(ada: Browser, app: FastAPI) -> None:
    draft = check(ada, fill_in(answer="B"), "final (2).ipynb")
    later = signed_in(app, "ada").get(PAGE).text
    assert draft in later
    assert "final (2).ipynb" in later
    ada.post(draft)
    assert draft not in ada.get(PAGE).text


def test_two_clicks_are_one_submission(parts: Parts, ada: Browser) -> None:
    draft = check(ada, fill_in(answer="B"))
    first, second = ada.post(draft), ada.post(draft)
    assert first.headers["Location"] == second.headers["Location"]
    assert parts.count("submission") == 1
    assert hand_in(ada, fill_in(answer="B")) == first.headers["Location"]


def test_nobody_sees_or_submits_anothers_draft(parts: Parts, ada: Browser, app: FastAPI) -> None:
    draft = check(ada, fill_in(answer="B"))
    for who in ("ben", "ines", "tom"):
        other = signed_in(app, who)
        assert other.get(draft).status_code == 404
        assert other.post(draft).status_code in (403, 404)
    forged = f"{PAGE}/drafts/{'0' * 64}"
    assert ada.get(forged).status_code == ada.post(forged).status_code == 404
    assert ada.post(f"{PAGE}/drafts/..%2F..%2Fx").status_code == 404
    assert ada.client.post(draft, data={"csrf": "x"}).status_code == 403
    assert parts.count("submission") == 0


def test_who_is_not_in_the_course_hands_nothing_in(app: FastAPI, parts: Parts) -> None:
    answer = signed_in(app, "eve").post(f"{PAGE}/drafts", files={"file": ("hw.ipynb", fill_in())})
    assert answer.status_code == 404
    assert parts.count("draft") == 0


def test_staff_try_the_check_and_hand_nothing_in(app: FastAPI, parts: Parts) -> None:
    ines = signed_in(app, "ines")
    draft = check(ines, fill_in(answer="B"))
    assert "Submit for good" not in ines.get(draft).text
    assert ines.post(draft).status_code == 403
    assert parts.count("submission") == 0


def test_before_it_opens_and_after_it_closes_nothing_is_taken_and_the_draft_stays(
    parts: Parts, ada: Browser, client: TestClient
) -> None:
    draft = check(ada, fill_in(answer="B"))
    for said, why in (
        ({"opens_at": days(1)}, "opens on"),
        ({"closes_at": days(-1)}, "closed on"),
        ({"is_open": False}, "is closed"),
    ):
        offer(parts, **said)
        answer = ada.post(draft)
        assert answer.status_code == 422
        assert why in answer.text
        assert "Your file is kept" in answer.text
        assert why in problem(post(client), 422, "not-open")
    assert parts.count("submission") == 0
    offer(parts, closes_at=days(-1))
    extend(parts, "ada", days(1))
    assert ada.post(draft).status_code == 303
    problem(post(client, user="ben"), 422, "not-open")


def test_what_was_handed_in_is_still_the_same_submission_after_closing(
    parts: Parts, ada: Browser, client: TestClient
) -> None:
    first = post(client).headers["Location"]
    offer(parts, closes_at=days(-1))
    assert post(client).headers["Location"] == first


def test_when_all_attempts_are_used_the_draft_stays(parts: Parts, ada: Browser) -> None:
    known = parts.assignments["hw"]
    policy = replace(known.rubric.policy, attempts=1)
    parts.assignments["hw"] = replace(known, rubric=replace(known.rubric, policy=policy))
    hand_in(ada)
    draft = check(ada, fill_in(answer="A")) if "Check it" in ada.get(PAGE).text else ""
    assert draft == ""
    assert "All attempts are used" in ada.get(PAGE).text
    draft = check(ada, fill_in(answer="A"))
    answer = ada.post(draft)
    assert answer.status_code == 422
    assert "All 1 attempts" in answer.text
    assert "Your file is kept" in answer.text


def test_the_page_says_dates_and_rules_in_words(parts: Parts, ada: Browser) -> None:
    offer(parts, due_at=days(-1.5), closes_at=days(9), late_percent_per_day=10.0)
    told = text_of(ada.get(PAGE).text)
    assert "costs 10% of the points" in told
    assert "1 day 12 hours ago" in told
    assert "20 of 20 left" in told
    offer(parts, due_at=days(-1.5))
    assert "Costs nothing. It is taken without an end." in text_of(ada.get(PAGE).text)
    offer(parts, due_at=days(-1.5), closes_at=days(9), late_percent_per_day=10.0)
    assert "2 days late, which costs 20%" in text_of(ada.get(check(ada, fill_in(answer="B"))).text)
    extend(parts, "ada", days(2.1))
    told = text_of(ada.get(PAGE).text)
    assert "your own extension" in told
    assert "in 2 days 2 hours" in told


def test_the_template_is_downloaded_by_members_alone(ada: Browser, app: FastAPI, parts: Parts) -> None:
    answer = ada.get(f"{PAGE}/template.ipynb")
    assert answer.content == parts.assignments["hw"].template
    assert 'filename="hw.ipynb"' in answer.headers["Content-Disposition"]
    assert signed_in(app, "eve").get(f"{PAGE}/template.ipynb").status_code == 404


def test_the_queue_tells_place_and_measured_minutes_once_there_are_some(parts: Parts, app: FastAPI) -> None:
    with parts.database.write() as unit:
        unit.workers.beat("worker", "here", 1)
        unit.commit()
    ada, ben = signed_in(app, "ada"), signed_in(app, "ben")
    first = hand_in(ada)
    assert "You are next. There is no estimate yet" in ada.get(first).text
    for number in range(3):
        grade(parts, hand_in(signed_in(app, "cyd"), fill_in(f"print({number})", "B")))
    assert "You are next. Your report should be there in about 1–2 minutes" in ada.get(first).text
    second = hand_in(ben)
    assert "1 ahead of you. Your report should be there in about 2–3 minutes" in ben.get(second).text


def test_progress_is_sent_again_only_when_something_changed(parts: Parts, ada: Browser) -> None:
    page = hand_in(ada)
    seen = ada.get(page).text.split("progress?seen=")[1].split('"')[0]
    assert ada.get(f"{page}/progress?seen={seen}").status_code == 204
    with parts.database.write() as unit:
        unit.progress.restart(page.rsplit("/", 1)[1], [2, 4])
        unit.commit()
    part = ada.get(f"{page}/progress?seen={seen}")
    assert part.status_code == 200
    assert "Cell 3" in part.text
    assert "<html" not in part.text


@pytest.mark.parametrize("code", ["\n" * 490_000 + "x = 1", "!" + "\n" * 200_000, " \t" * 245_000 + "x"])
def test_any_number_of_empty_lines_is_looked_through(parts: Parts, code: str) -> None:
    known = parts.assignments["hw"]
    limits = replace(known.rubric.upload_limits, bytes=10_000_000)
    parts.assignments["hw"] = replace(known, rubric=replace(known.rubric, upload_limits=limits))
    ada = signed_in(create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments)), "ada")
    page = text_of(ada.get(check(ada, fill_in(code, "B"))).text)
    assert "hw.ipynb · 4 cells." in page
    assert "could not look into it" not in page


def test_what_takes_too_long_to_look_through_is_handed_in_all_the_same(
    ada: Browser, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_through, "DEADLINE_SECONDS", 0.0)
    draft = check(ada, fill_in("print('too long')", "B"))
    page = text_of(ada.get(draft).text)
    assert "We could not look into it beforehand; it can be handed in all the same." in page
    assert ada.post(draft).status_code == 303
    assert parts.count("submission") == 1


def test_who_has_had_too_many_files_looked_through_today_has_no_more_looked_through(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MOST_A_DAY", 1)
    check(ada, fill_in("print(1)"))
    looked: list[bytes] = []
    monkeypatch.setattr(drafts, "look_through", lambda data, *_: looked.append(data))
    answer = ada.post(f"{PAGE}/drafts", files={"file": ("hw.ipynb", fill_in("print(2)"))})
    assert answer.status_code == 422
    assert not looked


def test_a_closed_homework_is_not_there_for_students_who_never_handed_in(
    app: FastAPI, parts: Parts, ada: Browser
) -> None:
    hand_in(ada)
    offer(parts, is_open=False)
    ben = signed_in(app, "ben")
    for page in (PAGE, f"{PAGE}/template.ipynb"):
        assert ben.get(page).status_code == 404
        assert ada.get(page).status_code == 200
        assert signed_in(app, "tom").get(page).status_code == 200
    answer = ben.post(f"{PAGE}/drafts", files={"file": ("hw.ipynb", fill_in("print(2)"))})
    assert answer.status_code == 404


def test_before_it_opens_students_get_neither_the_template_nor_a_check(
    app: FastAPI, parts: Parts, ada: Browser
) -> None:
    opens_at = days(1)
    offer(parts, opens_at=opens_at)
    told = f"This assignment opens on {opens_at:%-d %b %Y, %H:%M} UTC."
    refused = (
        ada.get(f"{PAGE}/template.ipynb"),
        ada.post(f"{PAGE}/drafts", files={"file": ("hw.ipynb", fill_in("print(2)"))}),
    )
    for answer in refused:
        assert answer.status_code == 422
        assert told in text_of(answer.text)
    assert ada.get(PAGE).status_code == 200
    assert signed_in(app, "tom").get(f"{PAGE}/template.ipynb").status_code == 200
