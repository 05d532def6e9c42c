"""A sandbox that hears everything: each frame that leaves a jail, and what a jail has on the machine."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from grader.sandbox.bubblewrap import BubblewrapSandbox
from grader.sandbox.cgroups import own_groups
from grader.sandbox.jail import Frame, Jail, JailExit, JailRequest
from grader.sandbox.running import BubblewrapJail


class OverheardSandbox:
    """Implements `grader.sandbox.jail.Sandbox` around another. ``leaks`` judges bytes that came out."""

    def __init__(self, sandbox: BubblewrapSandbox, leaks: Callable[[bytes], bool]) -> None:
        self._sandbox = sandbox
        self._leaks = leaks
        self.last: OverheardJail | None = None

    def start(self, request: JailRequest) -> Jail:
        """Start one jail and listen to it."""
        self.last = OverheardJail(self._sandbox.start(request), self._leaks)
        return self.last


class OverheardJail:
    """Passes on what the jail does. ``leaked`` counts frames that held a secret of the host."""

    def __init__(self, jail: BubblewrapJail, leaks: Callable[[bytes], bool]) -> None:
        self._jail = jail
        self._leaks = leaks
        self.leaked = 0
        self._networks: dict[int, int] = {}  # inode → a handle that keeps the number from being used again
        self._groups: set[Path] = set()
        self._noting = threading.Lock()
        self._over = threading.Event()
        # Frames alone do not show a short jail on a busy machine: it may be gone when they are read.
        threading.Thread(target=self._watch, daemon=True).start()

    def frames(self) -> Iterator[Frame]:
        """Yield what the jail says, as it says it."""
        for frame in self._jail.frames():
            self._note_what_it_has()
            self.leaked += self._leaks(frame.payload) or self._leaks(json.dumps(frame.header).encode())
            yield frame
            del frame  # a large one must not wait in memory for the next

    def exit(self) -> JailExit:
        """How it ended."""
        return self._jail.exit()

    def kill(self) -> None:
        """End it now."""
        self._jail.kill()

    def left_over(self, records: Path) -> list[str]:
        """What of it is still on the machine: processes, control groups, records. Asked after its end."""
        self._over.set()
        with self._noting:
            return self._look_for_remains(records)

    def _look_for_remains(self, records: Path) -> list[str]:
        stragglers = _processes_in(self._networks.keys())
        found = [f"processes {stragglers} outlived their jail"] if stragglers else []
        found += [f"{group} was left" for group in self._groups if group.exists()]
        names = {group.name.removeprefix("notebook-jail-") for group in self._groups}
        found += [f"the record {name} was left" for name in names if (records / name).exists()]
        if not self._networks:
            found.append("the jail was never seen from outside, so that nothing is known of what it left")
        for handle in self._networks.values():
            os.close(handle)
        return found

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self._note_what_it_has()

    def _note_what_it_has(self) -> None:
        with self._noting:
            if not self._over.is_set():
                self._note_processes()

    def _note_processes(self) -> None:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
        for process in self._jail.processes():
            # Nobody inside can make another network namespace: it marks all that belongs to the jail.
            with suppress(OSError):
                self._note_network(process)
                own = Path(f"/proc/{process}/cgroup").read_text(encoding="ascii")
                groups = own_groups(mounts, own).values()
                self._groups.update(group for group in groups if group.name.startswith("notebook-jail-"))

    def _note_network(self, process: int) -> None:
        network = Path(f"/proc/{process}/ns/net")
        number = network.stat().st_ino
        ours = Path("/proc/self/ns/net").stat().st_ino  # bubblewrap's outer half stays in it
        if number != ours and number not in self._networks:
            self._networks[number] = os.open(network, os.O_RDONLY)

    def __enter__(self) -> Self:
        self._jail.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._jail.__exit__(kind, error, trace)


def _processes_in(networks: Collection[int]) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (place / "ns" / "net").stat().st_ino in networks:
                found.append(int(place.name))
    return found
