"""A rubric is changed in the service: who may, what holds then, and how it is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignments import Edit, RubricInvalid
from grader.checks.judge import version_of
from grader.domain.offering import Offering
from grader.domain.people import Actor, Role
from grader.errors import ContentInvalid, NotFound, NotPermitted, Overtaken, RequestRefused
from grader.services.catalog import Catalog
from grader.services.regrade import regrade
from grader.storage import Database, make_engine
from tests.integration.parts import NOW
from tests.integration.regrade_parts import (
    HOMEWORK,
    LOWER,
    OTHER_POINTS,
    REWORDED,
    TEACHER,
    Class,
    lines_changed,
    make_class,
    member,
)

ADMIN = Actor("root", "root", is_admin=True)
SMALL = {"count": 4, "alike": 4}


@pytest.fixture
def graded(tmp_path: Path) -> Class:
    return make_class(tmp_path, **SMALL)


def _publish(graded: Class, text: str, actor: Actor = TEACHER, note: str = "fairer") -> None:
    token = graded.rubrics.propose(actor, HOMEWORK, text).token
    graded.rubrics.publish_version(actor, HOMEWORK, text, note=note, token=token, now=NOW)


def test_a_published_version_holds_at_once_in_every_process(graded: Class) -> None:
    elsewhere = Catalog(Database(make_engine(str(graded.database.engine.url))), graded.content)
    before = elsewhere[HOMEWORK].rubric
    text = graded.edited(*OTHER_POINTS)
    _publish(graded, text)
    for catalog in (graded.catalog, elsewhere, Catalog(graded.database, graded.content)):
        assert catalog[HOMEWORK].rubric.maximum == before.maximum + 2
        assert catalog[HOMEWORK] is catalog[HOMEWORK]  # read once
    assert graded.rubrics.export(HOMEWORK) == text
    with graded.database.read() as unit:
        heads = unit.grades.heads(HOMEWORK)
    assert {head.version for head in heads} == {version_of(elsewhere[HOMEWORK].rubric, {})}


def test_the_file_wins_once_it_has_changed_and_the_history_says_so(graded: Class) -> None:
    first = graded.rubric_file.read_text()
    _publish(graded, graded.edited(*LOWER))
    by_hand = first.replace("title: The notebook runs", "title: It runs")
    graded.rubric_file.write_text(by_hand)
    assert graded.catalog[HOMEWORK].rubric.items[0].title == "It runs"
    assert graded.rubrics.export(HOMEWORK) == by_hand
    top, published, original = graded.rubrics.history(TEACHER, HOMEWORK)
    assert (top.id, top.actor, top.holds) == (None, "file", True)
    assert "changed after" in top.note
    assert "+    title: It runs" in top.diff
    assert (published.actor, published.note, published.holds) == ("grace", "fairer", False)
    assert "threshold: 0.4" in published.diff
    assert original.actor == "file"
    assert graded.rubrics.version_text(TEACHER, HOMEWORK, original.id or 0) == first
    _publish(graded, graded.edited(*LOWER))
    assert [entry.holds for entry in graded.rubrics.history(TEACHER, HOMEWORK)] == [True] + 3 * [False]


def test_a_file_that_becomes_wrong_while_the_service_runs_does_not_hold(graded: Class) -> None:
    text = graded.rubric_file.read_text()
    before = graded.catalog[HOMEWORK]
    graded.rubric_file.write_text(text.replace("points: 8", "points: -8", 1))
    assert graded.catalog[HOMEWORK] is before
    with pytest.raises(ContentInvalid, match="points must be greater than 0"):
        Catalog(graded.database, graded.content)
    graded.rubric_file.write_text(text.replace("title: The notebook runs", "title: It runs"))
    assert graded.catalog[HOMEWORK].rubric.items[0].title == "It runs"


def test_a_wrong_text_is_refused_with_its_line_and_leaves_nothing(graded: Class) -> None:
    text = graded.rubric_file.read_text()
    broken = text.replace("points: 8", "points: eight", 1)
    line = broken[: broken.index("points: eight")].count("\n") + 1
    (problem,) = graded.rubrics.check_text(HOMEWORK, broken)
    assert (problem.line, "points must be a number" in problem.message) == (line, True)
    assert graded.rubrics.check_text(HOMEWORK, text) == ()
    before = graded.dump()
    with pytest.raises(RubricInvalid):
        graded.rubrics.propose(TEACHER, HOMEWORK, broken)
    with pytest.raises(RubricInvalid):
        graded.rubrics.publish_version(TEACHER, HOMEWORK, broken, note="", token="", now=NOW)
    assert graded.rubrics.check_text(HOMEWORK, "half a character \ud800") != ()
    assert graded.dump() == before


def test_an_earlier_version_can_be_restored(graded: Class) -> None:
    text = graded.rubric_file.read_text()
    before = graded.standings()
    _publish(graded, graded.edited(*OTHER_POINTS))
    original = graded.rubrics.history(TEACHER, HOMEWORK)[-1].id or 0
    token = graded.rubrics.propose(TEACHER, HOMEWORK, text).token
    graded.rubrics.restore(TEACHER, HOMEWORK, original, token=token, now=NOW)
    assert graded.rubrics.export(HOMEWORK) == text
    after = graded.standings()
    assert {one: s.final for one, s in after.items()} == {one: s.final for one, s in before.items()}
    assert graded.count("grade") == 12
    assert graded.rubrics.history(TEACHER, HOMEWORK)[0].note == f"version {original} again"


def test_of_two_who_looked_at_the_same_rubric_one_publishes(graded: Class) -> None:
    mine, theirs = graded.edited(*LOWER), graded.edited(*OTHER_POINTS)
    tokens = [graded.rubrics.propose(TEACHER, HOMEWORK, text).token for text in (mine, theirs)]
    graded.rubrics.publish_version(TEACHER, HOMEWORK, mine, note="", token=tokens[0], now=NOW)
    with pytest.raises(Overtaken):
        graded.rubrics.publish_version(TEACHER, HOMEWORK, theirs, note="", token=tokens[1], now=NOW)
    assert graded.rubrics.export(HOMEWORK) == mine


def test_a_regrade_that_was_cut_off_after_publishing_goes_on(
    graded: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("grader.services.rubrics.regrade", die)
    with pytest.raises(KeyboardInterrupt):
        _publish(graded, graded.edited(*LOWER))
    done = regrade(graded.database, graded.catalog[HOMEWORK], NOW)
    assert (len(done.untouched), len(done.failed)) == (0, 0)


@pytest.mark.parametrize(
    "actor",
    [
        member("tim", "ml2", Role.TA),
        member("ada", "ml2", Role.STUDENT),
        member("eve", "ml3", Role.INSTRUCTOR),
        Actor("nobody", "nobody"),
    ],
    ids=lambda actor: actor.id,
)
def test_only_who_manages_every_course_changes_a_rubric(graded: Class, actor: Actor) -> None:
    text = graded.edited(*LOWER)
    token = graded.rubrics.propose(ADMIN, HOMEWORK, text).token
    one, *_ = graded.ids()
    before = graded.dump()
    for act in (
        lambda: graded.rubrics.propose(actor, HOMEWORK, text),
        lambda: graded.rubrics.propose(actor, HOMEWORK, course="ml2"),
        lambda: graded.rubrics.publish(actor, HOMEWORK, token, NOW),
        lambda: graded.rubrics.publish_version(actor, HOMEWORK, text, note="", token=token, now=NOW),
        lambda: graded.rubrics.history(actor, HOMEWORK),
        lambda: graded.rubrics.version_text(actor, HOMEWORK, 1),
    ):
        with pytest.raises(NotPermitted):
            act()
    with pytest.raises((NotPermitted, NotFound)):
        graded.rubrics.regrade_one(actor, one, NOW)
    assert graded.dump() == before


def test_an_unknown_assignment_is_not_found(graded: Class) -> None:
    for act in (
        lambda: graded.rubrics.export("homework_99"),
        lambda: graded.rubrics.propose(ADMIN, "homework_99"),
        lambda: graded.rubrics.check_text("homework_99", ""),
    ):
        with pytest.raises(NotFound, match=HOMEWORK):
            act()
    assert "homework_99" not in graded.catalog


def test_an_edit_of_what_only_a_run_can_answer_is_warned_of(graded: Class) -> None:
    text = graded.rubric_file.read_text()
    heading = text.replace("      B: The model is overfitting", "      B: It is overfitting")
    assert "run again" in graded.rubrics.propose(TEACHER, HOMEWORK, heading).warnings[0]
    limits = text.replace("attempts: 20", "attempts: 30")
    assert "from now on" in graded.rubrics.propose(TEACHER, HOMEWORK, limits).warnings[0]
    assert graded.rubrics.propose(TEACHER, HOMEWORK, graded.edited(*LOWER)).warnings == ()


def test_edits_change_their_lines_alone(graded: Class) -> None:
    before = graded.rubric_file.read_text()
    after = graded.edited(*LOWER, *OTHER_POINTS, *REWORDED)
    assert lines_changed(before, after) == [
        "params: {latent_dim: 8, threshold: 0.4, band: 0.02}",
        "params: {latent_dim: 32, threshold: 0.6, band: 0.02}",
        "points: 6",
        "points: 3.5",
        "- It keeps what matters.",
        "- Alike images lie near.",
        "params: {key: C}",
    ]
    assert len(after.splitlines()) == len(before.splitlines()) - 3  # two statements in place of five
    assert after.count("#") == before.count("#")
    assert graded.rubrics.check_text(HOMEWORK, after) == ()
    assert graded.edited() == before


@pytest.mark.parametrize(
    "edit",
    [
        Edit("q99", "points", 1.0),
        Edit("q1", "check", "runs"),
        Edit("q1", "points", 1.0, concept="q1.c9"),
        Edit("q1", "id", "x", concept="q1.c1"),
        Edit("q1", "params.key", "B"),
    ],
)
def test_an_edit_of_what_is_not_there_is_refused(graded: Class, edit: Edit) -> None:
    with pytest.raises(RequestRefused):
        graded.edited(edit)


def test_publishing_is_in_the_audit_log_of_its_course(graded: Class) -> None:
    _publish(graded, graded.edited(*LOWER))
    with graded.database.read() as unit:
        actions = [(entry.actor, entry.action) for entry in unit.audit.page(course="ml2")]
    assert actions == [("grace", "grade.regrade"), ("grace", "rubric.publish")]


def test_a_course_that_gives_the_homework_has_a_say_before_anybody_hands_in(tmp_path: Path) -> None:
    fresh = make_class(tmp_path, count=0, alike=1)
    with fresh.database.write() as unit:
        unit.offerings.put("ml2", HOMEWORK, Offering(), NOW)
        unit.commit()
    text = fresh.edited(*LOWER)
    rival = member("eve", "ml3", Role.INSTRUCTOR)
    for act in (lambda: fresh.rubrics.propose(rival, HOMEWORK, text), lambda: _publish(fresh, text, rival)):
        with pytest.raises(NotPermitted, match="Other courses that you do not manage"):
            act()
    _publish(fresh, text, ADMIN)
    with fresh.database.read() as unit:
        assert "rubric.publish" in {entry.action for entry in unit.audit.page(course="ml2")}
