"""What lies on the host and must not be touched: listeners, secrets in files and memory, a process."""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

_FILES = {
    "other_submission": "blobs/submission.ipynb",
    "rubric": "rubrics/homework.yaml",
    "held_out": "data/t10k-images-idx3-ubyte",
    "settings": ".env",
}


_WAIT = "import sys; sys.stdin.read()"


class Canaries:
    """Puts them out below ``folder``; everything there may be read by all, so that only the jail protects it.

    ``places`` are the names that attacks may use: ports, socket names, paths, process ids.
    """

    def __init__(self, folder: Path) -> None:
        self.secret = f"canary{secrets.token_hex(12)}"
        self.places: dict[str, str] = {}
        self._folder = folder
        self._files: dict[Path, bytes] = {}
        self._listeners: dict[str, socket.socket] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._folder.mkdir(mode=0o755)
        self._folder.parent.chmod(0o755)
        for name, place in _FILES.items():
            self._put(name, place, f"{name} {self.secret}\n".encode())
        self._put_database()
        self._listen()
        os.environ["GRADER_SECRET"] = self.secret
        kept_open = os.open(self._folder / _FILES["rubric"], os.O_RDWR)
        os.set_inheritable(kept_open, True)
        self._stack.callback(os.close, kept_open)
        # Beside us under our own uid, its secret in its memory, environment and arguments.
        self._process = self._stack.enter_context(
            subprocess.Popen([sys.executable, "-c", _WAIT, self.secret], stdin=subprocess.PIPE)
        )
        self._stack.callback(self._process.kill)
        self.places |= {
            "folder": str(self._folder),
            "host_process": str(self._process.pid),
            "parent_process": str(os.getpid()),
        }
        return self

    def __exit__(self, *_: object) -> None:
        os.environ.pop("GRADER_SECRET", None)
        self._stack.close()

    def complaints(self) -> list[str]:
        """What was touched since the last time."""
        found = [f"the {name} was reached" for name in self._listeners if self._was_reached(name)]
        for path, content in self._files.items():
            if not path.exists() or path.read_bytes() != content:
                found.append(f"{path.name} was changed")
                path.write_bytes(content)
        expected = {*self._files, self._folder / "service.sock"}
        for path in self._folder.rglob("*"):
            if path not in expected and not path.is_dir():
                found.append(f"{path} appeared on the host")
                path.unlink()
        if self._process.poll() is not None:
            found.append(f"a process of the host ended with status {self._process.returncode}")
        return found

    def is_in(self, data: bytes) -> bool:
        """Whether a secret of the host is in it."""
        return self.secret.encode("ascii") in data

    def _put(self, name: str, place: str, content: bytes) -> None:
        path = self._folder / place
        path.parent.mkdir(mode=0o755, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o666)
        self._files[path] = content
        self.places[name] = str(path)

    def _put_database(self) -> None:
        path = self._folder / "grader.sqlite"
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE grade (points TEXT)")
            database.execute("INSERT INTO grade VALUES (?)", (self.secret,))
        database.close()
        self._put("database", path.name, path.read_bytes())

    def _listen(self) -> None:
        abstract = f"grader-{secrets.token_hex(8)}"
        path = self._folder / "service.sock"
        kinds: dict[str, tuple[int, int, Any]] = {
            "tcp listener": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "udp listener": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "path socket": (socket.AF_UNIX, socket.SOCK_STREAM, str(path)),
            "abstract socket": (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{abstract}"),
            "abstract datagram socket": (socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{abstract}-datagrams"),
        }
        for name, (family, kind, address) in kinds.items():
            listener = self._stack.enter_context(socket.socket(family, kind))
            listener.bind(address)
            if kind == socket.SOCK_STREAM:
                listener.listen()
            listener.setblocking(False)
            self._listeners[name] = listener
        path.chmod(0o777)
        self.places |= {
            "tcp_port": str(self._listeners["tcp listener"].getsockname()[1]),
            "udp_port": str(self._listeners["udp listener"].getsockname()[1]),
            "abstract_name": abstract,
            "path_socket": str(path),
        }

    def _was_reached(self, name: str) -> bool:
        listener = self._listeners[name]
        try:
            if listener.type == socket.SOCK_DGRAM:
                listener.recv(1)
            else:
                listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True
