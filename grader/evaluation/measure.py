"""Weights → `ModelReport`: the agreed architecture, measured on images that no student's code ever saw."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from grader.domain.models import DatasetIdentity, Measurement, ModelReport, UnmeasuredModel, WeightsMark
from grader.domain.run import HarvestedModel
from grader.errors import OurFailure
from grader.evaluation.answers import ANSWER, Answer, Broken, Measured, Ready, Unmeasured
from grader.evaluation.idx import unpack_images
from grader.evaluation.own import measure_own
from grader.evaluation.pictures import draw_grid, sample_images
from grader.evaluation.prepared import Dataset
from grader.evaluation.replay.images import SEED
from grader.evaluation.yardsticks import mean_by_class
from grader.sandbox.jail import ExitReason, Frame, Jail, JailExit, JailRequest, Limits, Sandbox

_ENTRY = "grader.evaluation.child"
_BATCH_BYTES = 64 << 20  # of weights sent to one jail; a larger model goes alone
_BATCH_MODELS = 16
_LAYERS = 64  # that are told of one model
_START_SECONDS = 90.0
_SECONDS_PER_MODEL = 10.0
_MEMORY_BYTES = 2 << 30
_SURELY_GOOD = 0.75  # explained variance; see `_stands`


@dataclass(frozen=True, slots=True)
class _Weights:
    model: HarvestedModel
    data: bytes


_Given = tuple[Measured | Unmeasured, bytes]  # with the error of each image, then the samples


def measure(
    models: Sequence[HarvestedModel],
    read: Callable[[str], bytes],
    *,
    model_path: Path,
    latent_dims: Sequence[int],
    dataset: Dataset,
    sandbox: Sandbox,
    on_start: Callable[[Jail], None],
    cells: Sequence[tuple[int, str]] = (),
    store: Callable[[bytes], str] | None = None,
) -> ModelReport:
    """Measure every harvested model, as ``model_path`` has it or rebuilt from ``cells``; else say why not.

    ``read`` gives the blob of a sha256; ``latent_dims`` are the widths for which PCA's error is reported.
    ``cells`` are the notebook's code cells that ran: index, source. ``on_start`` gets each jail, so that it
    can be killed from outside. Without models no jail is started. ``store`` keeps a picture and returns its
    sha256; without it there are none.
    Raises `OurFailure` where the jail, ``model_path`` or the data set fails: never for what weights do.
    """
    began = time.monotonic()
    outcomes: list[Measurement | UnmeasuredModel] = []
    marks: list[WeightsMark] = []
    holding: dict[str, int] = {}
    if models:
        shape = shape_of_measuring(model_path, dataset)
        samples = sample_images(dataset)
        pending = list(models)
        while pending:
            batch = _next_batch(pending, read)
            answers = _ask(shape, batch, sandbox, on_start)
            if not answers:  # its first model ended the jail: alone, it gets one more chance
                batch = batch[:1]
                answers = _ask(shape, batch, sandbox, on_start) or [(_gave_up(), b"")]
            for weights, (answer, payload) in zip(batch, answers, strict=False):
                errors, drawn = payload[: 4 * dataset.held_out_images], payload[4 * dataset.held_out_images :]
                outcome = _outcome(weights.model, answer, errors, dataset)
                if store and isinstance(outcome, Measurement) and len(drawn) == samples.size > 0:
                    grid = draw_grid(samples, np.frombuffer(drawn, np.uint8).reshape(samples.shape))
                    outcome = replace(outcome, picture_sha256=store(grid))
                outcomes.append(outcome)
                marks += _mark(weights.model, answer)
                holding[weights.model.sha256] = answer.holds_images
            del pending[: len(answers)]
        outcomes = measure_own(
            models,
            outcomes,
            read,
            cells,
            holding=holding,
            widths=latent_dims,
            dataset=dataset,
            sandbox=sandbox,
            on_start=on_start,
        )
    return ModelReport(
        measurements=tuple(o for o in outcomes if isinstance(o, Measurement)),
        unmeasured=tuple(o for o in outcomes if isinstance(o, UnmeasuredModel)),
        mean_image_mse=dataset.mean_image_mse,
        pca_mse={width: dataset.pca_mse[min(width, len(dataset.pca_mse) - 1)] for width in latent_dims},
        dataset=DatasetIdentity(dataset.name, dataset.sha256, dataset.held_out_images),
        versions=_versions(),
        seconds=time.monotonic() - began,
        threads=1,
        marks=tuple(marks),
        replay_seed=SEED,
    )


def shape_of_measuring(model_path: Path, dataset: Dataset) -> JailRequest:
    """What is known of a measuring jail before there is a model: enough to make one ahead of need.

    Raises `OurFailure` where ``model_path`` or the data set's images cannot be read.
    """
    try:
        source, images = model_path.read_bytes(), unpack_images(dataset.held_out.read_bytes())
        samples = sample_images(dataset)
    except (OSError, ValueError) as error:
        raise OurFailure(f"models cannot be measured: {error}. Restore that file") from error
    limits = Limits(
        wall_seconds=_START_SECONDS + _SECONDS_PER_MODEL * _BATCH_MODELS,
        memory_bytes=_MEMORY_BYTES,
        processes=64,
    )
    shown = Frame({"kind": "images", "pixels": images[0].size}, images.tobytes())
    drawn = Frame({"kind": "samples", "pixels": images[0].size}, samples.tobytes())
    opening = Frame({"kind": "reference"}, source), shown, drawn
    return JailRequest(_ENTRY, (), limits, opening=opening).shape()


def _next_batch(pending: Sequence[HarvestedModel], read: Callable[[str], bytes]) -> list[_Weights]:
    batch: list[_Weights] = []
    size = 0
    for model in pending:
        data = read(model.sha256)
        size += len(data)
        if batch and (size > _BATCH_BYTES or len(batch) == _BATCH_MODELS):
            break
        batch.append(_Weights(model, data))
    return batch


def _ask(
    shape: JailRequest, batch: Sequence[_Weights], sandbox: Sandbox, on_start: Callable[[Jail], None]
) -> list[_Given]:
    """Run one jail; its answers in order, fewer than ``batch`` where a model ended it."""
    budgets = replace(
        shape.limits,
        frame_bytes=1 << 16,
        total_bytes=(1 << 16) + (1 << 15) * len(batch),
        frames=len(batch) + 2,
    )
    questions = tuple(_question(index, weights) for index, weights in enumerate(batch))
    request = replace(shape, frames=questions, limits=budgets)
    answers: list[tuple[Answer, bytes]] = []
    with sandbox.start(request) as jail:
        on_start(jail)
        for frame in jail.frames():
            try:
                answers.append((ANSWER.validate_python(dict(frame.header)), frame.payload))
            except ValidationError as error:
                jail.kill()
                raise OurFailure(f"the measuring child answered out of turn: {error}") from error
        return _in_order(answers, batch, jail.exit())


def _question(index: int, weights: _Weights) -> Frame:
    layers = [(layer.name[:200], layer.type[:80]) for layer in weights.model.layers[:_LAYERS]]
    return Frame({"kind": "model", "index": index, "layers": layers}, weights.data)


def _in_order(
    answers: Sequence[tuple[Answer, bytes]], batch: Sequence[_Weights], end: JailExit
) -> list[_Given]:
    match [answer for answer, _ in answers]:
        case [Broken(reason=reason), *_]:
            raise OurFailure(f"the reference's model.py fails: {reason}. Mend it, then grade again")
        case [Ready(), *rest]:
            given = [(a, errors) for a, errors in answers if isinstance(a, Measured | Unmeasured)]
        case _:
            raise OurFailure(f"the measuring jail did not start ({end.reason}): {end.detail}")
    if [a.index for a, _ in given] != list(range(len(rest))) or len(given) > len(batch):
        raise OurFailure("the measuring child answered out of order")
    short = len(given) < len(batch)
    if end.reason is ExitReason.KILLED or (short and end.reason is ExitReason.COMPLETED):
        raise OurFailure(f"measuring was ended before it was done ({end.reason}): {end.detail}")
    return given


def _gave_up() -> Unmeasured:
    return Unmeasured(
        kind="unmeasured", index=0, reason="measuring it ended the measuring process, twice", latent_dim=None
    )


def _mark(model: HarvestedModel, answer: Measured | Unmeasured) -> list[WeightsMark]:
    if not answer.fingerprint:
        return []
    return [WeightsMark(model.sha256, answer.fingerprint, answer.sketch, model.parameters)]


def _outcome(
    model: HarvestedModel, answer: Measured | Unmeasured, errors: bytes, dataset: Dataset
) -> Measurement | UnmeasuredModel:
    if isinstance(answer, Unmeasured):
        return UnmeasuredModel(model.sha256, model.cell, model.class_name, answer.reason, answer.latent_dim)
    explained = 1 - answer.mse / dataset.mean_image_mse
    if not answer.certain and not _stands(explained, answer.latent_dim, dataset):
        return UnmeasuredModel(
            model.sha256,
            model.cell,
            model.class_name,
            "the agreed layer sizes, but its activations could not be seen, "
            f"and with the agreed ones it explains {explained:.2f} of the variance",
            answer.latent_dim,
        )
    return Measurement(
        weights_sha256=model.sha256,
        cell=model.cell,
        latent_dim=answer.latent_dim,
        mse=answer.mse,
        explained_variance=explained,
        input_convention=answer.input_convention,
        output_convention=answer.output_convention,
        finite=answer.finite,
        class_name=model.class_name,
        mse_by_class=mean_by_class(np.frombuffer(errors, np.float32), dataset.held_out_labels)
        if len(errors) % 4 == 0
        else (),
    )


def _stands(explained: float, latent_dim: int, dataset: Dataset) -> bool:
    """Whether a guessed activation was the right one: with a wrong one nobody comes near PCA.

    A doubtful figure goes to a human, who can only raise it: it is no measurement.
    """
    pca = 1 - dataset.pca_mse[min(latent_dim, len(dataset.pca_mse) - 1)] / dataset.mean_image_mse
    return explained >= min(0.9 * pca, _SURELY_GOOD)


def _versions() -> dict[str, str]:
    """The jail uses this very environment, so the versions are known without loading anything."""
    packages = {name: metadata.version(name) for name in ("torch", "numpy", "safetensors")}
    return {"python": platform.python_version(), **packages}
