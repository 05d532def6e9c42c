"""The whole story with real workers and a real browser, from the first admin to the exported grades."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.service import Service
from tests.browser.look import Looker
from tests.conftest import REPOSITORY

PASSWORD = "correct horse battery"
ROSTER = (
    "user_id,name,email,role,sections\n"
    "ada,Ada Learner,ada@example.org,student,A\n"
    "ben,Ben Learner,ben@example.org,student,B\n"
    "tess,Tess Helper,tess@example.org,ta,A\n"
    "ines,Ines Teacher,ines@example.org,instructor,\n"
)
HOMEWORK = "/courses/ml2/assignments/homework_05"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("story") / "home", data_folder, workers=1) as service:
        yield service


def _choose_password(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Choose it and sign in").click()
    expect(page.get_by_role("heading", name="courses")).to_be_visible()


def _window(browser: Browser) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce").new_page()
    page.set_default_timeout(30_000)
    return page


class Story:
    """Everybody in it, each in a window of their own."""

    def __init__(self, browser: Browser, look: Looker, service: Service, tmp_path: Path) -> None:
        self.look, self.service, self.tmp_path = look, service, tmp_path
        self.address = str(service.client.base_url).rstrip("/")
        self.admin, self.student, self.assistant, self.instructor = (_window(browser) for _ in range(4))
        self.links: dict[str, str] = {}
        self.submission = ""

    def an_admin_makes_a_course_and_imports_its_roster(self) -> None:
        link = re.search(
            r"/invite/\S+", self.service.run("user", "add-admin", "root", "--name", "Root").stdout
        )
        assert link
        _choose_password(self.admin, self.address + link.group())
        self.admin.get_by_role("link", name="Make the first one").click()
        self.look.at(self.admin)
        new = self.admin.get_by_role("form", name="New course")
        new.get_by_label("Id").fill("ml2")
        new.get_by_label("Title").fill("Machine Learning 2")
        self.admin.get_by_role("button", name="Make a course").click()
        self.admin.goto(f"{self.address}/courses/ml2/roster")
        file = self.tmp_path / "roster.csv"
        file.write_text(ROSTER)
        self.admin.locator("input[type=file]").set_input_files(file)
        expect(self.admin.get_by_role("heading", name="What the roster changes")).to_be_visible()
        self.look.at(self.admin)
        self.admin.get_by_role("button", name="Apply").click()
        expect(self.admin.get_by_role("link", name="Ada Learner")).to_be_visible()
        self.look.at(self.admin)
        self.admin.get_by_role("button", name="Make and show links").click()
        self.look.at(self.admin)
        self.links = {
            row.locator("td").nth(0).inner_text(): row.locator("code").inner_text()
            for row in self.admin.get_by_role("row").all()[1:]
        }
        assert set(self.links) == {f"{name}@example.org" for name in ("ada", "ben", "tess", "ines")}

    def a_student_hands_in_and_reads_the_report(self) -> None:
        _choose_password(self.student, self.links["ada@example.org"])
        self.look.at(self.student)
        self.student.get_by_role("link", name="Machine Learning 2").click()
        self.look.at(self.student)
        self.student.goto(f"{self.address}{HOMEWORK}")
        self.look.at(self.student)
        self.student.locator("input[type=file]").set_input_files(
            REPOSITORY / "examples" / "half_trained.ipynb"
        )
        expect(self.student.get_by_role("heading", name="What we recognised")).to_be_visible()
        self.look.at(self.student, "recognised")
        self.student.get_by_role("button", name="Submit for good").first.click()
        expect(self.student.get_by_role("heading", name="How it stands")).to_be_visible()
        self.look.at(self.student)
        report = self.student.locator("#part-ex1")
        expect(report).to_be_visible(timeout=240_000)
        self.look.at(self.student, "report")
        self._the_report_is_whole_on_paper()
        self.submission = self.student.url
        assert self.student.locator("img.pixels").count() > 0
        for picture in self.student.locator(".gallery img").all():
            picture.scroll_into_view_if_needed()
            assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        self.student.get_by_role("link", name="Your notebook as it was run").click()
        frame = self.student.frame_locator("iframe")
        expect(frame.locator("body")).to_contain_text("latent")
        self.look.at(self.student)

    def _the_report_is_whole_on_paper(self) -> None:
        cells = self.student.get_by_role("columnheader", name="What happened")
        self.student.emulate_media(media="print")
        self.student.evaluate("dispatchEvent(new Event('beforeprint'))")
        expect(cells).to_be_visible()
        expect(self.student.get_by_text("Ask for a regrade").first).to_be_hidden()
        self.student.evaluate("dispatchEvent(new Event('afterprint'))")
        self.student.emulate_media(media="screen")
        expect(cells).to_be_hidden()

    def the_student_asks_about_an_item(self) -> None:
        self.student.goto(self.submission)
        asked = self.student.locator(r"#ex1\.runs")
        asked.get_by_text("Ask for a regrade").click()
        asked.get_by_label("What should be looked at, and why?").fill("The last cell ran at home.")
        asked.get_by_role("button", name="Ask a teacher").click()
        expect(self.student.locator(r"#ex1\.runs")).to_contain_text("A teacher will answer here.")

    def an_assistant_reviews_by_keyboard(self) -> None:
        _choose_password(self.assistant, self.links["tess@example.org"])
        self.assistant.goto(f"{self.address}{HOMEWORK}/review?only=q1&order=item")
        self.look.at(self.assistant)
        expect(self.assistant.get_by_role("button", name="Start reviewing")).to_be_visible()
        self.assistant.keyboard.press("Enter")
        expect(self.assistant.get_by_role("heading", name="The student's words")).to_be_visible()
        assert "Ada" not in self.assistant.locator("main").inner_text()
        self.look.at(self.assistant)
        self.assistant.keyboard.press("c")
        self.assistant.keyboard.type("Good.")
        self.assistant.keyboard.press("Escape")
        with self.assistant.expect_navigation():
            self.assistant.keyboard.press("3")
        self.assistant.goto(f"{self.address}{HOMEWORK}/review/{self.submission.rsplit('/', 1)[1]}/ex1.runs")
        expect(self.assistant.get_by_text("The last cell ran at home.")).to_be_visible()
        self.assistant.get_by_role("button", name="Take it").click()
        self.assistant.get_by_label("Answer to the student's question").fill(
            "Here it did not: see its error."
        )
        self.assistant.get_by_role("button", name="Answer and leave the points").click()
        self.student.goto(self.submission)
        expect(self.student.locator(r"#ex1\.runs")).to_contain_text("Here it did not: see its error.")
        expect(self.student.locator("#q1")).to_contain_text("reviewed by a teacher")
        expect(self.student.locator("#q1")).to_contain_text("Good.")

    def the_instructor_changes_the_rubric(self) -> None:
        _choose_password(self.instructor, self.links["ines@example.org"])
        self.instructor.goto(f"{self.address}{HOMEWORK}/dashboard")
        self.look.at(self.instructor)
        self.instructor.goto(f"{self.address}{HOMEWORK}/rubric")
        self.look.at(self.instructor)
        self.instructor.get_by_role("link", name="Change it").click()
        self.look.at(self.instructor)
        self.instructor.locator("[name='q1:points']").fill("8")
        for field in self.instructor.locator("[name^='q1:q1.'][name$=':points']").all():
            field.evaluate("field => { field.value = String(2 * Number(field.value)); }")
        self.instructor.get_by_role("button", name="Preview what changes").first.click()
        expect(self.instructor.get_by_role("heading", name="Who moves")).to_be_visible()
        self.look.at(self.instructor, "who_moves")
        self.instructor.get_by_label("Why it changes").fill("Interpolation counts double")
        self.instructor.on("dialog", lambda dialog: dialog.accept())
        self.instructor.get_by_role("button", name="Publish").click()
        expect(self.instructor.get_by_text("The new version holds")).to_be_visible()
        self.student.goto(self.submission)
        expect(self.student.locator("#q1")).to_contain_text("3 / 8")  # a human's mark survives

    def grades_go_out(self) -> None:
        self.instructor.goto(f"{self.address}{HOMEWORK}/gradebook")
        self.look.at(self.instructor)
        self.instructor.get_by_role("button", name="Publish grades").click()
        expect(self.instructor.get_by_text(re.compile("^Published "))).to_be_visible()
        self.instructor.goto(f"{self.address}{HOMEWORK}/gradebook")
        self.instructor.locator("select[name=format]").select_option("generic")
        for box in self.instructor.locator("form[action$='gradebook.csv'] input[type=checkbox]").all():
            box.check()
        with self.instructor.expect_download() as waited:
            self.instructor.locator("form[action$='gradebook.csv'] button").first.click()
        text = waited.value.path().read_text(encoding="utf-8-sig")
        assert "Ada Learner" in text
        assert "q1" in text.splitlines()[0]
        self.instructor.goto(f"{self.address}{HOMEWORK}/settings")
        self.look.at(self.instructor)
        self.instructor.goto(f"{self.address}/courses/ml2/audit")
        expect(self.instructor.get_by_role("table")).to_contain_text("Ines Teacher")
        self.look.at(self.instructor)


@pytest.mark.timeout(900)
def test_from_the_first_admin_to_the_exported_grades(
    browser: Browser, look: Looker, service: Service, tmp_path: Path
) -> None:
    story = Story(browser, look, service, tmp_path)
    story.an_admin_makes_a_course_and_imports_its_roster()
    story.a_student_hands_in_and_reads_the_report()
    story.the_student_asks_about_an_item()
    story.an_assistant_reviews_by_keyboard()
    story.the_instructor_changes_the_rubric()
    story.grades_go_out()
