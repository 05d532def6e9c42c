"""The two notebooks that every way of running is given, as lists of cells."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

# Some machines have a torchvision whose compiled half does not fit their torch. The same for every way.
_PRELUDE = """\
from grader.notebooks.inside.torchvision_schemas import define_missing_operators
define_missing_operators()
"""

_IMPORTS = """\
import numpy as np
import matplotlib.pyplot as plt
import torch
import torch.nn as nn
import torchvision

np.random.seed(42)
torch.manual_seed(42)
print('libraries imported')
"""

_MODEL = """\
class Autoencoder(nn.Module):
    def __init__(self, latent_dim):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, latent_dim))
        self.decoder = nn.Sequential(nn.Linear(latent_dim, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())

    def forward(self, x):
        encoded = self.encoder(x)
        return self.decoder(encoded), encoded
"""

_DATA = """\
def load_images(train):
    dataset = torchvision.datasets.MNIST('./data', train=train, download=True)
    return dataset.data.float().reshape(-1, 784) / 255

train_images = load_images(True)
test_images = load_images(False)
print(train_images.shape, test_images.shape)
"""

_TRAINING = """\
def train(latent_dim, batches, batch_size=128):
    model = Autoencoder(latent_dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(batches):
        batch = train_images[torch.randint(len(train_images), (batch_size,))]
        loss = nn.functional.mse_loss(model(batch)[0], batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model

def error_of(model):
    with torch.no_grad():
        return nn.functional.mse_loss(model(test_images)[0], test_images).item()
"""

_LIGHT_RUN = """\
model = train(32, batches=20)
print(f'test error {error_of(model):.4f}')
"""

_LIGHT_PLOT = """\
plt.figure()
plt.imshow(model(test_images[:1])[0].detach().reshape(28, 28), cmap='gray')
plt.show()
"""

_HEAVY_RUN = """\
latent_dims = [2, 8, 32, 128]
models = {d: train(d, batches=BATCHES) for d in latent_dims}
errors = [error_of(models[d]) for d in latent_dims]
print(errors)
"""

_HEAVY_PLOT = """\
plt.plot(latent_dims, errors, marker='o')
plt.xlabel('latent_dim')
plt.ylabel('test error')
plt.show()

fig, axes = plt.subplots(len(latent_dims) + 1, 8, figsize=(8, 5))
with torch.no_grad():
    rows = [test_images[:8]] + [models[d](test_images[:8])[0] for d in latent_dims]
for row, images in enumerate(rows):
    for column, image in enumerate(images):
        axes[row, column].imshow(image.reshape(28, 28), cmap='gray')
        axes[row, column].axis('off')
plt.show()
"""


def _heavy_run(batches: int) -> str:
    return _HEAVY_RUN.replace("BATCHES", str(batches))


_OPENING = (_PRELUDE, _IMPORTS, _MODEL, _DATA, _TRAINING)

NOTEBOOKS: Mapping[str, tuple[str, ...]] = {
    "light": (*_OPENING, _LIGHT_RUN, _LIGHT_PLOT),
    "heavy": (*_OPENING, _heavy_run(800), _HEAVY_PLOT),  # 20 to 30 s of one core
}


def as_script(cells: Sequence[str]) -> str:
    """The same lines for a bare interpreter."""
    return "\n".join(cells)


def as_notebook(cells: Sequence[str]) -> str:
    """The same cells as an ``.ipynb`` file."""
    code: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": code})
