"""Runs inside a jail and tells what it can see and do there: what `selftest` and the tests judge by."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from ctypes import CDLL, c_uint32
from pathlib import Path
from typing import Any

from grader.sandbox.frames import read_frame, write_frame
from grader.sandbox.jail import Frame
from grader.sandbox.nested import Inner, build_inner

# Asked of the kernel itself: not every jail has a /proc that tells.
_PR_GET_SECCOMP = 21
_PR_GET_NO_NEW_PRIVS = 39
_PR_CAPBSET_READ = 23
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_IS_SET = 47, 1
_CAPABILITY_VERSION = 0x20080522
_SIOCGIFNAME, _MOST_INTERFACES = 0x8910, 64


def main() -> None:
    """Do what the first frame asks for, then stay a while to be looked at, and ended, from outside."""
    asked = read_frame(sys.stdin.buffer, 1 << 20)
    if asked is None:
        return
    if "memory_bytes" in asked.header:
        _fill_memory(int(asked.header["memory_bytes"]))
    if "nest" in asked.header:
        write_frame(sys.stdout.buffer, Frame({"nested": _nest()}))
        return
    seen = look(asked.header)
    _leave_behind(float(asked.header["stay_seconds"]))
    write_frame(sys.stdout.buffer, Frame(seen))
    time.sleep(float(asked.header["stay_seconds"]))


def look(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what can be seen: ``port``, ``socket``, ``paths``, ``forks``, ``bytes`` say what to try."""
    libc = CDLL(None, use_errno=True)
    return {
        "seccomp": libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0),
        "no_new_privileges": libc.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        "capabilities": _capabilities(libc),
        "tcp": _connect(socket.AF_INET, ("127.0.0.1", asked["port"])),
        "abstract": _connect(socket.AF_UNIX, "\0" + asked["socket"]),
        "seen": [path for path in asked["paths"] if _is_visible(path)],
        "forks": _fork(int(asked["forks"])),
        "interfaces": _interfaces(),
        "processes": _other_processes(),
        "file_bytes": _fill_file(int(asked["bytes"])),
        "written": [path for path in ("/", "/usr", "/etc", "/opt", sys.prefix) if os.access(path, os.W_OK)],
    }


def _capabilities(libc: CDLL) -> dict[str, int]:
    """Return each set of this process as a mask; all of it where the kernel does not tell."""
    sets = (c_uint32 * 6)()  # twice effective, permitted, inheritable: the lower halves come first
    if libc.capget((c_uint32 * 2)(_CAPABILITY_VERSION, 0), sets) != 0:
        sets[:] = [0xFFFFFFFF] * 6
    masks = {
        name: sets[at] | sets[at + 3] << 32 for at, name in enumerate(("effective", "permitted", "inherited"))
    }
    numbers = range(64)
    masks["bounding"] = sum(1 << n for n in numbers if libc.prctl(_PR_CAPBSET_READ, n, 0, 0, 0) == 1)
    masks["ambient"] = sum(
        1 << n for n in numbers if libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_IS_SET, n, 0, 0) == 1
    )
    return masks


def _nest() -> str:
    """What an inner jail says of the processes that it can see: itself, and the first one."""
    command, handles = build_inner(["/bin/sh", "-c", "echo /proc/[0-9]*"], Inner((), (), 1 << 20))
    ran = subprocess.run(command, capture_output=True, text=True, check=False, pass_fds=handles)
    return ran.stdout.strip() or ran.stderr.strip()


def _connect(family: int, address: Any) -> str:
    try:
        with socket.socket(family) as client:
            client.settimeout(1)
            client.connect(address)
    except OSError as error:
        return f"refused: {error.strerror or error}"
    return "connected"


def _interfaces() -> list[str]:
    """Name every network interface, whether or not it is up."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for index in range(1, _MOST_INTERFACES + 1):
            try:
                answer = fcntl.ioctl(asking, _SIOCGIFNAME, struct.pack("16si20x", b"", index))
            except OSError:
                continue
            found.append(answer[:16].rstrip(b"\0").decode("ascii"))
    return found


def _other_processes() -> list[int]:
    """Every process that can be seen but ourselves and the first one."""
    seen = [int(place.name) for place in Path("/proc").iterdir() if place.name.isdigit()]
    return sorted(set(seen) - {1, os.getpid()})


def _fill_file(wanted: int) -> int:
    """How many of ``wanted`` bytes one file takes."""
    written = 0
    with tempfile.TemporaryFile(buffering=0) as file:
        try:
            while written < wanted:
                written += file.write(bytes(64 << 10))
        except OSError:
            pass
    return written


def _leave_behind(seconds: float) -> None:
    """Leave a process that no longer belongs to us and that only SIGKILL ends."""
    if os.fork() == 0:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(seconds)
        os._exit(0)


def _is_visible(path: str) -> bool:
    """Whether there is anything to be read: an empty cover shows nothing."""
    place = Path(path)
    try:
        if place.is_dir():
            return next(place.iterdir(), None) is not None
        with place.open("rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


def _fork(wanted: int) -> int:
    children: list[int] = []
    try:
        while len(children) < wanted:
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    except OSError:
        pass
    _end(children)
    return len(children)


def _end(children: Sequence[int]) -> None:
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _fill_memory(size: int) -> None:
    kept = bytearray(size)
    for page in range(0, size, 4096):
        kept[page] = 1


if __name__ == "__main__":
    main()
