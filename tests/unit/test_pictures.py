"""Pictures outside of jails: what is in a grid, what is in a curve, and whose figures are in neither."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from grader.cli.grade import write_pictures
from grader.domain.models import DatasetIdentity, Measurement, ModelReport
from grader.errors import RequestRefused
from grader.evaluation.pictures import draw_grid, sample_images
from grader.evaluation.prepared import Dataset
from grader.evaluation.student_files import idx_files, npy_files
from grader.services.figures.curve import draw_curve
from grader.services.figures.pictures import class_spread
from grader.storage import Blobs
from grader.storage.classes.figures import ClassRow, pack_shares

SVG = "{http://www.w3.org/2000/svg}"


def images(*greys: int, side: int = 4) -> Any:
    return np.stack([np.full((side, side), grey, np.uint8) for grey in greys])


def test_a_grid_is_a_png_with_originals_above_what_became_of_them() -> None:
    png = draw_grid(images(10, 20, 30), images(11, 21, 31))
    picture = np.asarray(Image.open(io.BytesIO(png)))
    cell = 4 * 3 + 2 * 2
    assert (picture.dtype, picture.shape) == (np.uint8, (2 * cell, 3 * cell))
    inner = picture.reshape(2, cell, 3, cell).transpose(0, 2, 1, 3)[:, :, 2:-2, 2:-2]
    assert [[set(one.ravel().tolist()) for one in row] for row in inner] == [
        [{10}, {20}, {30}],
        [{11}, {21}, {31}],
    ]
    assert set(picture[0].tolist()) == {255}


def test_the_same_images_give_the_same_bytes() -> None:
    assert draw_grid(images(1), images(2)) == draw_grid(images(1), images(2))


@pytest.mark.parametrize("files", [idx_files, npy_files])
def test_the_samples_are_the_first_test_image_of_each_class_in_what_students_read(
    tmp_path: Path, files: Any
) -> None:
    train, test = (images(0), np.array([0], np.uint8)), (images(5, 6, 7, 8), np.array([2, 0, 2, 1], np.uint8))
    (tmp_path / "student").mkdir()
    for name, data in files(train, test).items():
        (tmp_path / "student" / name).write_bytes(data)
    samples = sample_images(Dataset("small", tmp_path, "", 0, (1.0,)))
    assert samples[:, 0, 0].tolist() == [6, 8, 5]


def test_a_curve_is_an_svg_that_runs_and_loads_nothing_and_tells_itself_in_words() -> None:
    drawn = draw_curve(
        {2: 0.04, 8: 0.02}, {2: 0.06, 8: 0.03}, {8: (0.017, 0.018, 0.019)}, {2: (0.03, 0.035, 0.05)}
    )
    root = ElementTree.fromstring(drawn)
    assert root.tag == f"{SVG}svg"
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags == {"svg", "title", "desc", "rect", "polyline", "polygon", "circle", "path", "text"}
    names = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in names if name.startswith("on") or "href" in name]
    assert "url(" not in drawn
    assert root.findtext(f"{SVG}desc") == (
        "Latent size 2: this submission 0.0400, PCA 0.0600, class 0.0350 (0.0300 to 0.0500). "
        "Latent size 8: this submission 0.0200, PCA 0.0300, reference 0.0180 (0.0170 to 0.0190)."
    )


def test_latent_sizes_stand_by_their_logarithm_and_a_smaller_error_lower() -> None:
    root = ElementTree.fromstring(draw_curve({2: 0.06, 8: 0.04, 32: 0.02}, {}, {}, {}))
    circles = list(root.iter(f"{SVG}circle"))[:3]
    x, y = ([float(circle.attrib[name]) for circle in circles] for name in ("cx", "cy"))
    assert x[2] - x[1] == pytest.approx(x[1] - x[0], abs=0.2)
    assert y[0] < y[1] < y[2]


def test_what_there_is_not_is_in_no_legend() -> None:
    drawn = draw_curve({8: 0.0}, {}, {}, {})
    assert "this submission" in drawn
    assert not [word for word in ("PCA", "the class", "reference") if word in drawn]
    with pytest.raises(ValueError, match="at least one"):
        draw_curve({}, {}, {}, {})


def test_a_spread_needs_five_students_for_each_latent_size() -> None:
    own = ModelReport((), (), 0.1, {}, DatasetIdentity("small", "d", 3), {}, 1.0)
    students = [make_row("d", {2: 0.5 - n / 10, 8: 0.8}) for n in range(4)]
    assert class_spread(students, own) == {}
    spread = class_spread([*students, make_row("d", {2: 0.1}), make_row("others", {8: 0.3})], own)
    assert list(spread) == [2]
    assert spread[2] == pytest.approx((0.06, 0.07, 0.08))


def make_row(images: str, explained: dict[int, float]) -> ClassRow:
    sizes = " ".join(map(str, explained))
    return ClassRow(0, 0, 0, 0, "", b"", "", images, sizes, pack_shares(explained.values()))


def test_the_grid_of_the_best_model_of_each_latent_size_is_written_as_a_file(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    best, worse = (blobs.put(data) for data in (b"best", b"worse"))
    models = tuple(
        Measurement("w", 5, width, 0.01, explained, "[0, 1]", "[0, 1]", picture_sha256=picture)
        for width, explained, picture in ((2, 0.3, best), (2, 0.2, worse), (8, 0.5, ""))
    )
    report = ModelReport(models, (), 0.1, {}, DatasetIdentity("small", "d", 3), {}, 1.0)
    write_pictures(tmp_path / "to" / "look at", report, blobs)
    assert {path.name: path.read_bytes() for path in (tmp_path / "to" / "look at").iterdir()} == {
        "latent_2.png": b"best"
    }
    (tmp_path / "file").touch()
    with pytest.raises(RequestRefused, match="pictures cannot be written"):
        write_pictures(tmp_path / "file", report, blobs)
