"""Inside the jail: put weights into the agreed architecture and let it reconstruct images. Loads torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import load

from grader.evaluation.architecture import Blueprint, Fit, Misfit, fit

_BATCH = 500
_MEAN, _DEVIATION = 0.1307, 0.3081  # the figures for MNIST that every tutorial uses

# How students scale pixels in [0, 1]: times the factor, plus the offset. All are recognised, none punished.
_SCALINGS = {
    "[0, 1]": (1.0, 0.0),
    "[-1, 1]": (2.0, -1.0),
    "normalised": (1 / _DEVIATION, -_MEAN / _DEVIATION),
    "[0, 255]": (255.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """What one model makes of the images, under the scaling that serves it best."""

    latent_dim: int
    mse: float  # per pixel in [0, 1]; at most 1
    input_convention: str
    output_convention: str
    certain: bool  # see `Fit`
    finite: bool


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
        self, weights: bytes, layers: Sequence[tuple[str, str]], images: torch.Tensor
    ) -> Reconstruction | Misfit:
        """Measure one safetensors file on N rows of pixels in [0, 1]; raises what safetensors raises."""
        state = load(weights)
        shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
        outcome = fit(shapes, layers, self.blueprint, pixels=images.shape[1])
        if isinstance(outcome, Misfit):
            return outcome
        if not all(tensor.is_floating_point() for tensor in state.values()):
            return Misfit("its weights are no floating-point numbers", outcome.latent_dim)
        return self._measure(outcome, state, images)

    def _measure(
        self, outcome: Fit, state: Mapping[str, torch.Tensor], images: torch.Tensor
    ) -> Reconstruction:
        model = self._module.build(outcome.latent_dim)
        model.load_state_dict({key: state[theirs].float() for key, theirs in outcome.keys.items()})
        model.eval()
        best: tuple[float, str, str] | None = None
        for scaling, (factor, offset) in _SCALINGS.items():
            decoded = self._decode(model, images * factor + offset, outcome.latent_dim)
            for output_scaling, (output_factor, output_offset) in _SCALINGS.items():
                mse = _error((decoded - output_offset) / output_factor, images)
                if best is None or mse < best[0]:
                    best = (mse, scaling, output_scaling)
        assert best is not None
        finite = all(bool(torch.isfinite(tensor).all()) for tensor in model.state_dict().values())
        return Reconstruction(outcome.latent_dim, *best, certain=outcome.certain, finite=finite)

    def _decode(self, model: Any, scaled: torch.Tensor, latent_dim: int) -> torch.Tensor:
        decoded = []
        with torch.inference_mode():
            for batch in torch.split(scaled, _BATCH):
                codes = self._module.encode(model, batch)
                # The decoder gets the codes alone, and these are as narrow as the width says.
                decoded.append(self._module.decode(model, codes.reshape(len(batch), latent_dim)))
        return torch.cat(decoded)


def _error(reconstructed: torch.Tensor, images: torch.Tensor) -> float:
    """MSE with pixels clamped to [0, 1], which brings any of them closer; what is no number counts as 1."""
    squares = (reconstructed.clamp(0, 1) - images).square()
    return float(squares.nan_to_num(nan=1.0).double().mean())
