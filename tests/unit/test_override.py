"""What counts when a human has decided, and what lateness leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from grader.domain.grade import Grade, ItemGrade, ItemState
from grader.domain.offering import Counts, Offering, Release
from grader.domain.override import Override, apply_overrides
from grader.domain.people import Actor, Membership, Role
from grader.services.grades.marks import is_drawn
from grader.services.grades.standing import pick_attempt
from grader.storage.standings import Attempt

DUE = datetime(2026, 3, 1, tzinfo=UTC)
ITEM = ItemGrade("q1", "Why", 0.0, 4.0, ItemState.NEEDS_REVIEW, None, "A teacher reads it.")
GRADE = Grade((ITEM, replace(ITEM, key="q2", points=4.0, state=ItemState.AUTO)), "a" * 64)


def test_a_humans_mark_wins_and_only_on_its_item() -> None:
    decided = apply_overrides(GRADE, {"q1": Override("q1", 3.0, "ta", comment="Nearly.")})
    assert [(item.points, item.state) for item in decided.items] == [
        (3.0, ItemState.REVIEWED),
        (4.0, ItemState.AUTO),
    ]
    assert decided.items[0].feedback == "Nearly."
    assert decided.given == 7.0
    assert not decided.needs_review


def test_what_was_taken_back_waits_again() -> None:
    assert apply_overrides(GRADE, {"q1": Override("q1", None, "ta")}) == GRADE


def test_an_item_that_is_worth_less_now_gives_no_more_than_that() -> None:
    decided = apply_overrides(GRADE, {"q1": Override("q1", 9.0, "ta")})
    assert decided.items[0].points == 4.0


@pytest.mark.parametrize(
    ("late", "kept"),
    [
        (timedelta(minutes=-1), 1.0),
        (timedelta(minutes=5), 1.0),
        (timedelta(minutes=6), 0.9),
        (timedelta(days=1, hours=1), 0.8),
        (timedelta(days=30), 0.0),
    ],
)
def test_each_day_begun_costs_its_percentage(late: timedelta, kept: float) -> None:
    offering = Offering(due_at=DUE, late_percent_per_day=10)
    assert offering.share_kept(DUE + late, DUE) == pytest.approx(kept)


def test_without_a_due_date_nothing_is_late() -> None:
    assert Offering(late_percent_per_day=10).share_kept(DUE, None) == 1.0


def test_a_part_may_be_released_apart() -> None:
    offering = Offering(
        release=Release.WHEN_PUBLISHED, releases={"ex1": Release.AT_ONCE, "q1": Release.AFTER_DUE}
    )
    before = DUE - timedelta(hours=1)
    assert [offering.is_released(part, before, DUE) for part in ("ex1", "q1", "q2")] == [True, False, False]
    assert [offering.is_released(part, DUE, DUE) for part in ("ex1", "q1", "q2")] == [True, True, False]
    assert replace(offering, published_at=DUE).is_released("q2", DUE, DUE)


def _attempt(number: int, expected: float) -> Attempt:
    return Attempt(str(number), number, DUE, 0.0, expected, is_counted=False)


def test_the_best_attempt_counts_and_of_equals_the_later() -> None:
    attempts = [_attempt(1, 50), _attempt(2, 70), _attempt(3, 70), _attempt(4, 60)]
    assert pick_attempt(attempts, Counts.BEST).attempt == 3
    assert pick_attempt(attempts, Counts.LAST).attempt == 4


def test_the_same_answers_are_drawn_for_the_audit_each_time_and_about_as_many_as_wanted() -> None:
    drawn = [is_drawn(str(number), "q1", 0.1) for number in range(2_000)]
    assert drawn == [is_drawn(str(number), "q1", 0.1) for number in range(2_000)]
    assert 140 < sum(drawn) < 260
    assert not any(is_drawn(str(number), "q1", 0.0) for number in range(100))


def test_an_assistant_sees_the_sections_they_look_after_and_a_student_none() -> None:
    member = {"ml": Membership("ml", Role.TA, frozenset({"A"}))}
    assistant = Actor("ta", "A", member)
    assert (assistant.teaches("ml"), assistant.manages("ml")) == (True, False)
    assert assistant.sections_of("ml") == {"A"}
    assert not assistant.teaches("other")
    student = Actor("s", "S", {"ml": Membership("ml", Role.STUDENT, frozenset({"A"}))})
    assert (student.teaches("ml"), student.sections_of("ml")) == (False, frozenset())
    assert Actor("root", "R", is_admin=True).sections_of("ml") is None
