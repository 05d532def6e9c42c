"""The agreed architecture of the homework on small digits, as its template prints it.

The measuring side loads this file by its path: `build` makes the model that a student's weights are put into,
`encode` and `decode` run its halves on rows of 64 pixels in [0, 1].
"""

from __future__ import annotations

import torch
from torch import nn


class Autoencoder(nn.Module):
    def __init__(self, latent_dim):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, latent_dim))
        self.decoder = nn.Sequential(nn.Linear(latent_dim, 48), nn.ReLU(), nn.Linear(48, 64), nn.Sigmoid())

    def forward(self, x):
        encoded = self.encoder(x)
        return self.decoder(encoded), encoded


def build(latent_dim: int) -> nn.Module:
    """A fresh model whose code has `latent_dim` numbers."""
    return Autoencoder(latent_dim)


def encode(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Codes of `images`: N×64 floats in, N×latent_dim floats out."""
    codes: torch.Tensor = model.encoder(images)
    return codes


def decode(model: nn.Module, codes: torch.Tensor) -> torch.Tensor:
    """Images of `codes`: N×latent_dim floats in, N×64 floats in [0, 1] out."""
    images: torch.Tensor = model.decoder(codes)
    return images
