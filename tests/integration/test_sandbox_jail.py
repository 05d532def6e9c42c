"""A real jail, from outside: what goes in, what comes out, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import SandboxUnavailable
from grader.sandbox import bubblewrap
from grader.sandbox.bubblewrap import BubblewrapSandbox, open_sandbox
from grader.sandbox.jail import ExitReason, Frame, Jail, JailRequest, Mount
from tests.integration.sandbox_runs import LIMITS, finish, request, run


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> BubblewrapSandbox:
    return open_sandbox(scratch=tmp_path_factory.mktemp("scratch"))


def test_frames_go_in_and_come_out_unchanged(sandbox: BubblewrapSandbox) -> None:
    payload = os.urandom(3 << 20)
    ran = run(sandbox, 'tell({"heard": "ä"}, asked.payload); tell({"n": 2})', payload=payload)
    assert ran.frames == [Frame({"heard": "ä"}, payload), Frame({"n": 2})]
    assert ran.exit.reason is ExitReason.COMPLETED
    assert ran.exit.peak_memory_bytes > 1 << 20


def test_two_jails_run_at_the_same_time(sandbox: BubblewrapSandbox) -> None:
    code = 'tell({"n": 1}); import time; time.sleep(60)'
    with sandbox.start(request(code)) as first, sandbox.start(request(code)) as second:
        assert next(first.frames()).header == next(second.frames()).header == {"n": 1}
        assert not set(first.processes()) & set(second.processes())


def test_an_error_inside_is_a_value_with_the_end_of_stderr(sandbox: BubblewrapSandbox) -> None:
    ran = run(sandbox, 'tell({"n": 1}); raise ValueError("broken in here")')
    assert [frame.header for frame in ran.frames] == [{"n": 1}]
    assert ran.exit.reason is ExitReason.DIED
    assert "broken in here" in ran.exit.detail


ENDINGS = {
    "a busy loop": ('tell({"n": 1})\nwhile True: pass', {"wall_seconds": 1.0}, ExitReason.DEADLINE),
    "signals ignored": (
        'import signal, time\ntell({"n": 1})\nfor s in set(range(1, 65)) - {9, 19, 32, 33}:\n'
        "    signal.signal(s, signal.SIG_IGN)\nwhile True: time.sleep(9)",
        {"wall_seconds": 1.0},
        ExitReason.DEADLINE,
    ),
    "dripping bytes": (
        'import os, time\ntell({"n": 1})\nos.write(1, b"\\0\\0\\0\\x02\\0\\1\\0\\0{}")\n'
        'while True: os.write(1, b"x"); time.sleep(0.005)',
        {"wall_seconds": 1.0},
        ExitReason.DEADLINE,
    ),
    "stdout closed, running on": (
        'import os, time\ntell({"n": 1})\nos.close(1); time.sleep(60)',
        {"wall_seconds": 1.0},
        ExitReason.DEADLINE,
    ),
    "a memory bomb": ('tell({"n": 1})\nx = bytearray(1 << 30)', {}, ExitReason.MEMORY_LIMIT),
    "memory in many files": (
        'tell({"n": 1})\nfor i in range(9):\n    open(f"/tmp/{i}", "wb").write(bytes(64 << 20))',
        {"tmp_bytes": 1 << 30},
        ExitReason.MEMORY_LIMIT,
    ),
    "a frame over its budget": (
        'tell({"n": 1})\ntell({}, bytes(2 << 20))',
        {"frame_bytes": 1 << 20},
        ExitReason.OUTPUT_LIMIT,
    ),
    "frames over the budget of all": (
        'tell({"n": 1})\nwhile True: tell({}, bytes(1 << 20))',
        {"total_bytes": 8 << 20},
        ExitReason.OUTPUT_LIMIT,
    ),
    "too many frames": ('while True: tell({"n": 1})', {"frames": 100}, ExitReason.OUTPUT_LIMIT),
    "garbage": (
        'import os\ntell({"n": 1})\nos.write(1, b"\\0\\0\\0\\x04\\0\\0\\0\\0????" * 9)',
        {},
        ExitReason.PROTOCOL_ERROR,
    ),
    "a print where frames belong": ('tell({"n": 1})\nprint("hello" * 99)', {}, ExitReason.PROTOCOL_ERROR),
    "half a frame, then success": (
        'import os\ntell({"n": 1})\nos.write(1, b"\\0\\0\\0\\x04")',
        {},
        ExitReason.PROTOCOL_ERROR,
    ),
    "half a frame, then death": (
        'import os\ntell({"n": 1})\nos.write(1, b"\\0\\0\\0\\x04"); os.abort()',
        {},
        ExitReason.DIED,
    ),
    "a crash": ('tell({"n": 1})\nimport ctypes; ctypes.string_at(0)', {}, ExitReason.DIED),
    "everything killed": ('tell({"n": 1})\nimport os; os.kill(-1, 9); os.kill(0, 9)', {}, ExitReason.DIED),
    "a foreign system call": (
        # mov eax, 20 (getpid of 32 bits); int 0x80; ret
        'import ctypes, mmap\ntell({"n": 1})\nm = mmap.mmap(-1, 4096, prot=7)\n'
        'm.write(b"\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3")\n'
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()",
        {},
        ExitReason.FORBIDDEN_CALL,
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_each_end_is_told_apart_and_what_came_before_is_kept(sandbox: BubblewrapSandbox, name: str) -> None:
    code, limits, reason = ENDINGS[name]
    if name == "a foreign system call" and os.uname().machine != "x86_64":
        pytest.skip("machine code of another architecture")
    ran = run(sandbox, code, **limits)
    assert ran.exit.reason is reason, ran.exit
    assert ran.told == {"n": 1}


def test_a_child_lost_for_want_of_memory_is_told_although_the_entry_lived_on(
    sandbox: BubblewrapSandbox,
) -> None:
    ran = run(
        sandbox,
        """
        import os, signal
        child = os.fork()
        if child == 0:
            open("/proc/self/oom_score_adj", "w").write("900")
            x = bytearray(1 << 30)
        tell({"signal": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])})
        """,
    )
    assert ran.told == {"signal": -signal.SIGKILL}
    assert ran.exit.reason is ExitReason.COMPLETED
    assert ran.exit.oom_kills >= 1


def test_a_fork_bomb_ends_with_its_jail(sandbox: BubblewrapSandbox) -> None:
    code = """
        import os
        tell({"n": 1})
        while True:
            try: os.fork()
            except OSError: pass
        """
    with sandbox.start(request(code, wall_seconds=1.0)) as jail:
        ran = finish(jail)
        assert ran.exit.reason is ExitReason.DEADLINE
        assert jail.processes() == []


def test_the_deadline_holds_while_the_reader_looks_away(sandbox: BubblewrapSandbox) -> None:
    with sandbox.start(request('tell({"n": 1})\nwhile True: pass', wall_seconds=0.5)) as jail:
        frames = jail.frames()
        assert next(frames).header == {"n": 1}
        _wait_until(lambda: not jail.processes())
        assert list(frames) == []
        assert jail.exit().reason is ExitReason.DEADLINE


def test_what_a_jail_sent_before_the_deadline_is_read_after_it(sandbox: BubblewrapSandbox) -> None:
    code = 'for n in range(9): tell({"n": n})\nwhile True: pass'
    with sandbox.start(request(code, wall_seconds=0.5)) as jail:
        frames = jail.frames()
        assert next(frames).header == {"n": 0}
        _wait_until(lambda: not jail.processes())
        assert [frame.header["n"] for frame in frames] == list(range(1, 9))


def test_another_thread_can_end_it(sandbox: BubblewrapSandbox) -> None:
    with sandbox.start(request('tell({"n": 1})\nwhile True: pass')) as jail:
        frames = jail.frames()
        next(frames)
        killer = threading.Thread(target=jail.kill)
        killer.start()
        assert list(frames) == []
        killer.join()
        assert jail.exit().reason is ExitReason.KILLED


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.02, 0.03, 0.05])
def test_it_can_be_ended_while_it_is_being_built(sandbox: BubblewrapSandbox, delay: float) -> None:
    with sandbox.start(request("import time; time.sleep(60)")) as jail:
        time.sleep(delay)
        jail.kill()
        assert list(jail.frames()) == []
        assert jail.exit().reason is ExitReason.KILLED
        assert jail.processes() == []


def test_leaving_by_an_exception_leaves_nothing(sandbox: BubblewrapSandbox) -> None:
    jail = sandbox.start(request('tell({"n": 1})\nwhile True: pass'))
    with pytest.raises(KeyboardInterrupt):
        _leave_by_an_exception(jail)
    assert jail.processes() == []
    assert list((sandbox.scratch / "jails").iterdir()) == []
    assert jail.exit().reason is ExitReason.KILLED


def test_daemons_end_with_the_entry(sandbox: BubblewrapSandbox) -> None:
    code = """
        import os, time
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
        tell({"n": 1})
        """
    with sandbox.start(request(code)) as jail:
        assert finish(jail).exit.reason is ExitReason.COMPLETED
        assert jail.processes() == []


def test_an_entry_that_does_not_read_all_its_input_is_no_error_of_ours(sandbox: BubblewrapSandbox) -> None:
    asked = request('tell({"n": 1})')
    more = replace(asked, frames=(*asked.frames, Frame({}, bytes(4 << 20))))
    with sandbox.start(more) as jail:
        assert finish(jail).exit.reason is ExitReason.COMPLETED


def test_an_unknown_entry_died(sandbox: BubblewrapSandbox) -> None:
    with sandbox.start(JailRequest("no_such_module", (), LIMITS)) as jail:
        ran = finish(jail)
    assert ran.exit.reason is ExitReason.DIED
    assert "no_such_module" in ran.exit.detail


def test_a_jail_that_cannot_be_built_is_our_failure(sandbox: BubblewrapSandbox, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    # The folder to mount on does not exist and cannot be made: /usr is read-only.
    impossible = Mount(tmp_path / "data", "/usr/no/such/folder")
    with (
        sandbox.start(request("tell({})", mounts=(impossible,))) as jail,
        pytest.raises(SandboxUnavailable, match="No jail could be started"),
    ):
        list(jail.frames())


def test_a_missing_mount_is_our_failure(sandbox: BubblewrapSandbox, tmp_path: Path) -> None:
    missing = Mount(tmp_path / "gone", "/data")
    with pytest.raises(SandboxUnavailable, match="gone"):
        sandbox.start(request("tell({})", mounts=(missing,)))


def test_a_header_that_is_no_json_is_refused_before_anything_starts(sandbox: BubblewrapSandbox) -> None:
    with pytest.raises(ValueError, match="JSON"):
        sandbox.start(JailRequest("told", (Frame({"x": float("nan")}),), LIMITS))


def test_a_jail_outlives_the_thread_that_asked_for_it(sandbox: BubblewrapSandbox) -> None:
    jails = []
    asking = threading.Thread(
        target=lambda: jails.append(sandbox.start(request('import time; time.sleep(0.5); tell({"n": 1})')))
    )
    asking.start()
    asking.join()
    with jails[0] as jail:
        assert finish(jail).told == {"n": 1}


def test_torch_pools_and_loader_workers_run_inside(sandbox: BubblewrapSandbox) -> None:
    ran = run(
        sandbox,
        """
        import multiprocessing, os, pwd
        import torch
        from torch.utils.data import DataLoader, TensorDataset

        loader = DataLoader(TensorDataset(torch.arange(100.0)), batch_size=10, num_workers=2)
        with multiprocessing.Pool(2) as pool:
            pooled = pool.map(abs, [-1, -2])
        torch.save(torch.ones(2), "saved.pt")
        tell({
            "sum": sum(float(batch[0].sum()) for batch in loader),
            "pooled": pooled,
            "loaded": torch.load("saved.pt").tolist(),
            "name": pwd.getpwuid(os.getuid()).pw_name,
            "cuda": torch.cuda.is_available(),
        })
        """,
        memory_bytes=2 << 30,
        wall_seconds=120.0,
    )
    assert ran.told == {
        "sum": 4950.0,
        "pooled": [1, 2],
        "loaded": [1.0, 1.0],
        "name": "student",
        "cuda": False,
    }


def test_it_works_from_below_a_folder_that_only_root_may_enter(
    sandbox: BubblewrapSandbox, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    (closed / "data" / "digits.txt").write_text("0123456789")
    (closed / "one.txt").write_text("a file of its own")
    closed.chmod(0o700)
    mounts = (Mount(closed / "data", "/data/mnist"), Mount(closed / "one.txt", "/data/one.txt"))
    code = 'tell({"read": [open(p).read() for p in ("/data/mnist/digits.txt", "/data/one.txt")]})'
    assert run(sandbox, code, mounts=mounts).told == {"read": ["0123456789", "a file of its own"]}


def test_an_ordinary_user_can_run_jails_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    if os.geteuid() != 0:
        pytest.skip("every other test shows it already")
    user = ["setpriv", "--reuid", "60990", "--regid", "60990", "--clear-groups"]
    python = sys.executable
    probe = [*user, python, "-c", "import grader, sys; print(sys.base_prefix)"]
    found = subprocess.run(probe, check=False, capture_output=True, text=True)
    if found.stdout.strip() != sys.base_prefix:
        pytest.skip("this checkout or its Python lies below a folder that ordinary users may not enter")
    script = (
        "import tempfile, logging; from pathlib import Path\n"
        "from grader.sandbox.bubblewrap import open_sandbox\n"
        "from grader.sandbox.selftest import check_sandbox\n"
        "sandbox = open_sandbox(scratch=Path(tempfile.mkdtemp()), trusted_class=True)\n"
        "print([found for found in check_sandbox(sandbox) if not found.holds])\n"
    )
    ran = subprocess.run([*user, python, "-c", script], check=False, capture_output=True, text=True, cwd="/")
    assert ran.stdout.strip() == "[]", ran.stderr


def _leave_by_an_exception(jail: Jail) -> None:
    with jail:
        next(jail.frames())
        raise KeyboardInterrupt


def _wait_until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_a_prepared_jail_waits_longer_than_it_may_prepare_and_then_serves(
    sandbox: BubblewrapSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap, "_PREPARING_SECONDS", 2.0)
    shape = replace(request(""), entry="patient", frames=(), opening=(Frame({"n": 1}),))
    with sandbox.prepare(shape) as jail:
        jail.hurry()
        assert jail.await_prepared()
        time.sleep(2.5)
        assert jail.is_waiting()
        jail.begin(replace(shape, frames=(Frame({"m": 2}),)))
        assert finish(jail).told == {"opening": {"n": 1}, "m": 2}


def test_a_jail_that_does_not_get_prepared_is_ended(
    sandbox: BubblewrapSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap, "_PREPARING_SECONDS", 0.5)
    shape = replace(
        request("import time; time.sleep(60)"), opening=request("import time; time.sleep(60)").frames
    )
    with sandbox.prepare(shape) as jail:
        assert not jail.await_prepared()


def test_a_jail_started_cold_is_given_its_opening_too(sandbox: BubblewrapSandbox) -> None:
    asked = replace(request(""), entry="patient", frames=(Frame({"m": 2}),), opening=(Frame({"n": 1}),))
    with sandbox.start(asked) as jail:
        assert finish(jail).told == {"opening": {"n": 1}, "m": 2}
