"""The measuring side outside the jail: what it believes of a jail's answers, and whom it blames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from grader.domain.models import Measurement
from grader.domain.run import HarvestedModel, Layer
from grader.errors import OurFailure
from grader.evaluation.idx import pack_images
from grader.evaluation.measure import measure
from grader.evaluation.prepared import Dataset
from grader.evaluation.student_files import npy_files
from grader.sandbox.fake import FakeSandbox
from grader.sandbox.jail import ExitReason, Frame, JailExit

READY = {"kind": "ready", "images": 3}
DIED = JailExit(ExitReason.DIED, "signal 11", 1.0)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    import numpy as np

    (tmp_path / "held_out-images-idx3-ubyte").write_bytes(pack_images(np.zeros((3, 28, 28), np.uint8)))
    known = (np.full((4, 28, 28), 7, np.uint8), np.array([1, 0, 1, 0], np.uint8))
    (tmp_path / "student").mkdir()
    for name, data in npy_files(known, known).items():
        (tmp_path / "student" / name).write_bytes(data)
    pca = tuple(0.1 * (1 - k / 784) for k in range(785))
    return Dataset("small", tmp_path, "ab" * 32, 3, pca)


@pytest.fixture
def model_path(tmp_path: Path) -> Path:
    path = tmp_path / "model.py"
    path.write_bytes(b"# the agreed architecture")
    return path


def harvested(name: str, cell: int = 5) -> HarvestedModel:
    return HarvestedModel(name, cell, "Autoencoder", (Layer("encoder.0", "Linear"),), 10)


def measured(index: int, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "measured",
        "index": index,
        "latent_dim": 8,
        "mse": 0.04,
        "input_convention": "[0, 1]",
        "output_convention": "[-1, 1]",
        "certain": True,
        "finite": True,
        **changes,
    }


def unmeasured(index: int, reason: str = "own architecture", latent_dim: int | None = 8) -> dict[str, Any]:
    return {"kind": "unmeasured", "index": index, "reason": reason, "latent_dim": latent_dim}


def script(*headers: dict[str, Any]) -> list[Frame]:
    return [Frame(header) for header in headers]


class Jails(FakeSandbox):
    """Each jail with an end of its own."""

    def __init__(self, *scripts: tuple[Sequence[Frame], JailExit]) -> None:
        super().__init__(*(frames for frames, _ in scripts))
        self._each = [end for _, end in scripts]

    def start(self, request: Any) -> Any:
        self.ends = self._each.pop(0)
        return super().start(request)


def run(models: Sequence[HarvestedModel], sandbox: FakeSandbox, dataset: Dataset, model_path: Path) -> Any:
    return measure(
        models,
        lambda sha256: sha256.encode(),
        model_path=model_path,
        latent_dims=(2, 8),
        dataset=dataset,
        sandbox=sandbox,
        on_start=lambda jail: None,
    )


def test_without_models_no_jail_is_started_and_the_yardsticks_are_there(
    dataset: Dataset, model_path: Path
) -> None:
    sandbox = FakeSandbox()
    report = run([], sandbox, dataset, model_path)
    assert sandbox.requests == []
    assert report.mean_image_mse == 0.1
    assert report.pca_mse == {2: dataset.pca_mse[2], 8: dataset.pca_mse[8]}
    assert (report.dataset.name, report.dataset.sha256, report.dataset.held_out_images) == (
        "small",
        "ab" * 32,
        3,
    )
    assert set(report.versions) == {"python", "torch", "numpy", "safetensors"}


def test_each_model_goes_in_as_one_frame_and_comes_back_with_its_own_cell(
    dataset: Dataset, model_path: Path
) -> None:
    sandbox = FakeSandbox(script(READY, measured(0), unmeasured(1, "deeper")))
    report = run([harvested("one", cell=3), harvested("two", cell=9)], sandbox, dataset, model_path)
    wanted = Measurement("one", 3, 8, 0.04, pytest.approx(0.6), "[0, 1]", "[-1, 1]", class_name="Autoencoder")
    assert report.measurements == (wanted,)
    (other,) = report.unmeasured
    assert (other.weights_sha256, other.cell, other.reason, other.latent_dim) == ("two", 9, "deeper", 8)
    (request,) = sandbox.requests
    assert [frame.payload for frame in request.opening] == [
        b"# the agreed architecture",
        bytes(3 * 784),
        b"\x07" * 2 * 784,
    ]
    assert [frame.payload for frame in request.frames] == [b"one", b"two"]
    assert request.frames[0].header["layers"] == [("encoder.0", "Linear")]
    assert request.mounts == ()


def test_a_model_that_ends_the_jail_twice_is_named_and_the_others_are_measured(
    dataset: Dataset, model_path: Path
) -> None:
    completed = JailExit(ExitReason.COMPLETED, "", 1.0)
    sandbox = Jails(
        (script(READY, measured(0)), DIED),
        (script(READY), DIED),  # begins with the culprit
        (script(READY), DIED),  # alone
        (script(READY, measured(0, latent_dim=32)), completed),
    )
    report = run([harvested("a"), harvested("poison"), harvested("c")], sandbox, dataset, model_path)
    assert [(m.weights_sha256, m.latent_dim) for m in report.measurements] == [("a", 8), ("c", 32)]
    assert [m.weights_sha256 for m in report.unmeasured] == ["poison"]
    assert [len(request.frames) for request in sandbox.requests] == [3, 2, 1, 1]


def test_a_model_that_ends_the_jail_once_is_measured(dataset: Dataset, model_path: Path) -> None:
    completed = JailExit(ExitReason.COMPLETED, "", 1.0)
    sandbox = Jails((script(READY), DIED), (script(READY, measured(0)), completed))
    report = run([harvested("a")], sandbox, dataset, model_path)
    assert len(report.measurements) == 1


@pytest.mark.parametrize(
    ("headers", "end"),
    [
        ([], DIED),
        ([], JailExit(ExitReason.COMPLETED, "", 1.0)),
        ([READY], JailExit(ExitReason.KILLED, "", 1.0)),
        ([READY], JailExit(ExitReason.COMPLETED, "", 1.0)),
        ([measured(0)], DIED),
        ([READY, measured(1)], DIED),
        ([READY, measured(0), measured(0)], DIED),
        ([READY, measured(0), measured(1)], DIED),
        ([READY, READY], DIED),
        ([{"kind": "broken", "reason": "SyntaxError"}], JailExit(ExitReason.COMPLETED, "", 1.0)),
        ([READY, measured(0, mse=float("nan"))], DIED),
        ([READY, measured(0, mse=-0.1)], DIED),
        ([READY, measured(0, mse=True)], DIED),
        ([READY, measured(0, latent_dim="8")], DIED),
        ([READY, measured(0, input_convention="<b>")], DIED),
        ([READY, measured(0, grade=100)], DIED),
        ([READY, unmeasured(0, reason="x" * 501)], DIED),
        ([{"kind": "hello"}], DIED),
        ([{}], DIED),
    ],
)
def test_a_jail_that_speaks_out_of_turn_is_our_failure_and_no_grade(
    dataset: Dataset, model_path: Path, headers: list[dict[str, Any]], end: JailExit
) -> None:
    with pytest.raises(OurFailure):
        run([harvested("a")], FakeSandbox(script(*headers), ends=end), dataset, model_path)


def test_a_missing_model_file_is_named(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(OurFailure, match=r"nowhere\.py"):
        run([harvested("a")], FakeSandbox(), dataset, tmp_path / "nowhere.py")


@pytest.mark.parametrize(("mse", "stands"), [(0.09, True), (0.0995, False), (0.2, False)])
def test_an_uncertain_fit_stands_only_where_it_is_about_as_good_as_pca(
    dataset: Dataset, model_path: Path, mse: float, stands: bool
) -> None:
    sandbox = FakeSandbox(script(READY, measured(0, mse=mse, certain=False)))
    report = run([harvested("a")], sandbox, dataset, model_path)
    assert (len(report.measurements), len(report.unmeasured)) == ((1, 0) if stands else (0, 1))
    assert [m.latent_dim for m in report.unmeasured] == ([] if stands else [8])


def test_weights_of_many_megabytes_are_spread_over_several_jails(dataset: Dataset, model_path: Path) -> None:
    large = b"x" * (25 << 20)
    sandbox = FakeSandbox(script(READY, unmeasured(0), unmeasured(1)), script(READY, unmeasured(0)))
    report = measure(
        [harvested("a"), harvested("b"), harvested("c")],
        lambda _: large,
        model_path=model_path,
        latent_dims=(8,),
        dataset=dataset,
        sandbox=sandbox,
        on_start=lambda jail: None,
    )
    assert len(report.unmeasured) == 3
    assert [len(request.frames) for request in sandbox.requests] == [2, 1]
