"""Bytes kept by their sha256, in a folder that only the service can read."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import EvidenceMissing, StorageUnavailable

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = "unfinished-"
_written: ContextVar[dict[str, datetime] | None] = ContextVar("written", default=None)


@contextmanager
def note_written() -> Iterator[dict[str, datetime]]:
    """What this thread puts meanwhile that had not been there, and when it was written.

    With that time `Blobs.remove` takes it back, unless somebody else has put the same since.
    """
    noted: dict[str, datetime] = {}
    token = _written.set(noted)
    try:
        yield noted
    finally:
        _written.reset(token)


class Blobs:
    """A folder of blobs: ``ab/cd/abcd…``. Safe for many processes at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keep the bytes and return their sha256; on the disk when this returns.

        Raises `StorageUnavailable` where the disk is full or not writable; nothing half-written is
        ever seen.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        target = self._path(sha256)
        try:
            if self._holds(target, sha256):
                os.utime(target)  # so that `remove` sees that it was wanted again
            else:
                self._write(target, data)
                if (noted := _written.get()) is not None:
                    noted[sha256] = datetime.now(UTC)
        except OSError as error:
            raise StorageUnavailable(
                f"the blob folder {self._folder} takes nothing ({error.strerror}): free space or mend its "
                "permissions."
            ) from None
        return sha256

    def get(self, sha256: str) -> bytes:
        """Return the bytes. Raises `EvidenceMissing` where they are gone or no longer what they were."""
        if not _SHA256.fullmatch(sha256):
            raise EvidenceMissing(f"{sha256[:80]!r} is no sha256.")
        try:
            data = self._path(sha256).read_bytes()
        except OSError as error:
            raise EvidenceMissing(
                f"blob {sha256} cannot be read from {self._folder} ({error.strerror}): restore it from "
                "a backup."
            ) from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise EvidenceMissing(f"blob {sha256} in {self._folder} is damaged: restore it from a backup.")
        return data

    def names(self) -> Iterator[str]:
        """The sha256 of every blob, in no order."""
        for path in self._folder.glob("??/??/*"):
            if _SHA256.fullmatch(path.name):
                yield path.name

    def is_removable(self, sha256: str, not_put_after: datetime) -> bool:
        """Whether `remove` would delete it: there is one, and nobody has put it since."""
        if not _SHA256.fullmatch(sha256):
            return False
        try:
            return self._path(sha256).stat().st_mtime <= not_put_after.timestamp()
        except FileNotFoundError:
            return False

    def remove(self, sha256: str, not_put_after: datetime) -> bool:
        """Delete a blob that no row names any more; False where there is none.

        One that was put after this moment stays: somebody else is about to name it.
        """
        if not self.is_removable(sha256, not_put_after):
            return False
        target = self._path(sha256)
        try:
            target.unlink(missing_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"blob {sha256} cannot be removed: {error.strerror}") from None
        _sync_folder(target.parent)
        return True

    def check_writable(self) -> None:
        """Write and remove a file. Raises `StorageUnavailable`."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder) as file:
                file.write(b"x")
        except OSError as error:
            raise StorageUnavailable(f"{self._folder} is not writable: {error.strerror}") from None

    def free_bytes(self) -> int:
        """Free space of the disk that holds the folder; `StorageUnavailable` where there is no folder."""
        try:
            state = os.statvfs(self._folder)
        except OSError as error:
            raise StorageUnavailable(f"{self._folder} cannot be read: {error.strerror}") from None
        return state.f_bavail * state.f_frsize

    def sweep(self, older_than_seconds: float = 3600.0) -> int:
        """Remove what killed processes left unfinished; return how many files."""
        removed = 0
        for left in self._folder.glob(f"??/??/{_UNFINISHED}*"):
            try:
                if time.time() - left.stat().st_mtime > older_than_seconds:
                    left.unlink()
                    removed += 1
            except FileNotFoundError:
                continue  # another process swept it
        return removed

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256[2:4] / sha256

    def _holds(self, target: Path, sha256: str) -> bool:
        try:
            return hashlib.sha256(target.read_bytes()).hexdigest() == sha256
        except FileNotFoundError:
            return False

    def _write(self, target: Path, data: bytes) -> None:
        for folder in (self._folder, target.parent.parent, target.parent):
            _make_folder(folder)
        descriptor, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=target.parent)
        unfinished = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
