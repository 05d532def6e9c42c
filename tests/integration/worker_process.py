"""A worker process for tests: ``python -m tests.integration.worker_process HOME``."""

from __future__ import annotations

import sys
from pathlib import Path

from grader.worker import run_worker
from tests.integration.parts import make_parts


def main() -> int:
    parts = make_parts(Path(sys.argv[1]))
    return run_worker(
        engine=parts.engine,
        home=parts.home,
        blobs=parts.blobs,
        autograder=parts.autograder,
        assignments=parts.assignments,
        pauses=(0.0, 0.0),
        silent_seconds=3.0,
    )


if __name__ == "__main__":
    sys.exit(main())
