"""`grader doctor`: what this machine can do for jails, and what to type where it cannot."""

from __future__ import annotations

import json
import logging
import tempfile
from dataclasses import asdict
from pathlib import Path

from grader.cli import render
from grader.cli.compose import make_sandbox, read_assignments
from grader.cli.settings import Settings
from grader.errors import GraderError
from grader.sandbox.arguments import this_environment
from grader.sandbox.doctor import Holds, Needs, examine
from grader.sandbox.machine import read_machine

HOLD, DO_NOT_HOLD = 0, 3
_USUAL_MEMORY_BYTES = 3 << 30  # where no rubric can be read


def show_machine(settings: Settings, *, as_json: bool) -> int:
    """Print a table or one JSON object; return 0 where jails hold here, else 3."""
    # What it would warn of is in the table.
    logging.getLogger("grader").addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory(prefix="grader-doctor-") as folder:
        # To look is not to set up: no home is made, least of all as root for a service that is not.
        tried = {"home": Path(folder), "data": settings.data_folder, "trusted_class": True}
        looks = examine(
            read_machine(),
            this_environment(),
            Needs(max(1, settings.workers), _memory_of_jails(settings), settings.home.resolve()),
            lambda: make_sandbox(settings.model_copy(update=tried)),
            trusted_class=settings.trusted_class,
            jail_limits=settings.jail_limits,
        )
    holds = not any(look.holds is Holds.NO for look in looks)
    rows = [asdict(look) for look in looks]
    if as_json:
        print(json.dumps({"holds": holds, "trustedClass": settings.trusted_class, "looks": rows}))
    else:
        weaker = any(look.holds is Holds.WEAKER for look in looks)
        verdict = f"jails hold here{', but weaker' if weaker else ''}" if holds else "jails do not hold here"
        render.print_looks(rows, verdict, render.console())
    return HOLD if holds else DO_NOT_HOLD


def _memory_of_jails(settings: Settings) -> int:
    try:
        rubrics = [assignment.rubric for assignment in read_assignments(settings).values()]
    except GraderError:
        rubrics = []
    return max((rubric.run_limits.memory_bytes for rubric in rubrics), default=_USUAL_MEMORY_BYTES)
