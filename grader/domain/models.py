"""What the trusted side measured of a student's models on images that their code never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatasetIdentity:
    """Which images were used. ``sha256`` is of the held-out file."""

    name: str
    sha256: str
    held_out_images: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """One model. Errors are per pixel, on pixels in [0, 1]."""

    weights_sha256: str
    cell: int
    latent_dim: int
    mse: float
    explained_variance: float  # 1 - mse / mean_image_mse
    input_convention: str  # "[0, 1]", "[-1, 1]", "normalised"
    output_convention: str
    finite: bool = True  # False where the weights lead to NaN or infinity: the training diverged
    method: str = (
        "agreed"  # or "replayed": rebuilt from the notebook's own definitions, see `evaluation.replay`
    )
    certain: bool = True  # False where a replay may have built it otherwise than the notebook did
    class_name: str = ""
    mse_by_class: tuple[
        float, ...
    ] = ()  # mean over the held-out images of class 0, 1, …; empty where unknown
    picture_sha256: str = ""  # PNG: images that students have, above what it makes of them; "": none


@dataclass(frozen=True, slots=True)
class UnmeasuredModel:
    """A model that was found and could not be measured, and why."""

    weights_sha256: str
    cell: int
    class_name: str
    reason: str
    latent_dim: int | None = None  # the width its layers suggest; 0 where it cannot be an autoencoder


@dataclass(frozen=True, slots=True)
class WeightsMark:
    """By what one model's weights are known again in other submissions."""

    weights_sha256: str
    fingerprint: str  # equal for equal tensors, whatever their names
    sketch: tuple[float, ...]  # alike for alike weights; of length 1, or empty
    parameters: int


@dataclass(frozen=True, slots=True)
class ModelReport:
    """All measurements of one run, beside the yardsticks of the same images."""

    measurements: tuple[Measurement, ...]
    unmeasured: tuple[UnmeasuredModel, ...]
    mean_image_mse: float
    pca_mse: Mapping[int, float]  # by latent width
    dataset: DatasetIdentity
    versions: Mapping[str, str]
    seconds: float
    threads: int = 1
    marks: tuple[WeightsMark, ...] = ()
    replay_seed: int | None = None  # what the images of a replay were moved and shuffled with

    def best(self, latent_dim: int) -> Measurement | None:
        """The best measured model of this width: training again never costs a student points."""
        fitting = [m for m in self.measurements if m.latent_dim == latent_dim]
        return max(fitting, key=lambda m: m.explained_variance, default=None)
