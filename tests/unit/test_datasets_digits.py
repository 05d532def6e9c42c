"""The small digits: another size of images, and nothing that is hidden among what students get."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from grader.domain.rubric import DatasetName
from grader.evaluation.datasets import Dataset, hidden_paths, open_dataset
from grader.evaluation.idx import pack_images, unpack_images

HELD_OUT_SHA256 = "b5c8e51ba8c585013344ebba8f564cba633e3caef176754e3858df2e7cda5c04"


@pytest.fixture(scope="session")
def digits(data_folder: Path) -> Dataset:
    return open_dataset(data_folder, "digits_8x8")


def shown(dataset: Dataset, name: str) -> np.ndarray:
    (mount,) = dataset.student_mounts
    return np.load(mount.source / name, allow_pickle=False)


def test_held_out_digits_are_the_same_on_every_machine(digits: Dataset) -> None:
    assert digits.sha256 == HELD_OUT_SHA256
    assert unpack_images(digits.held_out.read_bytes()).shape == (digits.held_out_images, 8, 8) == (360, 8, 8)
    assert len(digits.pca_mse) == 65


def test_students_load_grey_values_and_labels_with_numpy_alone(digits: Dataset) -> None:
    assert digits.student_mounts[0].target == "/data/digits_8x8"
    for part, count in (("train", 1258), ("test", 179)):
        images, labels = shown(digits, f"{part}_images.npy"), shown(digits, f"{part}_labels.npy")
        assert images.shape == (count, 8, 8)
        assert (images.dtype, int(images.min()), int(images.max())) == (np.uint8, 0, 255)
        assert np.bincount(labels) == pytest.approx(count / 10, rel=0.1)


def test_train_test_and_held_out_digits_have_no_image_in_common(digits: Dataset) -> None:
    sets = [
        {image.tobytes() for image in images}
        for images in (
            shown(digits, "train_images.npy"),
            shown(digits, "test_images.npy"),
            unpack_images(digits.held_out.read_bytes()),
        )
    ]
    assert [len(images) for images in sets] == [1258, 179, 360]
    assert len(set.union(*sets)) == sum(map(len, sets))


def test_what_jails_must_not_see_holds_every_image_of_both_packages() -> None:
    folder, file = hidden_paths()
    assert (folder / "mnist_5k.csv.gz").is_file()
    assert len(gzip.decompress(file.read_bytes()).splitlines()) == 1797


@pytest.mark.parametrize("name", get_args(DatasetName))
def test_every_data_set_that_a_rubric_may_name_can_be_opened(name: str, data_folder: Path) -> None:
    dataset = open_dataset(data_folder, name)
    assert unpack_images(dataset.held_out.read_bytes())[0].size == len(dataset.pca_mse) - 1


@pytest.mark.parametrize("shape", [(2, 8, 8), (3, 28, 28), (1, 5, 7), (0, 4, 4)])
def test_images_of_any_size_survive_being_packed(shape: tuple[int, int, int]) -> None:
    images = np.random.RandomState(0).randint(0, 256, size=shape).astype(np.uint8)
    assert np.array_equal(unpack_images(pack_images(images)), images)
