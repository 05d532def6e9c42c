"""One service uid per running jail, so that limits counted per uid are never shared between jails."""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grader.errors import SandboxUnavailable

FIRST_UID = 61000


@dataclass(frozen=True, slots=True)
class Slot:
    """A uid that is ours until `release`."""

    uid: int
    _handle: int

    def release(self) -> None:
        """Give it back. Only after the last process with this uid is gone."""
        os.close(self._handle)


@dataclass(frozen=True, slots=True)
class SlotPool:
    """Service uids, held by locked files. A uid belongs to the machine, so ``folder`` must as well."""

    folder: Path
    slots: int = 64

    def take(self) -> Slot:
        """Take a uid that no other jail of this machine has; `SandboxUnavailable` where all are taken."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for number in range(self.slots):
            handle = os.open(self.folder / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                continue
            return Slot(FIRST_UID + number, handle)
        raise SandboxUnavailable(
            f"All {self.slots} service users for jails are in use on this machine. Start fewer workers."
        )


def end_processes_of(uid: int) -> int:
    """End what a killed service left under this uid; return how many processes that were."""
    ended = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and real_uid(int(folder.name)) == uid:
            with suppress(ProcessLookupError):
                os.kill(int(folder.name), signal.SIGKILL)
                ended += 1
    return ended


def real_uid(process: int) -> int | None:
    """Return who a process runs as, seen from here; None where it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(status.partition("\nUid:")[2].split()[0])
