"""The class in figures, held against what is reckoned by hand from the same submissions."""

from __future__ import annotations

import random
import statistics
from pathlib import Path

import pytest

from grader.domain.people import Actor, Membership, Role
from grader.domain.run import Verdict
from grader.errors import NotFound, NotPermitted
from grader.services.dashboard.attention import read_attention
from grader.services.dashboard.overview import Overview, read_overview
from grader.services.dashboard.scope import open_scope
from grader.services.gradebook.accommodations import excuse
from grader.storage.classes.submissions import Column, Filter
from tests.integration.graded import grade, graded
from tests.integration.parts import NOW, Parts, make_parts
from tests.integration.small_class import (
    ITEMS,
    Work,
    add_students,
    fail,
    hand_in,
    hand_in_graded,
    make_class_parts,
)

INES = Actor("ines", "Ines", {"cs101": Membership("cs101", Role.INSTRUCTOR)})
TOM = Actor("tom", "Tom", {"cs101": Membership("cs101", Role.TA, frozenset("a"))})
ADA = Actor("ada", "Ada", {"cs101": Membership("cs101", Role.STUDENT)})


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_class_parts(make_parts(tmp_path))


def look(parts: Parts, actor: Actor = INES, section: str = "") -> Overview:
    return read_overview(parts.database, open_scope(actor, "cs101", parts.assignments["hw"], section))


def make_some(parts: Parts, seed: int) -> dict[str, list[Work]]:
    """Two to nine students in two sections with one to three attempts each."""
    chance = random.Random(seed)
    students = {f"student{number}": chance.choice("ab") for number in range(chance.randrange(2, 10))}
    add_students(parts, students)
    handed: dict[str, list[Work]] = {}
    for student in students:
        for number in range(chance.randrange(1, 4)):
            points = {item.key: round(chance.choice((0, 0.25, 0.5, 1)) * item.points, 2) for item in ITEMS}
            choice = "B" if points["q2"] else chance.choice("AC")
            work = Work(
                {**points, "q1": None if chance.random() < 0.3 else points["q1"]},
                choice,
                explained=chance.random(),
                seconds=round(chance.uniform(1, 90), 1),
                verdict=chance.choice((Verdict.OK, Verdict.OK, Verdict.MEMORY_LIMIT)),
            )
            hand_in_graded(parts, student, work, number)
            handed.setdefault(student, []).append(work)
    return {student: handed[student] for student in handed if students[student]}


def best_of(works: list[Work]) -> Work:
    """Of a student's attempts the one with the most points; of equals the later."""
    return max(enumerate(works), key=lambda entry: (sum(filter(None, entry[1].points.values())), entry[0]))[1]


@pytest.mark.parametrize("seed", range(6))
def test_the_figures_are_those_of_each_students_best_attempt(parts: Parts, seed: int) -> None:
    handed = make_some(parts, seed)
    counted = [best_of(works) for works in handed.values()]
    totals = [sum(filter(None, work.points.values())) for work in counted]
    found = look(parts)
    assert found.counts.received == sum(map(len, handed.values()))
    assert found.counts.students == found.distribution.students == len(handed)  # type: ignore[union-attr]
    assert found.counts.crashed == sum(
        w.verdict is not Verdict.OK for works in handed.values() for w in works
    )
    assert found.waiting == sum(None in work.points.values() for work in counted)
    assert found.distribution is not None
    assert found.distribution.mean == pytest.approx(statistics.fmean(totals))
    assert [line.figures.key for line in found.items] == [item.key for item in ITEMS]
    for line in found.items:
        key, maximum = line.figures.key, line.figures.maximum
        pairs = [
            (work.points[key], total - work.points[key])  # type: ignore[operator]
            for work, total in zip(counted, totals, strict=True)
            if work.points[key] is not None
        ]
        assert line.figures.waiting == len(counted) - len(pairs)
        if pairs:
            marks, rests = zip(*pairs, strict=True)
            assert line.figures.difficulty == pytest.approx(statistics.fmean(marks) / maximum)
            varies = len(set(marks)) > 1 and len(set(rests)) > 1
            expected = pytest.approx(statistics.correlation(marks, rests), abs=1e-6) if varies else None
            assert line.figures.discrimination == expected
    wrong = [work.choice for work in counted if work.choice != "B"]
    choice = found.items[2]
    if wrong:
        assert wrong.count(choice.wrong_choice) == max(wrong.count("A"), wrong.count("C"))
        assert choice.wrong_share == pytest.approx(wrong.count(choice.wrong_choice) / len(counted))
    else:
        assert choice.wrong_choice == ""
    (size,) = found.sizes
    assert (size.latent_dim, size.students) == (2, len(counted))
    explained = [work.explained for work in counted]
    assert size.quartiles == pytest.approx(statistics.quantiles(explained, method="inclusive"))
    assert min(explained) <= size.quartiles[0] <= size.quartiles[2] <= max(explained)
    assert size.pca == pytest.approx(1 - 0.056 / 0.0676)


def test_under_two_rubrics_items_are_described_as_most_of_the_class_has_them(parts: Parts) -> None:
    students = [f"student{number}" for number in range(6)]
    add_students(parts, dict.fromkeys(students, "a"))
    ids = [graded(parts, student, 8.0, sent=NOW) for student in students]
    for regraded in ids[:2]:
        grade(parts, regraded, 3.0, maximum=4.0)
    (line,) = look(parts).items
    assert (line.figures.maximum, line.figures.students, line.figures.difficulty) == (8.0, 4, 1.0)
    for regraded in ids[2:5]:
        grade(parts, regraded, 3.0, maximum=4.0)
    (line,) = look(parts).items
    assert (line.figures.maximum, line.figures.students, line.figures.difficulty) == (4.0, 5, 0.75)


def test_grades_out_of_different_maxima_are_compared_in_percent_of_each_ones_own(parts: Parts) -> None:
    add_students(parts, dict.fromkeys(("ada", "ben", "cleo"), "a"))
    for user, points in {"ada": 8.0, "ben": 6.0}.items():
        graded(parts, user, points, sent=NOW)
    third = graded(parts, "cleo", 2.0, sent=NOW, proposed=6.0)
    alike = look(parts)
    assert alike.distribution is not None
    assert (alike.maxima, alike.distribution.maximum) == ((8.0,), 8.0)
    assert (alike.distribution.mean, alike.expected_mean) == pytest.approx((16 / 3, 20 / 3))
    grade(parts, third, 2.0, proposed=3.0, maximum=4.0)
    mixed = look(parts)
    assert mixed.distribution is not None
    assert (mixed.maxima, mixed.distribution.maximum) == ((4.0, 8.0), 100.0)
    assert (mixed.distribution.mean, mixed.expected_mean) == pytest.approx((75.0, 250 / 3), abs=0.01)
    assert mixed.distribution.bins == (0, 0, 0, 0, 0, 1, 0, 1, 0, 1)


def test_figures_are_of_students_who_are_not_excused(parts: Parts) -> None:
    add_students(parts, dict.fromkeys(("ada", "ben", "cleo"), "a"))
    for user, points in {"ada": 4.0, "ben": 0.0, "cleo": 2.0, "guest": 6.0, "ines": 8.0, "tom": 8.0}.items():
        hand_in_graded(parts, user, Work({"ex1.runs": points}))
    excuse(parts.database, INES, "cs101", "hw", "ben", is_excused=True, reason="was ill", now=NOW)
    with parts.database.write() as unit:
        unit.people.remove("cs101", "cleo", NOW)
        unit.commit()
    found = look(parts)
    assert found.distribution is not None
    assert (found.distribution.students, found.distribution.mean) == (2, 5.0)
    assert (found.items[0].figures.students, found.sizes[0].students) == (2, 2)
    assert (found.counts.received, found.counts.students) == (6, 3)
    excuse(parts.database, INES, "cs101", "hw", "ben", is_excused=False, reason="was not", now=NOW)
    assert look(parts).items[0].figures.students == 3


def test_an_empty_class_has_no_figures(parts: Parts) -> None:
    add_students(parts, {})
    found = look(parts)
    assert (found.counts.received, found.distribution, found.items, found.sizes) == (0, None, (), ())


def test_an_assistant_sees_their_sections_in_every_figure_and_list(parts: Parts) -> None:
    add_students(parts, {"ada": "a", "ben": "b", "carl": "b"})
    same = Work({"ex1.runs": 8.0, "q1": None, "q2": 0.0}, "A", 0.2, 9.0, Verdict.KERNEL_DIED, code="c" * 64)
    for student in ("ada", "ben", "carl"):
        hand_in_graded(parts, student, same)
        fail(parts, hand_in(parts, student, 2))
    all_seen, seen = look(parts), look(parts, TOM)
    assert (all_seen.counts.received, all_seen.counts.failed, all_seen.counts.crashed) == (6, 3, 3)
    assert (seen.counts.received, seen.counts.failed, seen.counts.crashed) == (2, 1, 1)
    assert (seen.counts.students, seen.waiting, seen.sizes[0].students) == (1, 1, 1)
    assert seen.items[0].figures.students == 1
    assert look(parts, INES, "b").counts.received == 4
    scope = open_scope(TOM, "cs101", parts.assignments["hw"])
    lists = read_attention(parts.database, scope)
    named = [*lists.slow, *(one.submission for one in lists.crashed), *lists.failed]
    assert {one.user for one in named} == {"ada"}
    assert lists.equal == ()
    assert lists.crashed[0].error == "MemoryError"
    everybody = read_attention(parts.database, open_scope(INES, "cs101", parts.assignments["hw"], "b"))
    assert [(one.kind, one.students) for one in everybody.equal] == [("code", 2)]
    with parts.database.read() as unit:
        rows = unit.submission_table.page("cs101", "hw", scope.sections, Filter())
    assert {row.user for row in rows} == {"ada"}
    with pytest.raises(NotFound):
        look(parts, TOM, "b")


def test_an_assistant_without_sections_sees_nothing_and_a_student_is_refused(parts: Parts) -> None:
    add_students(parts, {"ada": "a"})
    hand_in_graded(parts, "ada", Work({"ex1.runs": 8.0}))
    without = Actor("uma", "Uma", {"cs101": Membership("cs101", Role.TA)})
    assert look(parts, without).counts.received == 0
    with pytest.raises(NotPermitted):
        look(parts, ADA)


@pytest.mark.parametrize("by", Column)
@pytest.mark.parametrize("is_descending", [True, False])
def test_pages_hold_every_submission_once_in_order(parts: Parts, by: Column, is_descending: bool) -> None:
    add_students(parts, {f"student{number}": "a" for number in range(5)})
    for number in range(5):
        hand_in_graded(
            parts, f"student{number}", Work({"ex1.runs": float(number // 2)}, seconds=number % 2), 1
        )
        hand_in(parts, f"student{number}", 2)
    with parts.database.read() as unit:
        table = unit.submission_table
        pages = [
            table.page("cs101", "hw", None, Filter(), by=by, is_descending=is_descending, skip=skip, limit=3)
            for skip in range(0, 12, 3)
        ]
        assert table.count("cs101", "hw", None, Filter()) == 10
    rows = [row for page in pages for row in page]
    assert len({row.id for row in rows}) == len(rows) == 10
    values = {
        Column.NAME: [row.name.lower() for row in rows],
        Column.ATTEMPT: [row.attempt for row in rows],
        Column.SUBMITTED: [row.submitted_at for row in rows],
        Column.STATE: [row.state for row in rows],
        Column.POINTS: [row.points for row in rows if row.points is not None],
        Column.WAITING: [row.waiting for row in rows if row.waiting is not None],
        Column.SECONDS: [row.seconds for row in rows if row.seconds is not None],
    }[by]
    assert values == sorted(values, reverse=is_descending)  # type: ignore[type-var]
    if by in (Column.POINTS, Column.WAITING, Column.SECONDS):
        assert [row.points is None for row in rows] == [False] * 5 + [True] * 5


def test_a_search_takes_words_literally(parts: Parts) -> None:
    add_students(parts, {"ada": "a", "adam": "a", "a_a": "a"})
    ids = {user: hand_in(parts, user, 1) for user in ("ada", "adam", "a_a")}

    def search(words: str) -> set[str]:
        with parts.database.read() as unit:
            return {row.user for row in unit.submission_table.page("cs101", "hw", None, Filter(words=words))}

    assert search("ADA") == {"ada", "adam"}
    assert search("a_a") == {"a_a"}
    assert search("%") == set()
    assert search(ids["adam"][:12]) == {"adam"}
