"""Downloading MNIST: from a mirror on this machine, which can break off, lie, or be gone."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from grader.errors import SetupIncomplete
from grader.evaluation.datasets import Dataset
from grader.evaluation.download import RemoteFile
from grader.evaluation.fetch import FILES, HELD_OUT, MIRRORS, fetch_mnist
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


CONTENT = make_files()
SMALL = [RemoteFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in CONTENT.items()]


class Mirror(ThreadingHTTPServer):
    """Serves files; ``manners`` says how it misbehaves."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MirrorHandler)
        self.files = dict(CONTENT)
        self.manners = ""
        self.cut_after: int | None = None  # bytes of one answer
        self.failures = 0  # answers 503 so often first
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class MirrorHandler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        mirror, name, wanted = self.server, self.path.lstrip("/"), self.headers["Range"]
        mirror.asked.append((name, wanted))
        data = mirror.files.get(name)
        if data is None or mirror.failures > 0:
            mirror.failures -= 1
            self.send_error(404 if data is None else 503)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        start = 0 if mirror.manners == "ignores ranges" else start
        if start >= len(data):
            self.send_error(416)
            return
        told = start + 7 if mirror.manners == "another range" and start else start
        self.send_response(206 if wanted and mirror.manners != "ignores ranges" else 200)
        if mirror.manners != "no length":
            self.send_header("Content-Length", str(len(data) - start))
        if wanted and mirror.manners != "ignores ranges":
            self.send_header("Content-Range", f"bytes {told}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        self.wfile.write(data[start:][: mirror.cut_after])

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    server = Mirror()
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def fetch(root: Path, *mirrors: str, **changes: Any) -> Dataset:
    return fetch_mnist(root, mirrors=mirrors, files=SMALL, **({"pause": lambda _: None} | changes))


def asked_for(mirror: Mirror, name: str) -> list[str | None]:
    return [wanted for asked, wanted in mirror.asked if asked == name]


def put_part(root: Path, name: str, data: bytes) -> None:
    (root / ".downloads").mkdir(exist_ok=True)
    (root / ".downloads" / f"{name}.part").write_bytes(data)


def test_fetching_holds_images_out_of_the_official_test_set(tmp_path: Path, mirror: Mirror) -> None:
    dataset = fetch(tmp_path, mirror.url)
    assert dataset.folder == tmp_path / "mnist"
    hidden = {image.tobytes() for image in unpack_images(dataset.held_out.read_bytes())}
    official = {image.tobytes() for image in unpack_images(gzip.decompress(CONTENT[TEST_IMAGES]))}
    packed = (dataset.folder / "student" / TEST_IMAGES).read_bytes()
    shown = {image.tobytes() for image in unpack_images(gzip.decompress(packed))}
    assert len(hidden) == HELD_OUT
    assert hidden <= official
    assert official - hidden <= shown
    assert hidden.isdisjoint(shown)
    assert len(shown) == 10_000
    assert list((tmp_path / ".downloads").iterdir()) == []


def test_fetching_again_asks_for_nothing(tmp_path: Path, mirror: Mirror) -> None:
    first = fetch(tmp_path, mirror.url)
    mirror.asked.clear()
    assert fetch(tmp_path, mirror.url) == first
    assert mirror.asked == []


def test_a_mirror_that_cuts_every_connection_is_asked_for_the_rest_each_time(
    tmp_path: Path, mirror: Mirror
) -> None:
    size = len(CONTENT[TEST_IMAGES])
    mirror.cut_after = size // 3 + 1
    assert fetch(tmp_path, mirror.url).held_out_images == HELD_OUT
    steps = [None, *(f"bytes={mirror.cut_after * n}-" for n in (1, 2))]
    assert asked_for(mirror, TEST_IMAGES) == steps


def test_a_later_call_goes_on_where_an_earlier_one_was_cut(tmp_path: Path, mirror: Mirror) -> None:
    put_part(tmp_path, TEST_IMAGES, CONTENT[TEST_IMAGES][:1000])
    fetch(tmp_path, mirror.url)
    assert asked_for(mirror, TEST_IMAGES) == ["bytes=1000-"]


@pytest.mark.parametrize("manners", ["ignores ranges", "another range"])
def test_a_mirror_that_does_not_resume_is_read_from_the_beginning(
    tmp_path: Path, mirror: Mirror, manners: str
) -> None:
    mirror.manners = manners
    put_part(tmp_path, TEST_IMAGES, b"\0" * 1000)
    assert fetch(tmp_path, mirror.url).held_out_images == HELD_OUT


def test_a_part_from_elsewhere_that_does_not_fit_is_fetched_anew(tmp_path: Path, mirror: Mirror) -> None:
    put_part(tmp_path, TEST_IMAGES, b"\0" * 1000)
    assert fetch(tmp_path, mirror.url).held_out_images == HELD_OUT
    assert asked_for(mirror, TEST_IMAGES) == ["bytes=1000-", None]


def test_a_part_longer_than_the_file_is_dropped(tmp_path: Path, mirror: Mirror) -> None:
    put_part(tmp_path, TEST_LABELS, b"x" * 100_000)
    assert fetch(tmp_path, mirror.url).held_out_images == HELD_OUT


def test_a_mirror_that_knows_a_shorter_file_is_left(tmp_path: Path, mirror: Mirror) -> None:
    mirror.files[TEST_IMAGES] = CONTENT[TEST_IMAGES][:500]
    put_part(tmp_path, TEST_IMAGES, CONTENT[TEST_IMAGES][:1000])
    with pytest.raises(SetupIncomplete, match="another file of that name, of 500 bytes"):
        fetch(tmp_path, mirror.url)


def test_a_server_that_is_busy_is_asked_again_with_pauses(tmp_path: Path, mirror: Mirror) -> None:
    mirror.failures = 2
    pauses: list[float] = []
    fetch(tmp_path, mirror.url, pause=pauses.append)
    assert pauses == [0.5, 2.0]


def test_a_server_that_stays_busy_is_given_up(tmp_path: Path, mirror: Mirror) -> None:
    mirror.failures = 1000
    with pytest.raises(SetupIncomplete, match="503"):
        fetch(tmp_path, mirror.url)
    assert len(mirror.asked) == 4


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (None, "status 404"),
        (b"<html>please log in</html>", "another file of that name, of 26 bytes"),
        (bytes(len(CONTENT[TRAIN_IMAGES])), "another checksum"),
    ],
    ids=["none", "a page of a hotel's network", "as many other bytes"],
)
def test_a_mirror_without_the_right_file_is_left_for_the_next_one_at_once(
    tmp_path: Path, mirror: Mirror, wrong: bytes | None, reason: str
) -> None:
    if wrong is None:
        del mirror.files[TRAIN_IMAGES]
    else:
        mirror.files[TRAIN_IMAGES] = wrong
    with pytest.raises(SetupIncomplete, match=reason):
        fetch(tmp_path, mirror.url)
    assert len(mirror.asked) == 1
    assert not (tmp_path / "mnist").exists()
    good = tmp_path / "good"
    good.mkdir()
    for name, data in CONTENT.items():
        (good / name).write_bytes(data)
    assert fetch(tmp_path, mirror.url, f"{good.as_uri()}/").held_out_images == HELD_OUT


def test_a_file_without_an_end_is_not_read_for_ever(tmp_path: Path, mirror: Mirror) -> None:
    mirror.manners = "no length"
    mirror.files[TRAIN_IMAGES] = CONTENT[TRAIN_IMAGES] + bytes(10_000_000)
    with pytest.raises(SetupIncomplete, match="longer than"):
        fetch(tmp_path, mirror.url)


def test_a_file_has_its_name_only_once_it_is_whole(tmp_path: Path, mirror: Mirror) -> None:
    names: set[str] = set()

    def look(name: str, done: int, size: int) -> None:
        assert 0 < done <= size
        names.update(path.name for path in (tmp_path / ".downloads").iterdir() if path.name.startswith(name))

    fetch(tmp_path, mirror.url, progress=look)
    assert names == {f"{name}.part" for name in CONTENT}


def test_without_a_network_the_message_says_what_is_used_instead(tmp_path: Path) -> None:
    with pytest.raises(
        SetupIncomplete, match=r"embedded digits are used instead.*grader data fetch.*--mirror file:///"
    ):
        fetch(tmp_path, "http://127.0.0.1:9/")
    assert not (tmp_path / "mnist").exists()


def test_the_real_files_are_known_by_size_and_checksum() -> None:
    assert [file.name for file in FILES] == [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS]
    assert sum(file.size for file in FILES) == 11_594_722
    assert all(len(file.sha256) == 64 for file in FILES)
    assert all(mirror.endswith("/") for mirror in MIRRORS)
