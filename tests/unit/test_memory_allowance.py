"""A soft limit on memory for one exercise's cells: lifted after each, counted from the first."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from grader.notebooks.inside import memory
from grader.notebooks.inside.budgets import Budgets
from grader.notebooks.inside.memory import MemoryAllowance, data_bytes

MIB = 1 << 20
UNLIMITED = resource.RLIM_INFINITY


class Limits:
    """Stands for the process's own: what is asked for is noted, nothing is limited."""

    def __init__(self, hard: int) -> None:
        self.hard = hard
        self.soft = hard

    def read(self, _: int) -> tuple[int, int]:
        return self.soft, self.hard

    def set(self, _: int, limits: tuple[int, int]) -> None:
        self.soft = limits[0]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    limits = Limits(UNLIMITED)
    monkeypatch.setattr(resource, "getrlimit", limits.read)
    monkeypatch.setattr(resource, "setrlimit", limits.set)
    return limits


def test_it_counts_from_what_was_there_when_the_exercise_began(
    limits: Limits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowance = MemoryAllowance(tmp_path)
    budgets = Budgets({name: {"seconds": None, "memory_bytes": 5 * MIB} for name in ("ex1", "ex2")}, tmp_path)
    told = []
    for exercise, there in (("ex1", 10), ("ex1", 14), ("ex2", 14), ("ex1", 20)):
        monkeypatch.setattr(memory, "data_bytes", lambda there=there: there * MIB)
        budgets.begin(exercise)
        allowance.begin()
        told.append(limits.soft // MIB)
        allowance.end()
        assert limits.soft == UNLIMITED
    assert told == [15, 15, 19, 15]


def test_a_cell_of_no_exercise_is_not_limited(limits: Limits, tmp_path: Path) -> None:
    allowance, budgets = (
        MemoryAllowance(tmp_path),
        Budgets({"ex1": {"seconds": None, "memory_bytes": MIB}}, tmp_path),
    )
    budgets.begin("ex1")
    budgets.begin(None)
    allowance.begin()
    assert limits.soft == UNLIMITED


def test_the_limit_of_a_trusted_class_holds_too(limits: Limits, tmp_path: Path) -> None:
    limits.hard = limits.soft = data_bytes() + MIB
    allowance = MemoryAllowance(tmp_path)
    Budgets({"ex1": {"seconds": None, "memory_bytes": 1 << 40}}, tmp_path).begin("ex1")
    allowance.begin()
    assert limits.soft == limits.hard


@pytest.mark.parametrize("text", ["", "ex1", "ex1 many", "ex1 1 2", "é 1"])
def test_what_student_code_writes_in_its_place_changes_nothing(
    limits: Limits, tmp_path: Path, text: str
) -> None:
    (tmp_path / "allowance").write_text(text, encoding="utf-8")
    MemoryAllowance(tmp_path).begin()
    assert limits.soft == UNLIMITED


def test_what_student_code_leaves_in_its_place_is_replaced_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("as it was")
    (tmp_path / "allowance").symlink_to(tmp_path / "victim")
    budgets = Budgets({"ex1": {"seconds": None, "memory_bytes": MIB}}, tmp_path)
    budgets.begin("ex1")
    assert (tmp_path / "victim").read_text() == "as it was"
    assert (tmp_path / "allowance").read_text() == f"ex1 {MIB}"
    (tmp_path / "allowance").unlink()
    os.mkfifo(tmp_path / "allowance")  # opening it would wait for ever
    budgets.begin("ex1")
    assert (tmp_path / "allowance").is_file()


def test_a_folder_in_its_place_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "allowance").mkdir()
    budgets = Budgets({"ex1": {"seconds": 3, "memory_bytes": MIB}}, tmp_path)
    budgets.begin("ex1")
    budgets.begin(None)
    MemoryAllowance(tmp_path).begin()


def test_time_is_counted_for_each_exercise_alone(tmp_path: Path) -> None:
    budgets = Budgets(
        {"ex1": {"seconds": 3, "memory_bytes": None}, "ex2": {"seconds": None, "memory_bytes": 1}}, tmp_path
    )
    for exercise, seconds in (("ex1", 1.0), (None, 100.0), ("ex2", 50.0), ("ex1", 2.5)):
        budgets.spend(exercise, seconds)
    assert budgets.left("ex1") == -0.5
    assert budgets.left("ex2") == budgets.left(None) == float("inf")
