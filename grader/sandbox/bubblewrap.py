"""Real jails: one bubblewrap per request, under its own control group, service uid and system call filter."""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import SandboxUnavailable, SetupIncomplete
from grader.sandbox.arguments import (
    Environment,
    build_arguments,
    build_command,
    files_inside,
    processes_with_ours,
    this_environment,
)
from grader.sandbox.cgroups import Cgroup, find_parents
from grader.sandbox.container import Container, JailLimits, find_container
from grader.sandbox.diagnosis import NO_BWRAP, NO_CGROUP, OLD_BWRAP, WITHOUT_GROUPS, explain_failure
from grader.sandbox.jail import AHEAD_OF_NEED, JailRequest, Limits, begin_or_end
from grader.sandbox.launch import (
    TOOLS_PATH,
    Staging,
    build_chain,
    close_all,
    hand_over,
    staged_sources,
)
from grader.sandbox.nested import INNER_FILTER
from grader.sandbox.owners import Records, Watchdog, name_owner
from grader.sandbox.proc import Proc, find_proc
from grader.sandbox.running import BubblewrapJail, Started
from grader.sandbox.slots import SlotPool, end_processes_of
from grader.sandbox.syscalls import compile_filter

_log = logging.getLogger(__name__)

_GROUP_PREFIX = "notebook-jail-"
_PREPARING_SECONDS = 120.0
OLDEST_BWRAP = (0, 8)
# Belongs to the machine, not to one installation: two services must not hand out the same uid.
MACHINE_FOLDER = Path("/run/notebook-grader")


@dataclass(frozen=True, slots=True)
class _Machine:
    """What `BubblewrapSandbox` found here."""

    bwrap: Path
    groups: tuple[Path, ...]  # below which cgroups are made; empty: none
    container: Container | None  # whose limits stand in for them
    proc: Proc
    is_root: bool


class BubblewrapSandbox:
    """Implements `grader.sandbox.jail.Sandbox`. Safe to use from several threads.

    Raises `SetupIncomplete` when made on a machine that lacks bubblewrap, libseccomp or, unless
    ``trusted_class``, what ``limits`` names. Made once per process; making it removes what a killed
    service left behind in ``scratch``.
    """

    def __init__(
        self,
        *,
        environment: Environment,
        scratch: Path,
        trusted_class: bool = False,
        limits: JailLimits = JailLimits.CGROUP,
        cpus: float | None = None,
        slots: int = 64,
    ) -> None:
        self.environment = environment
        self.scratch = scratch
        self._cpus = cpus
        self._machine = _look_around(trusted_class, limits)
        self._filter = compile_filter()
        self._nesting_filter = compile_filter(nests=True)
        self._slots = SlotPool(MACHINE_FOLDER / "slots", slots)
        # Two sandboxes of one process must not end each other's jails either.
        self._name = f"{name_owner()}-{secrets.token_hex(4)}"
        self._numbers = itertools.count(1)
        self._records = Records(scratch / "jails")
        self._records.clean()
        prefixes = [parent / f"{_GROUP_PREFIX}{self._name}-" for parent in self._machine.groups]
        self._watchdog = Watchdog(prefixes, self._records.folder / f"{self._name}-")
        # A jail dies with the thread that launched it, so that is one which outlives every jail.
        self._launcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="jail-launcher")

    @property
    def limits_memory(self) -> bool:
        """Whether there are control groups here: without them, memory is limited per process only."""
        return bool(self._machine.groups)

    @property
    def one_at_a_time(self) -> bool:
        """Whether a jail that is given work waits until no other one here has any."""
        return self._machine.container is not None

    @property
    def proc(self) -> Proc:
        """What jails have as ``/proc``."""
        return self._machine.proc

    def start(self, request: JailRequest) -> BubblewrapJail:
        """Start one jail; `SandboxUnavailable` where none can be started.

        A jail that fails while it is being built says so from its `frames`.
        """
        for frame in request.frames:
            json.dumps(frame.header, allow_nan=False)
        jail = self._start(request, request.limits.wall_seconds)
        begin_or_end(jail, request)
        return jail

    def prepare(self, shape: JailRequest) -> BubblewrapJail:
        """Start one that waits for its request; as `start`."""
        ahead = replace(shape, environment={**shape.environment, AHEAD_OF_NEED: "1"})
        jail = self._start(ahead, _PREPARING_SECONDS)
        jail.give_way()
        return jail

    def _start(self, request: JailRequest, seconds: float) -> BubblewrapJail:
        future = self._launcher.submit(self._build, request, seconds)
        try:
            return future.result()
        except OSError as error:
            raise SandboxUnavailable(f"No jail could be started: {error}") from error
        except BaseException:
            # Interrupted while waiting: nobody will ever hold this jail.
            future.add_done_callback(_discard)
            raise

    def _build(self, request: JailRequest, seconds: float) -> BubblewrapJail:
        if self._machine.proc is Proc.BARE:
            request = replace(request, nests=False)
        with ExitStack() as held:
            name = f"{self._name}-{next(self._numbers)}"
            if self._machine.container is not None:
                self._machine.container.require_room(request.limits)
            staging = self._take_slot(held)
            group = self._make_group(name, request.limits, processes_with_ours(request), held)
            process, status, frames = self._launch(request, staging, group)
            close, container = held.pop_all().close, self._machine.container
            started = Started(process, status, frames, group, container, close, self._explain)
            try:
                return BubblewrapJail(started, request, seconds)
            except BaseException:
                close()
                raise

    def _take_slot(self, held: ExitStack) -> Staging | None:
        if not self._machine.is_root:
            return None
        slot = self._slots.take()
        held.callback(slot.release)
        # The lock of this uid is ours alone, so whatever still runs under it was left by a dead service.
        end_processes_of(slot.uid)
        stage = MACHINE_FOLDER / "stage"
        stage.mkdir(mode=0o755, parents=True, exist_ok=True)
        return Staging(stage, slot.uid)

    def _make_group(self, name: str, limits: Limits, processes: int, held: ExitStack) -> Cgroup | None:
        if not self._machine.groups:
            return None
        self._watchdog.ensure()
        group = Cgroup(tuple(parent / f"{_GROUP_PREFIX}{name}" for parent in self._machine.groups))
        self._records.write(name, group)
        held.callback(self._drop_group, name, group)
        try:
            group.make(memory_bytes=limits.memory_bytes, processes=processes, cpus=self._cpus)
        except OSError as error:
            raise SandboxUnavailable(f"{NO_CGROUP} (The kernel said: {error})") from error
        return group

    def _drop_group(self, name: str, group: Cgroup) -> None:
        group.kill()
        if group.remove():
            self._records.forget(name)
        else:
            _log.error("the control group of jail %s is still in use; the next start removes it", name)

    def _launch(
        self, request: JailRequest, staging: Staging | None, group: Cgroup | None
    ) -> tuple[subprocess.Popen[bytes], int, socket.socket]:
        mounts = (*self.environment.mounts(), *request.mounts)
        sources = tuple(dict.fromkeys(mount.source for mount in mounts))
        for source in sources:
            if not source.exists():
                raise SandboxUnavailable(f"{source} is to be mounted into a jail but does not exist.")
        reading, writing = os.pipe()
        # A socket: a pipe could be opened again through /proc by whoever runs inside as our own uid.
        ours, theirs = socket.socketpair()
        try:
            with theirs, ExitStack() as handed:
                handed.callback(os.close, writing)
                files = hand_over({**files_inside(), **self._filters(request)})
                handed.callback(close_all, files)
                places = staged_sources(sources, staging)
                machine, handles = self._machine, {**files, "status": writing}
                arguments = build_arguments(
                    self.environment, request, places, handles, machine.bwrap, proc=machine.proc
                )
                lists = hand_over({"arguments": b"".join(os.fsencode(word) + b"\0" for word in arguments)})
                handed.callback(close_all, lists)
                is_counted = group is not None or machine.container is not None
                inside = build_command(self.environment, request, theirs.fileno(), in_group=is_counted)
                bubblewrap = [str(self._machine.bwrap), "--args", str(lists["arguments"]), "--", *inside]
                process = subprocess.Popen(
                    build_chain(bubblewrap, group.folders if group else (), sources, staging),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,  # the wire comes beside it: see `entry`
                    stderr=subprocess.PIPE,
                    cwd="/",
                    # Whatever bubblewrap itself has in its environment can be read inside.
                    env={"PATH": TOOLS_PATH},
                    pass_fds=(*files.values(), *lists.values(), writing, theirs.fileno()),
                    start_new_session=True,
                )
        except BaseException:
            os.close(reading)
            ours.close()
            raise
        return process, reading, ours

    def _filters(self, request: JailRequest) -> dict[str, bytes]:
        if not request.nests:
            return {"seccomp": self._filter}
        return {"seccomp": self._nesting_filter, INNER_FILTER: self._filter}

    def _explain(self, printed: str) -> str:
        return explain_failure(printed, self.environment)


def open_sandbox(
    *,
    scratch: Path,
    hidden: Sequence[Path] = (),
    trusted_class: bool = False,
    limits: JailLimits = JailLimits.CGROUP,
) -> BubblewrapSandbox:
    """Make the sandbox for this very Python; ``hidden`` paths can be seen in no jail."""
    return BubblewrapSandbox(
        environment=this_environment(hidden), scratch=scratch, trusted_class=trusted_class, limits=limits
    )


def find_bwrap() -> tuple[Path, str]:
    """Return where bubblewrap is and what it says of its version. Raises `SetupIncomplete`."""
    found = shutil.which("bwrap", path=TOOLS_PATH)
    if found is None:
        raise SetupIncomplete(str(NO_BWRAP))
    said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=10, check=False)
    version = re.search(r"(\d+)\.(\d+)", said.stdout)
    if version is None or (int(version[1]), int(version[2])) < OLDEST_BWRAP:
        raise SetupIncomplete(f"{OLD_BWRAP} (It said: {said.stdout.strip() or said.stderr.strip()})")
    return Path(found), version[0]


def _look_around(trusted_class: bool, limits: JailLimits) -> _Machine:
    bwrap, _ = find_bwrap()
    is_root = os.geteuid() == 0
    if limits is JailLimits.CONTAINER:
        return _Machine(bwrap, (), find_container(), find_proc(bwrap), is_root)
    groups = find_parents()
    if not groups:
        if not trusted_class:
            raise SetupIncomplete(str(NO_CGROUP))
        _log.warning(
            "NO CONTROL GROUP, so jails are weaker: %s. A hostile notebook can bring this machine down. "
            "Go on only with a class that you trust.",
            "; ".join(WITHOUT_GROUPS),
        )
    return _Machine(bwrap, groups, None, find_proc(bwrap), is_root)


def _discard(future: Future[BubblewrapJail]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().__exit__(None, None, None)
