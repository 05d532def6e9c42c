"""Downloading MNIST: from a mirror on this machine, which can resume, lie, or be gone."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from grader.errors import SetupIncomplete
from grader.evaluation.fetch import HELD_OUT, fetch_mnist
from grader.evaluation.idx import compress, pack_images, pack_labels, unpack_images
from grader.evaluation.student_files import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS

TESTS = 1_100


def make_files() -> dict[str, bytes]:
    images = np.random.RandomState(0).randint(0, 256, size=(TESTS + 50, 28, 28)).astype(np.uint8)
    labels = (np.arange(TESTS + 50) % 10).astype(np.uint8)
    return {
        TRAIN_IMAGES: compress(pack_images(images[TESTS:])),
        TRAIN_LABELS: compress(pack_labels(labels[TESTS:])),
        TEST_IMAGES: compress(pack_images(images[:TESTS])),
        TEST_LABELS: compress(pack_labels(labels[:TESTS])),
    }


FILES = make_files()
MD5 = {name: hashlib.md5(data).hexdigest() for name, data in FILES.items()}


class Mirror(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, files: dict[str, bytes], resumes: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), MirrorHandler)
        self.files = files
        self.resumes = resumes
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class MirrorHandler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        name, wanted = self.path.lstrip("/"), self.headers["Range"]
        self.server.asked.append((name, wanted))
        data = self.server.files.get(name)
        if data is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.resumes else 0
        if start >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:])

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    server = Mirror(FILES)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_fetching_holds_images_out_of_the_official_test_set(tmp_path: Path, mirror: Mirror) -> None:
    dataset = fetch_mnist(tmp_path, mirrors=[mirror.url], md5=MD5)
    assert dataset.folder == tmp_path / "mnist"
    hidden = {image.tobytes() for image in unpack_images(dataset.held_out.read_bytes())}
    official = {image.tobytes() for image in unpack_images(gzip.decompress(FILES[TEST_IMAGES]))}
    packed = (dataset.folder / "student" / TEST_IMAGES).read_bytes()
    shown = {image.tobytes() for image in unpack_images(gzip.decompress(packed))}
    assert len(hidden) == HELD_OUT
    assert hidden <= official
    assert official - hidden <= shown
    assert hidden.isdisjoint(shown)
    assert len(shown) == 10_000


def test_fetching_again_asks_for_nothing(tmp_path: Path, mirror: Mirror) -> None:
    first = fetch_mnist(tmp_path, mirrors=[mirror.url], md5=MD5)
    mirror.asked.clear()
    assert fetch_mnist(tmp_path, mirrors=[mirror.url], md5=MD5) == first
    assert mirror.asked == []


@pytest.mark.parametrize("resumes", [True, False], ids=["server resumes", "server begins anew"])
def test_a_broken_download_is_resumed(tmp_path: Path, mirror: Mirror, resumes: bool) -> None:
    mirror.resumes = resumes
    (tmp_path / ".downloads").mkdir()
    (tmp_path / ".downloads" / TEST_IMAGES).write_bytes(FILES[TEST_IMAGES][:1000])
    (tmp_path / ".downloads" / TRAIN_IMAGES).write_bytes(FILES[TRAIN_IMAGES])
    fetch_mnist(tmp_path, mirrors=[mirror.url], md5=MD5)
    assert (TEST_IMAGES, "bytes=1000-") in mirror.asked
    assert TRAIN_IMAGES not in [name for name, _ in mirror.asked]


def test_a_file_with_a_wrong_checksum_is_fetched_from_the_next_mirror(tmp_path: Path, mirror: Mirror) -> None:
    liar = tmp_path / "liar"
    liar.mkdir()
    for name in FILES:
        (liar / name).write_bytes(b"<html>please log in</html>")
    dataset = fetch_mnist(tmp_path, mirrors=[f"{liar.as_uri()}/", mirror.url], md5=MD5)
    assert dataset.held_out_images == HELD_OUT


def test_a_partial_file_longer_than_the_real_one_is_dropped(tmp_path: Path, mirror: Mirror) -> None:
    (tmp_path / ".downloads").mkdir()
    (tmp_path / ".downloads" / TEST_LABELS).write_bytes(b"x" * 10_000_000)
    dataset = fetch_mnist(tmp_path, mirrors=[mirror.url, mirror.url], md5=MD5)
    assert dataset.held_out_images == HELD_OUT


def test_without_a_network_the_message_says_what_is_used_instead(tmp_path: Path) -> None:
    with pytest.raises(SetupIncomplete, match=r"embedded digits are used instead.*grader data fetch"):
        fetch_mnist(tmp_path, mirrors=["http://127.0.0.1:9/"], md5=MD5)
    assert not (tmp_path / "mnist").exists()
