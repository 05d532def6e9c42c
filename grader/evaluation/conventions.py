"""How students scale pixels in [0, 1]: a factor, then an offset. All are recognised, none punished."""

from __future__ import annotations

_MEAN, _DEVIATION = 0.1307, 0.3081  # the figures for MNIST that every tutorial uses

SCALINGS = {
    "[0, 1]": (1.0, 0.0),
    "[-1, 1]": (2.0, -1.0),
    "normalised": (1 / _DEVIATION, -_MEAN / _DEVIATION),
    "[0, 255]": (255.0, 0.0),
}
LOGITS = "logits"  # an output that a sigmoid makes pixels of, as a loss on logits wants it
