"""`recognise` in a process of its own, so that no upload keeps the service from answering other people.

Python works on one thing at a time: whatever a student's file does to our reading of it, here it does it
to a process that is ended at a deadline and may not use much memory.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import resource
import subprocess
import sys
import threading
from collections import OrderedDict

from grader.domain.rubric import Rubric
from grader.errors import UploadRefused
from grader.services.submitting.precheck import Recognised, recognise

DEADLINE_SECONDS = 10.0  # a finished homework takes half of one
_AT_ONCE = 2
_WAIT_SECONDS = 2.0  # for one's turn
_MEMORY_BYTES = 512 << 20
_NICE = 5  # whoever waits for a page goes first
_KEPT = 64  # results: the page behind an upload, and a page that is loaded again, cost nothing

_turns = threading.BoundedSemaphore(_AT_ONCE)
_kept: OrderedDict[bytes, Recognised | None] = OrderedDict()
_kept_lock = threading.Lock()


def look_through(data: bytes, rubric: Rubric, template: bytes) -> Recognised | None:
    """What is recognised in an upload; None where that takes too long. Raises `UploadRefused`."""
    request = pickle.dumps((data, rubric, template))
    key = hashlib.sha256(request).digest()
    with _kept_lock:
        if key in _kept:
            return _kept[key]
    if not _turns.acquire(timeout=_WAIT_SECONDS):
        return None
    try:
        found = _ask_child(request)
    finally:
        _turns.release()
    with _kept_lock:
        _kept[key] = found
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return found


def _ask_child(request: bytes) -> Recognised | None:
    command = [sys.executable, "-m", __name__]
    try:
        child = subprocess.run(
            command, input=request, stdout=subprocess.PIPE, timeout=DEADLINE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if child.returncode != 0:
        return None
    found: Recognised | UploadRefused = pickle.loads(child.stdout)  # noqa: S301 (our own process wrote it)
    if isinstance(found, UploadRefused):
        raise found
    return found


def main() -> None:
    """The child: one request on stdin, its answer on stdout."""
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    # Should the service end first, nobody else would end this.
    seconds = int(DEADLINE_SECONDS) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    found: Recognised | UploadRefused
    try:
        found = recognise(*pickle.load(sys.stdin.buffer))  # noqa: S301
    except UploadRefused as error:
        found = error
    pickle.dump(found, sys.stdout.buffer)


if __name__ == "__main__":
    main()
