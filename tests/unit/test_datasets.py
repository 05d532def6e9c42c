"""The embedded digits: reproducible, and nothing that is hidden can be found in what students get."""

from __future__ import annotations

import gzip
import json
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from grader.errors import ContentInvalid, SetupIncomplete
from grader.evaluation.datasets import Dataset, open_dataset, source_path
from grader.evaluation.embedded import split_by_digit
from grader.evaluation.idx import IdxInvalid, pack_images, unpack_images, unpack_labels
from grader.evaluation.jitter import grow, jitter
from grader.evaluation.prepared import load_dataset, prepare, write_dataset
from grader.evaluation.yardsticks import pca_curve

HELD_OUT_SHA256 = "8d2c636d2d39a2650db1898e5540789d92297ca226a9f02018f38c880d049c68"


@pytest.fixture(scope="session")
def dataset(data_folder: Path) -> Dataset:
    return open_dataset(data_folder, "mnist-embedded")


@pytest.fixture(scope="session")
def student_images(dataset: Dataset) -> dict[str, np.ndarray]:
    folder = dataset.folder / "student"
    return {
        part: unpack_images(gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes()))
        for part in ("train", "t10k")
    }


def random_images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, size=(count, 28, 28)).astype(np.uint8)


def write_small(folder: Path, seed: int = 0) -> None:
    images, labels = random_images(40, seed), np.arange(40, dtype=np.uint8) % 10
    write_dataset(
        folder,
        name="small",
        source="random pixels",
        seed=seed,
        train=(images[:20], labels[:20]),
        test=(images[20:30], labels[20:30]),
        held_out=(images[30:], labels[30:]),
        originals=images[:20],
    )


def test_held_out_images_are_the_same_on_every_machine(dataset: Dataset) -> None:
    assert dataset.sha256 == HELD_OUT_SHA256
    assert dataset.held_out_images == 1_000
    assert unpack_images(dataset.held_out.read_bytes()).shape == (1_000, 28, 28)


def test_students_get_as_many_images_and_labels_as_mnist_has(
    dataset: Dataset, student_images: dict[str, np.ndarray]
) -> None:
    for part, count in (("train", 60_000), ("t10k", 10_000)):
        packed = (dataset.folder / "student" / f"{part}-labels-idx1-ubyte.gz").read_bytes()
        labels = unpack_labels(gzip.decompress(packed))
        assert len(student_images[part]) == len(labels) == count
        assert np.bincount(labels) == pytest.approx(count / 10, rel=0.06)


def test_no_held_out_image_is_among_the_students_images(
    dataset: Dataset, student_images: dict[str, np.ndarray]
) -> None:
    hidden = {image.tobytes() for image in unpack_images(dataset.held_out.read_bytes())}
    assert len(hidden) == 1_000
    for images in student_images.values():
        assert hidden.isdisjoint(image.tobytes() for image in images)


def test_train_and_test_images_have_no_image_in_common(student_images: dict[str, np.ndarray]) -> None:
    train = {image.tobytes() for image in student_images["train"]}
    assert train.isdisjoint(image.tobytes() for image in student_images["t10k"])


def test_held_out_images_are_in_no_mounted_folder(dataset: Dataset) -> None:
    (mount,) = dataset.student_mounts
    assert mount.target == "/data/mnist"
    assert not dataset.held_out.is_relative_to(mount.source)
    checksums = json.loads((mount.source / "checksums.json").read_bytes())
    unpacked = [Path(name).stem for name in checksums]
    names = sorted([*checksums, *unpacked, "checksums.json"])
    assert sorted(path.name for path in mount.source.iterdir()) == names


def test_the_folder_to_hide_holds_every_digit() -> None:
    assert (source_path() / "mnist_5k.csv.gz").is_file()


def test_pca_explains_more_with_every_component(dataset: Dataset) -> None:
    assert dataset.mean_image_mse == pytest.approx(0.0679, abs=5e-4)
    assert all(
        wider <= narrower for narrower, wider in zip(dataset.pca_mse, dataset.pca_mse[1:], strict=False)
    )
    assert dataset.pca_mse[32] == pytest.approx(0.0171, abs=5e-4)


def test_pca_curve_is_the_error_of_projecting_on_the_leading_components() -> None:
    train, held_out = random_images(300), random_images(20, seed=1)
    curve = pca_curve(train, held_out)
    flat, hidden = train.reshape(-1, 784) / 255, held_out.reshape(-1, 784) / 255
    mean = flat.mean(axis=0)
    _, _, directions = np.linalg.svd(flat - mean, full_matrices=False)
    for width in (0, 5, 40):
        basis = directions[:width]
        rebuilt = mean + (hidden - mean) @ basis.T @ basis
        assert curve[width] == pytest.approx(((hidden - rebuilt) ** 2).mean(), abs=1e-8)


def test_splitting_is_disjoint_complete_and_the_same_for_every_digit() -> None:
    labels = np.repeat(np.arange(10, dtype=np.uint8), 50)
    parts = split_by_digit(labels, seed=3)
    assert sorted(np.concatenate(parts)) == list(range(500))
    assert [set(np.bincount(labels[part])) for part in parts] == [{35}, {5}, {10}]


def test_growing_keeps_every_original_and_labels_each_copy_as_its_source() -> None:
    images, labels = np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8)
    for digit in range(10):
        images[digit, 10:18, 10:18] = 20 * (
            digit + 1
        )  # its grey value tells the source, however it is turned
    grown, grown_labels = grow(images, labels, 200, seed=1)
    assert {image.tobytes() for image in images} <= {image.tobytes() for image in grown}
    assert [int(image.max()) for image in grown] == [20 * (label + 1) for label in grown_labels]
    assert set(np.bincount(grown_labels)) == {20}


def test_growing_twice_gives_the_same_bytes_and_another_seed_others() -> None:
    images, labels = random_images(30), np.arange(30, dtype=np.uint8) % 10
    first, again, other = (grow(images, labels, 90, seed)[0].tobytes() for seed in (1, 1, 2))
    assert first == again != other


def test_jitter_moves_a_digit_by_little() -> None:
    image = np.zeros((200, 28, 28), np.uint8)
    image[:, 12:16, 12:16] = 255
    moved = jitter(image, np.random.RandomState(0)).astype(float)
    weight = moved.sum(axis=(1, 2))
    rows = (moved.sum(axis=2) * np.arange(28)).sum(axis=1) / weight
    assert np.abs(rows - 13.5).max() < 1.5
    assert np.ptp(rows) > 1


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_small(tmp_path / name)
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) == 12
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_prepared_files_can_be_read_by_everyone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        dataset = prepare(tmp_path / "new" / "small", write_small)
    finally:
        os.umask(before)
    for path in (dataset.folder.parent, dataset.folder, *dataset.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644), path


def test_many_at_once_prepare_it_once(tmp_path: Path) -> None:
    built: list[Path] = []
    together = threading.Barrier(4)

    def build(folder: Path) -> None:
        built.append(folder)
        write_small(folder)

    def open_together(_: int) -> Dataset:
        together.wait()
        return prepare(tmp_path / "small", build)

    with ThreadPoolExecutor(4) as pool:
        datasets = list(pool.map(open_together, range(4)))
    assert len(built) == 1
    assert len({dataset.sha256 for dataset in datasets}) == 1
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["small"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "dataset.json").unlink(),
        lambda folder: (folder / "dataset.json").write_text('{"recipe": 0}'),
        lambda folder: (folder / "student" / "checksums.json").write_text("[1]"),
        lambda folder: (folder / "student" / "train-images-idx3-ubyte.gz").write_bytes(b"half"),
        lambda folder: (folder / "held_out-images-idx3-ubyte").write_bytes(b""),
    ],
    ids=["no description", "older recipe", "foreign checksums", "cut training file", "empty held-out file"],
)
def test_a_damaged_folder_is_never_used_and_made_anew(tmp_path: Path, spoil) -> None:
    whole = prepare(tmp_path / "small", write_small)
    spoil(whole.folder)
    assert load_dataset(whole.folder) is None
    assert prepare(tmp_path / "small", write_small) == whole
    assert load_dataset(whole.folder) == whole


def test_a_builder_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_bytes(b"half")
        raise RuntimeError("no more memory")

    with pytest.raises(RuntimeError):
        prepare(tmp_path / "small", fail)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupIncomplete, match=r"file/data/small.*write access"):
        prepare(tmp_path / "file" / "data" / "small", write_small)


def test_the_real_set_is_used_where_it_was_fetched(tmp_path: Path) -> None:
    prepare(tmp_path / "mnist", write_small)
    assert open_dataset(tmp_path, "mnist").folder == tmp_path / "mnist"


def test_mounts_are_absolute_wherever_the_data_folder_was_named_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(tmp_path / "mnist", write_small)
    monkeypatch.chdir(tmp_path)
    assert open_dataset(Path(), "mnist").student_mounts[0].source == tmp_path / "mnist" / "student"


def test_a_damaged_real_set_is_not_silently_replaced(tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    with pytest.raises(SetupIncomplete, match="grader data fetch"):
        open_dataset(tmp_path, "mnist")


def test_an_unknown_name_is_the_instructors_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ContentInvalid, match="write `mnist`"):
        open_dataset(tmp_path, "cifar")


@pytest.mark.parametrize("cut", [0, 10, 15, 100])
def test_a_cut_idx_file_is_refused(cut: int) -> None:
    with pytest.raises(IdxInvalid):
        unpack_images(pack_images(random_images(2))[:cut])
    with pytest.raises(IdxInvalid):
        unpack_labels(b"\x00\x00\x08\x01\x00\x00\x00\x09"[:cut])
