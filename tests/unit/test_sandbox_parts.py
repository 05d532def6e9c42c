"""The sandbox's parts that need no jail: frames, the reading end, arguments, slots, the fake."""

from __future__ import annotations

import io
import os
import threading
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.errors import SandboxUnavailable
from grader.sandbox import diagnosis
from grader.sandbox.arguments import build_arguments, build_command, this_environment
from grader.sandbox.diagnosis import explain_failure
from grader.sandbox.fake import FakeSandbox
from grader.sandbox.frames import FrameInvalid, FrameTooLarge, read_frame, write_frame
from grader.sandbox.jail import ExitReason, Frame, JailRequest, Limits, Mount
from grader.sandbox.launch import Staging, build_chain, staged_sources
from grader.sandbox.machine import read_machine
from grader.sandbox.pipe import DeadlinePipe, OutOfTime
from grader.sandbox.slots import FIRST_UID, SlotPool

LIMITS = Limits(wall_seconds=2.0, memory_bytes=1 << 30)


def test_a_frame_comes_back_as_it_was_written() -> None:
    stream = io.BytesIO()
    write_frame(stream, Frame({"name": "ü", "n": [1, 2.5, None]}, b"\0raw"))
    stream.seek(0)
    assert read_frame(stream, 1000) == Frame({"name": "ü", "n": [1, 2.5, None]}, b"\0raw")
    assert read_frame(stream, 1000) is None


def test_a_large_frame_is_in_memory_only_once() -> None:
    stream = io.BytesIO()
    write_frame(stream, Frame({}, bytes(16 << 20)))
    stream.seek(0)
    tracemalloc.start()
    try:
        read_frame(stream, 32 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24 << 20


NO_FRAMES = {
    "cut short in its lengths": b"\0\0\0",
    "cut short in its header": b"\0\0\0\x09\0\0\0\0{}",
    "a header that is a list": b"\0\0\0\x02\0\0\0\0[]",
    "a header with NaN": b'\0\0\0\x09\0\0\0\0{"a":NaN}',
    "a header that is deep": b"\0\1\0\0\0\0\0\0" + b"[" * (1 << 16),
    "a header with a huge number": b"\0\0\0\x69\0\0\0\0" + b'{"a":' + b"9" * 99 + b"}",
    "a header in no encoding": b"\0\0\0\x02\0\0\0\0\xff\xff",
    "text": b"hello, this is a print",
}


@pytest.mark.parametrize("name", NO_FRAMES)
def test_what_is_no_frame_is_refused(name: str) -> None:
    with pytest.raises(FrameInvalid):
        read_frame(io.BytesIO(NO_FRAMES[name]), 1 << 20)


def test_a_frame_over_its_budget_is_refused_before_it_is_read() -> None:
    stream = io.BytesIO(b"\0\0\0\x02\x7f\xff\xff\xff{}")
    with pytest.raises(FrameTooLarge):
        read_frame(stream, 1 << 20)
    assert stream.tell() == 8


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_whole_blocks_are_read_from_dribs(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    stream = DeadlinePipe(reading, lambda: time.monotonic() + 60, lambda: False)
    drip = threading.Thread(target=lambda: [os.write(writing, bytes([n])) for n in range(100)])
    drip.start()
    assert stream.read(100) == bytes(range(100))
    drip.join()


def test_a_silent_pipe_ends_at_the_deadline(pipe: tuple[int, int]) -> None:
    stream = DeadlinePipe(pipe[0], lambda: time.monotonic() - 1, lambda: False)
    with pytest.raises(OutOfTime):
        stream.read(1)


def test_a_pipe_held_open_by_a_straggler_ends_with_what_is_in_it(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"last")
    stream = DeadlinePipe(pipe[0], lambda: time.monotonic() + 60, lambda: True)
    assert stream.read(9) == b"last"
    assert stream.at_end


def _arguments(request: JailRequest, hidden: tuple[Path, ...] = ()) -> list[str]:
    environment = replace(this_environment(), hidden=hidden)
    mounts = (*environment.mounts(), *request.mounts)
    sources = staged_sources([mount.source for mount in mounts], None)
    handles = {"/etc/passwd": 7, "seccomp": 8, "status": 9}
    return build_arguments(environment, request, sources, handles, Path("/usr/bin/bwrap"))


def _follows(words: list[str], *wanted: str) -> bool:
    return any(words[start : start + len(wanted)] == list(wanted) for start in range(len(words)))


def test_every_namespace_is_a_new_one() -> None:
    words = _arguments(JailRequest("told", (), LIMITS))
    wanted = {"--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"}
    assert wanted | {"--clearenv", "--die-with-parent", "--new-session", "--disable-userns"} <= set(words)


def test_mounts_come_after_the_folders_that_would_cover_them(tmp_path: Path) -> None:
    words = _arguments(JailRequest("told", (), LIMITS, mounts=(Mount(tmp_path, "/tmp/data"),)))
    assert words.index("/tmp/data") > words.index("/tmp")
    assert _follows(words, "--ro-bind", str(tmp_path), "/tmp/data")


def test_what_the_request_says_about_the_environment_wins() -> None:
    request = JailRequest("told", (), LIMITS, environment={"OMP_NUM_THREADS": "2", "PYTHONPATH": "/probes"})
    words = _arguments(request)
    assert _follows(words, "--setenv", "OMP_NUM_THREADS", "2")
    assert _follows(words, "--setenv", "PYTHONPATH", "/opt/grader:/probes")


def test_a_hidden_path_is_covered_where_a_mount_shows_it(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "one").write_text("x")
    request = JailRequest("told", (), LIMITS, mounts=(Mount(tmp_path, "/data"),))
    words = _arguments(request, (tmp_path / "keys", tmp_path / "one", tmp_path / "none"))
    assert _follows(words, "--tmpfs", "/data/keys")
    assert _follows(words, "--ro-bind", "/dev/null", "/data/one")
    assert "/data/none" not in words


def test_a_mount_that_is_to_be_hidden_is_a_contradiction(tmp_path: Path) -> None:
    request = JailRequest("told", (), LIMITS, mounts=(Mount(tmp_path, "/data"),))
    with pytest.raises(SandboxUnavailable, match="both hidden"):
        _arguments(request, (tmp_path,))


def test_the_command_runs_the_entry_isolated_from_user_and_folder() -> None:
    command = build_command(this_environment(), JailRequest("grader.x", (), LIMITS), 7)
    assert command[-7:] == ["-s", "-P", "-B", "-m", "grader.sandbox.entry", "7", "grader.x"]
    assert "--core=0" in command


def test_without_a_control_group_each_process_has_the_jails_memory_and_no_more() -> None:
    request = JailRequest("grader.x", (), LIMITS)
    assert f"--data={1 << 30}" in build_command(this_environment(), request, 7, in_group=False)
    assert not any(word.startswith("--data") for word in build_command(this_environment(), request, 7))


def test_paths_are_handed_to_the_steps_as_they_are() -> None:
    odd = Path("/srv/a b; rm -rf $HOME")
    chain = build_chain(["bwrap"], [Path("/cg/a")], [odd], Staging(Path("/run/stage"), 61007))
    assert str(odd) in chain
    assert not any(str(odd) in word for word in chain if word != str(odd))
    assert _follows(chain, "--reuid", "61007", "--regid", "61007", "--clear-groups")


def test_an_ordinary_user_stages_nothing() -> None:
    assert "unshare" not in build_chain(["bwrap"], [], [], None)


def test_no_two_jails_share_a_uid_until_one_gives_it_back(tmp_path: Path) -> None:
    first, second = SlotPool(tmp_path, 2), SlotPool(tmp_path, 2)
    one, two = first.take(), second.take()
    assert (one.uid, two.uid) == (FIRST_UID, FIRST_UID + 1)
    with pytest.raises(SandboxUnavailable, match="All 2"):
        second.take()
    one.release()
    again = second.take()
    assert again.uid == FIRST_UID
    for slot in (two, again):
        slot.release()


SAYINGS = {
    "bwrap: setting up uid map: Permission denied": "apparmor_restrict_unprivileged_userns=0",
    "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted": "apparmor_restrict_unprivileged_userns=0",
    "bwrap: No permissions to create new namespace": "user.max_user_namespaces",
    "bwrap: Can't mount proc on /newroot/proc: Operation not permitted": "systempaths=unconfined",
    "unshare: unshare failed: Operation not permitted": "as an ordinary user",
    "sh: 3: cannot create /sys/fs/cgroup/x/cgroup.procs: Permission denied": "Delegate=yes",
    "bwrap: Unknown option --disable-userns": "apt-get install bubblewrap",
    "something new": "something new",
}


@pytest.mark.parametrize("said", SAYINGS)
def test_each_known_failure_is_explained_with_a_line_to_type(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What this very machine looks like must not choose the cause.
    monkeypatch.setattr(diagnosis, "read_machine", lambda: read_machine(tmp_path))
    assert SAYINGS[said] in explain_failure(said, this_environment())


def test_the_fake_answers_as_it_was_told() -> None:
    sandbox = FakeSandbox([Frame({"n": 1}), Frame({"n": 2})], [])
    request = JailRequest("told", (), LIMITS)
    with sandbox.start(request) as jail:
        assert [frame.header["n"] for frame in jail.frames()] == [1, 2]
        assert jail.exit().reason is ExitReason.COMPLETED
    assert sandbox.requests == [request]


def test_the_fake_can_be_ended(tmp_path: Path) -> None:
    with FakeSandbox([Frame({"n": 1}), Frame({"n": 2})]).start(JailRequest("told", (), LIMITS)) as jail:
        frames: Any = jail.frames()
        next(frames)
        jail.kill()
        assert list(frames) == []
        assert jail.exit().reason is ExitReason.KILLED
