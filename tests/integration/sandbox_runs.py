"""What the sandbox's tests share: run a few lines of Python in a real jail."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader.sandbox.bubblewrap import BubblewrapSandbox
from grader.sandbox.jail import Frame, Jail, JailExit, JailRequest, Limits, Mount

PROBES = Path(__file__).parent / "probes"
LIMITS = Limits(wall_seconds=30.0, memory_bytes=256 << 20, processes=64)


@dataclass(frozen=True, slots=True)
class Run:
    """What came out of a jail."""

    frames: list[Frame]
    exit: JailExit

    @property
    def told(self) -> Any:
        """The first answer."""
        assert self.frames, self.exit
        return self.frames[0].header


def request(code: str, *, payload: bytes = b"", mounts: Sequence[Mount] = (), **limits: Any) -> JailRequest:
    return JailRequest(
        "told",
        (Frame({"code": textwrap.dedent(code)}, payload),),
        replace(LIMITS, **limits),
        mounts=(Mount(PROBES, "/probes"), *mounts),
        environment={"PYTHONPATH": "/probes"},
    )


def run(sandbox: BubblewrapSandbox, code: str, **more: Any) -> Run:
    with sandbox.start(request(code, **more)) as jail:
        return finish(jail)


def finish(jail: Jail) -> Run:
    frames = list(jail.frames())
    return Run(frames, jail.exit())
