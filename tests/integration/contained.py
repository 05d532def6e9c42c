"""What `container_runs` runs inside: take on the profile, then do one scenario and print its outcome."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PROGRAM = "-"  # in place of the profile: it has been taken on


def main() -> None:
    profile, scenario = sys.argv[1:]
    if profile != _PROGRAM:
        take_on(json.loads(profile))
        # As an engine does it: the filter is there before the program begins.
        os.execv(sys.executable, [sys.executable, "-B", "-m", __spec__.name, _PROGRAM, scenario])
    json.dump(SCENARIOS[scenario](), sys.stdout)


def take_on(profile: dict[str, Any]) -> None:
    """Load a profile of Docker's format, as far as ours goes, for this process and all that come of it."""
    import pyseccomp

    actions = {"SCMP_ACT_ALLOW": pyseccomp.ALLOW}
    program = pyseccomp.SyscallFilter(actions[profile["defaultAction"]])  # the machine's own calls only
    assert all(entry["subArchitectures"] == [] for entry in profile["archMap"])
    for rule in profile["syscalls"]:
        assert rule["action"] == "SCMP_ACT_ERRNO"
        for name in rule["names"]:
            if pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) >= 0:
                program.add_rule(pyseccomp.ERRNO(rule["errnoRet"]), name)
    program.load()


def _open() -> Any:
    from grader.sandbox.bubblewrap import open_sandbox
    from grader.sandbox.container import JailLimits

    return open_sandbox(scratch=Path(tempfile.mkdtemp()), limits=JailLimits.CONTAINER)


def _look() -> Any:
    """The sandbox, what the self-test finds, and that nothing but /tmp can be written."""
    from grader.sandbox.selftest import check_sandbox

    sandbox = _open()
    return {
        "proc": sandbox.proc.value,
        "uid": os.getuid(),
        "findings": {found.name: found.holds for found in check_sandbox(sandbox)},
        "writable": [name for name in ("/", "/usr", "/etc", "/var") if os.access(name, os.W_OK)],
    }


def _refused() -> Any:
    """The error of each call that a jail is refused, made out here with senseless arguments."""
    import pyseccomp

    from grader.sandbox.syscalls import DENIED

    libc = ctypes.CDLL(None, use_errno=True)
    errors = {}
    for name in DENIED:
        number = pyseccomp.resolve_syscall(pyseccomp.system_arch(), name)
        if number >= 0:
            nonsense = [ctypes.c_long(-1)] * 6
            ctypes.set_errno(0)
            libc.syscall(ctypes.c_long(number), *nonsense)
            errors[name] = ctypes.get_errno()
    return errors


def _bomb() -> Any:
    """One jail that uses memory without end, and one after it that does not."""
    from tests.integration.sandbox_runs import run

    sandbox = _open()
    bomb = run(sandbox, "kept = []\nwhile True: kept.append(b'x' * (8 << 20))")
    after = run(sandbox, 'tell({"n": 1})')
    return {
        "bomb": bomb.exit.reason.value,
        "kills": bomb.exit.oom_kills,
        "peak": bomb.exit.peak_memory_bytes,
        "after": after.exit.reason.value,
        "kills_after": after.exit.oom_kills,
    }


def _swarm() -> Any:
    """Many processes that are small beside this one, and together more than there is."""
    from tests.integration.sandbox_runs import run

    code = """
    import os, time
    for _ in range(40):
        if os.fork() == 0:
            kept = b"x" * (16 << 20)
            time.sleep(60)
    os.wait()
    os._exit(1)
    """
    kept = b"x" * (64 << 20)  # what a worker holds
    ended = run(_open(), code).exit
    return {"reason": ended.reason.value, "kills": ended.oom_kills, "kept": len(kept)}


def _notebook() -> Any:
    """A notebook with a torch model that is trained and harvested."""
    from tests.integration.notebook_runs import AUTOENCODER, run_cells

    outcome = run_cells(
        _open(), "import os; print(sorted(os.listdir('/proc'))[-1])", AUTOENCODER, "m = fit(AE(8))"
    )
    return {"states": outcome.states, "widths": outcome.widths, "proc": outcome.text(0).strip()}


def _turns() -> Any:
    """Three jails of two sandboxes at once: when each began and ended."""
    from tests.integration.sandbox_runs import run

    code = """
    import time
    began = time.monotonic()
    time.sleep(.3)
    tell({"began": began, "ended": time.monotonic()})
    """
    told: list[Any] = []
    sandboxes = [_open(), _open()]
    threads = [
        threading.Thread(target=lambda sandbox: told.append(run(sandbox, code).told), args=(sandbox,))
        for sandbox in (sandboxes[0], sandboxes[1], sandboxes[0])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def _small() -> Any:
    """How a small jail ends, or why it does not begin."""
    return _try()


def _too_large() -> Any:
    """The same for one that may use more than the container has."""
    return _try(memory_bytes=1 << 50)


def _try(**limits: int) -> str:
    from grader.errors import SandboxUnavailable
    from tests.integration.sandbox_runs import run

    try:
        return run(_open(), "tell({})", **limits).exit.reason.value
    except SandboxUnavailable as error:
        return str(error)


def _killed() -> Any:
    """Whatever still lives after a jail was ended from outside."""
    from tests.integration.sandbox_runs import request

    with _open().start(request("import os; os.fork(); tell({}); import time; time.sleep(60)")) as jail:
        next(jail.frames())
        jail.kill()
    stats = [
        (process / "stat").read_text().split()
        for process in Path("/proc").iterdir()
        if process.name.isdigit()
    ]
    return [name for number, name, state, *_ in stats if state != "Z" and int(number) != os.getpid()]


SCENARIOS: dict[str, Callable[[], Any]] = {
    scenario.__name__.removeprefix("_"): scenario
    for scenario in (_look, _refused, _bomb, _swarm, _notebook, _turns, _small, _too_large, _killed)
}

if __name__ == "__main__":
    main()
