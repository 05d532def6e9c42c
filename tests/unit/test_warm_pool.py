"""Jails made ahead of need: which are made, who gets them, and when they are given up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from grader.errors import SandboxUnavailable
from grader.sandbox.fake import FakeJail, FakeSandbox
from grader.sandbox.jail import Frame, JailRequest, Limits
from grader.sandbox.warm_pool import PoolLimits, WarmPool

LIMITS = PoolLimits(jails=1, age_seconds=100, memory_bytes=2 << 30)
REQUEST = JailRequest(
    "notebooks", (Frame({"cells": 1}),), Limits(wall_seconds=9, memory_bytes=1 << 20), opening=(Frame({}),)
)
OTHER = replace(REQUEST, opening=(Frame({"seed": 2}),))
MEASURING = replace(REQUEST, entry="measuring")


def wait_until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.002)


def alive(sandbox: FakeSandbox) -> list[FakeJail]:
    return [jail for jail in sandbox.prepared if not jail.is_killed]


def test_what_is_expected_is_made_before_anyone_asks() -> None:
    sandbox = FakeSandbox([Frame({"n": 1})])
    with WarmPool(sandbox, LIMITS) as pool:
        pool.expect([REQUEST.shape()])
        wait_until(lambda: len(sandbox.prepared) == 1)
        jail = pool.start(REQUEST)
        assert jail is sandbox.prepared[0]
        assert [frame.header for frame in jail.frames()] == [{"n": 1}]
        assert sandbox.requests == [REQUEST]


def test_a_jail_serves_once_and_the_next_one_is_made_at_once() -> None:
    sandbox = FakeSandbox([], [])
    with WarmPool(sandbox, LIMITS) as pool:
        pool.expect([REQUEST.shape()])
        wait_until(lambda: len(sandbox.prepared) == 1)
        assert pool.start(REQUEST) is sandbox.prepared[0]
        wait_until(lambda: len(sandbox.prepared) == 2)
        assert pool.start(REQUEST) is sandbox.prepared[1]


def test_the_budgets_of_a_request_are_no_part_of_its_shape_and_its_time_and_memory_are() -> None:
    more = replace(REQUEST, frames=(), limits=replace(REQUEST.limits, frames=7, total_bytes=1, frame_bytes=1))
    assert more.shape() == REQUEST.shape()
    for changed in (replace(REQUEST.limits, memory_bytes=2), replace(REQUEST.limits, wall_seconds=2)):
        assert replace(REQUEST, limits=changed).shape() != REQUEST.shape()


def test_an_unknown_shape_is_started_cold_and_known_from_then_on() -> None:
    sandbox = FakeSandbox([], [])
    with WarmPool(sandbox, LIMITS) as pool:
        assert pool.start(REQUEST) not in sandbox.prepared
        wait_until(lambda: len(sandbox.prepared) == 1)
        assert pool.start(REQUEST) is sandbox.prepared[0]


def test_a_request_that_gains_nothing_leaves_the_warm_jail_to_others() -> None:
    sandbox = FakeSandbox([])
    with WarmPool(sandbox, LIMITS) as pool:
        pool.expect([REQUEST.shape()])
        wait_until(lambda: pool.ready() == 1)
        assert pool.start(replace(REQUEST, serves_ahead=False)) not in sandbox.prepared
        assert pool.ready() == 1


def test_a_pool_of_none_starts_everything_cold() -> None:
    sandbox = FakeSandbox([])
    with WarmPool(sandbox, replace(LIMITS, jails=0)) as pool:
        pool.expect([REQUEST.shape()])
        pool.start(REQUEST)
    assert sandbox.prepared == []


def test_each_kind_of_jail_has_its_own_place() -> None:
    sandbox = FakeSandbox()
    with WarmPool(sandbox, LIMITS) as pool:
        pool.expect([REQUEST.shape(), MEASURING.shape()])
        wait_until(lambda: {jail.shape.entry for jail in sandbox.prepared} == {"notebooks", "measuring"})


def test_the_shape_that_was_asked_for_last_takes_the_place_of_an_older_one() -> None:
    sandbox = FakeSandbox([])
    with WarmPool(sandbox, LIMITS) as pool:
        pool.expect([REQUEST.shape()])
        wait_until(lambda: len(sandbox.prepared) == 1)
        pool.start(OTHER)
        wait_until(lambda: [jail.shape for jail in alive(sandbox)] == [OTHER.shape()])


def test_a_jail_that_died_or_grew_old_is_replaced() -> None:
    sandbox, now = FakeSandbox([]), [0.0]
    with WarmPool(sandbox, LIMITS, clock=lambda: now[0]) as pool:
        pool.expect([REQUEST.shape()])
        wait_until(lambda: len(sandbox.prepared) == 1)
        sandbox.prepared[0].kill()
        pool.expect([REQUEST.shape()])
        wait_until(lambda: len(alive(sandbox)) == 1)
        now[0] = 101.0
        pool.expect([REQUEST.shape()])
        wait_until(lambda: len(sandbox.prepared) == 3)
        wait_until(lambda: len(alive(sandbox)) == 1)


def test_a_dead_jail_is_given_to_nobody() -> None:
    sandbox = FakeSandbox([])
    with WarmPool(sandbox, LIMITS) as pool:
        pool.expect([REQUEST.shape()])
        wait_until(lambda: len(sandbox.prepared) == 1)
        sandbox.prepared[0].kill()
        assert pool.start(REQUEST) is not sandbox.prepared[0]


def test_no_more_waits_than_the_memory_allows() -> None:
    sandbox = FakeSandbox([])
    with WarmPool(sandbox, replace(LIMITS, memory_bytes=100 << 20)) as pool:
        pool.expect([REQUEST.shape()])
        pool.start(REQUEST)
        pool.expect([MEASURING.shape()])
    assert sandbox.prepared == []


def test_what_waits_is_counted_against_the_memory_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeJail, "memory_bytes", lambda _: 600 << 20)
    sandbox = FakeSandbox([])
    with WarmPool(sandbox, replace(LIMITS, jails=3, memory_bytes=1300 << 20)) as pool:
        pool.expect([REQUEST.shape()])
        wait_until(lambda: len(sandbox.prepared) == 2)
        pool.start(REQUEST)
        wait_until(lambda: len(sandbox.prepared) == 3)
    assert len(sandbox.prepared) == 3


def test_the_end_of_a_pool_ends_what_waits() -> None:
    sandbox = FakeSandbox()
    with WarmPool(sandbox, replace(LIMITS, jails=2)) as pool:
        pool.expect([REQUEST.shape()])
        wait_until(lambda: len(sandbox.prepared) == 2)
    assert alive(sandbox) == []


@pytest.mark.parametrize("error", [SandboxUnavailable("no jail"), RuntimeError("can't start new thread")])
def test_whatever_keeps_a_jail_from_being_made_the_pool_goes_on(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, failures = FakeSandbox([], []), [error]
    prepare = sandbox.prepare

    def fail_once(shape: JailRequest) -> FakeJail:
        if failures:
            raise failures.pop()
        return prepare(shape)

    monkeypatch.setattr(sandbox, "prepare", fail_once)
    with WarmPool(sandbox, LIMITS) as pool:
        assert pool.start(REQUEST) not in sandbox.prepared
        wait_until(lambda: pool.ready() == 1)
        assert pool.start(REQUEST) is sandbox.prepared[0]


def test_a_jail_that_cannot_begin_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = FakeSandbox([])

    def refuse(*_: object) -> None:
        raise SandboxUnavailable("another jail runs in this container")

    monkeypatch.setattr(FakeJail, "begin", refuse)
    with WarmPool(sandbox, LIMITS) as pool:
        pool.expect([REQUEST.shape()])
        wait_until(lambda: pool.ready() == 1)
        with pytest.raises(SandboxUnavailable):
            pool.start(REQUEST)
        assert sandbox.prepared[0].is_killed


def test_where_none_can_be_made_requests_are_served_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = FakeSandbox([])
    monkeypatch.setattr(FakeJail, "await_prepared", lambda _: False)
    with WarmPool(sandbox, LIMITS) as pool:
        pool.expect([REQUEST.shape()])
        assert list(pool.start(REQUEST).frames()) == []
