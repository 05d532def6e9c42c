"""Bytes by their sha256, on a real disk."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from grader.errors import EvidenceMissing, StorageUnavailable
from grader.storage import Blobs


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def _only_file(folder: Path) -> Path:
    (found,) = (path for path in folder.rglob("*") if path.is_file())
    return found


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 5000])
def test_bytes_come_back(blobs: Blobs, data: bytes) -> None:
    sha256 = blobs.put(data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert blobs.get(sha256) == data


def test_the_same_bytes_are_kept_once(blobs: Blobs, tmp_path: Path) -> None:
    assert blobs.put(b"same") == blobs.put(b"same")
    _only_file(tmp_path)


def test_nobody_else_can_read_them(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put(b"private")
    file = _only_file(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    for folder in (tmp_path / "blobs", file.parent, file.parent.parent):
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", [b"", b"other"])
def test_damage_is_noticed_and_mended_by_the_next_upload(blobs: Blobs, tmp_path: Path, damage: bytes) -> None:
    sha256 = blobs.put(b"whole")
    _only_file(tmp_path).write_bytes(damage)
    with pytest.raises(EvidenceMissing, match="damaged"):
        blobs.get(sha256)
    blobs.put(b"whole")
    assert blobs.get(sha256) == b"whole"


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "", "G" * 64])
def test_what_was_never_stored_is_missing(blobs: Blobs, name: str) -> None:
    with pytest.raises(EvidenceMissing):
        blobs.get(name)


def test_a_failed_write_leaves_nothing(blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageUnavailable, match="No space"):
        blobs.put(b"too much")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_is_a_file_is_our_failure(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("in the way")
    blobs = Blobs(tmp_path / "blobs")
    with pytest.raises(StorageUnavailable):
        blobs.put(b"x")
    with pytest.raises(StorageUnavailable):
        blobs.check_writable()


def test_what_a_killed_process_left_is_swept_once_it_is_old(blobs: Blobs, tmp_path: Path) -> None:
    sha256 = blobs.put(b"whole")
    left = _only_file(tmp_path).with_name("unfinished-abc")
    left.write_bytes(b"ha")
    assert blobs.sweep() == 0
    assert blobs.sweep(older_than_seconds=-1) == 1
    assert not left.exists()
    assert blobs.get(sha256) == b"whole"


def test_many_may_store_the_same_at_once(blobs: Blobs, tmp_path: Path) -> None:
    threads = [threading.Thread(target=blobs.put, args=(b"popular" * 1000,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _only_file(tmp_path).read_bytes() == b"popular" * 1000
