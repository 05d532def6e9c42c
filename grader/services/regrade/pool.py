"""Judging on all cores: a class is some twenty seconds of one. Few submissions are judged here and now."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import connection, get_context, parent_process

from .judging import Case, Judged, Standard, judge_case

FEW = 400  # below that, starting processes takes longer than judging
_NICE = 5  # whoever waits for a page goes first

_standard: list[Standard] = []  # of a child process


def judge_batches(standard: Standard, batches: Iterable[list[Case]], total: int) -> Iterator[list[Judged]]:
    """Judge batch after batch, in their order. ``total`` says how many submissions they hold together."""
    cores = len(os.sched_getaffinity(0))
    if total < FEW or cores == 1:
        for batch in batches:
            yield [judge_case(standard, case) for case in batch]
        return
    # A fork would take over threads and connections in whatever state they are. No check reads the template.
    light = replace(standard, assignment=replace(standard.assignment, template=b""))
    with ProcessPoolExecutor(cores, get_context("spawn"), _begin, (light,)) as pool:
        waiting: deque[tuple[list[Case], Future[list[Judged]] | None]] = deque()
        for batch in batches:
            waiting.append((batch, _submit(pool, batch)))
            if len(waiting) > 2 * cores:
                yield _result(standard, *waiting.popleft())
        while waiting:
            yield _result(standard, *waiting.popleft())


def _submit(pool: ProcessPoolExecutor, batch: list[Case]) -> Future[list[Judged]] | None:
    try:
        return pool.submit(_judge_here, batch)
    except BrokenProcessPool:
        return None


def _result(standard: Standard, batch: list[Case], future: Future[list[Judged]] | None) -> list[Judged]:
    """What a child judged; where children were killed, e.g. for want of memory, it is done here."""
    try:
        if future is not None:
            return future.result()
    except BrokenProcessPool:
        pass
    return [judge_case(standard, case) for case in batch]


def _begin(standard: Standard) -> None:
    os.nice(_NICE)
    _standard[:] = [standard]
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Children hold both ends of their queue, so without this they would outlive a parent that was killed."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)


def _judge_here(batch: list[Case]) -> list[Judged]:
    return [judge_case(_standard[0], case) for case in batch]
