"""Inside the jail: put weights into the agreed architecture and let it reconstruct images. Loads torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import torch

from grader.evaluation.architecture import Blueprint, Fit, Misfit, fit
from grader.evaluation.conventions import SCALINGS

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """What one model makes of the images, under the scaling that serves it best."""

    latent_dim: int
    mse: float  # per pixel in [0, 1]; at most 1
    input_convention: str
    output_convention: str
    certain: bool  # see `Fit`
    finite: bool
    errors: bytes  # N float32: the squared error per image, mean over its pixels
    samples: bytes  # rows of grey values 0..255: what it makes of the samples


class Reference:
    """The agreed architecture: the module of ``reference/<id>/model.py``."""

    def __init__(self, source: bytes) -> None:
        self._module: Any = ModuleType("model")
        exec(compile(source, "model.py", "exec"), self._module.__dict__)  # noqa: S102  our own file
        self.blueprint = lru_cache(maxsize=256)(self._blueprint)

    def _blueprint(self, latent_dim: int) -> Blueprint:
        with torch.device("meta"):  # shapes only: no memory, no initialisation
            model = self._module.build(latent_dim)
        leaves = [(name, module) for name, module in model.named_modules() if not any(module.children())]
        return Blueprint(
            latent_dim,
            {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()},
            tuple((name, type(module).__name__) for name, module in leaves),
        )

    def reconstruct(
        self,
        weights: Mapping[str, torch.Tensor],
        layers: Sequence[tuple[str, str]],
        images: torch.Tensor,
        samples: torch.Tensor,
    ) -> Reconstruction | Misfit:
        """Measure one state dict on N rows of pixels in [0, 1], and reconstruct such rows of samples."""
        shapes = {key: tuple(tensor.shape) for key, tensor in weights.items()}
        outcome = fit(shapes, layers, self.blueprint, pixels=images.shape[1])
        if isinstance(outcome, Misfit):
            return outcome
        if not all(tensor.is_floating_point() for tensor in weights.values()):
            return Misfit("its weights are no floating-point numbers", outcome.latent_dim)
        return self._measure(outcome, weights, images, samples)

    def _measure(
        self, outcome: Fit, state: Mapping[str, torch.Tensor], images: torch.Tensor, samples: torch.Tensor
    ) -> Reconstruction:
        model = self._module.build(outcome.latent_dim)
        model.load_state_dict({key: state[theirs].float() for key, theirs in outcome.keys.items()})
        model.eval()
        best: tuple[float, str, str, torch.Tensor] | None = None
        for scaling, (factor, offset) in SCALINGS.items():
            decoded = self._decode(model, images * factor + offset, outcome.latent_dim)
            for output_scaling, (output_factor, output_offset) in SCALINGS.items():
                errors = _errors((decoded - output_offset) / output_factor, images)
                mse = float(errors.double().mean())
                if best is None or mse < best[0]:
                    best = (mse, scaling, output_scaling, errors)
        assert best is not None
        mse, scaling, output_scaling, errors = best
        (factor, offset), (output_factor, output_offset) = SCALINGS[scaling], SCALINGS[output_scaling]
        drawn = (
            self._decode(model, samples * factor + offset, outcome.latent_dim) - output_offset
        ) / output_factor
        finite = all(bool(torch.isfinite(tensor).all()) for tensor in model.state_dict().values())
        return Reconstruction(
            outcome.latent_dim,
            mse,
            scaling,
            output_scaling,
            certain=outcome.certain,
            finite=finite,
            errors=errors.numpy().tobytes(),
            samples=_grey(drawn).numpy().tobytes(),
        )

    def _decode(self, model: Any, scaled: torch.Tensor, latent_dim: int) -> torch.Tensor:
        decoded = []
        with torch.inference_mode():
            for batch in torch.split(scaled, _BATCH):
                codes = self._module.encode(model, batch)
                # The decoder gets the codes alone, and these are as narrow as the width says.
                decoded.append(self._module.decode(model, codes.reshape(len(batch), latent_dim)))
        return torch.cat(decoded)


def _errors(reconstructed: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """MSE of each image, pixels clamped to [0, 1], which brings any closer; what is no number counts as 1."""
    squares = (reconstructed.clamp(0, 1) - images).square()
    return squares.nan_to_num(nan=1.0).mean(dim=1)


def _grey(drawn: torch.Tensor) -> torch.Tensor:
    """Grey values 0..255, and black for what is no number."""
    return (drawn.nan_to_num(nan=0.0).clamp(0, 1) * 255).round().to(torch.uint8)
