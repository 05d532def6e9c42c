"""Error against latent size as an SVG: no script, no font of its own, told apart by shape, not by colour."""

from __future__ import annotations

import math
from collections.abc import Mapping

Range = tuple[float, float, float]  # low, middle, high

_WIDTH, _HEIGHT = 560, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 540, 20, 270
_EDGE = 24  # between the axes and the first and last latent size
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
_TITLE = "Mean squared error per pixel against latent size"
_LEGEND = (
    ("own", "this submission (filled circles)"),
    ("pca", "PCA with as many numbers (dashed, squares)"),
    ("reference", "the reference solution, with its band (bars)"),
    ("spread", "the class: its middle half (grey), its median (dotted)"),
)


def draw_curve(
    own: Mapping[int, float],
    pca: Mapping[int, float],
    reference: Mapping[int, Range],
    spread: Mapping[int, Range],
) -> str:
    """Draw mean squared errors by latent size; ``spread`` are the class's quartiles. Any may be empty.

    Raises `ValueError` where all are.
    """
    bands = [*reference.values(), *spread.values()]
    widths = sorted({*own, *pca, *reference, *spread})
    if not widths:
        raise ValueError("a curve needs at least one latent size")
    plot = _Plot(widths, max([*own.values(), *pca.values(), *(high for *_, high in bands)]))
    shown = {"own": own, "pca": pca, "reference": reference, "spread": spread}
    body = [*plot.axes(), *plot.spread(spread), *plot.reference(reference), *plot.pca(pca), *plot.own(own)]
    legend = [(kind, words) for kind, words in _LEGEND if shown[kind]]
    for row, (kind, words) in enumerate(legend):
        y = _BOTTOM + 60 + 18 * row
        body += [_SAMPLES[kind].format(y=y), _text(_LEFT + 40, y + 4, words, "start")]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-labelledby="title desc" font-family="sans-serif" font-size="12">\n'
        f'<title id="title">{_TITLE}</title>\n'
        f'<desc id="desc">{_describe(own, pca, reference, spread)}</desc>\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


class _Plot:
    """Where a figure stands on the paper. Latent sizes are spaced by their logarithm."""

    def __init__(self, widths: list[int], top: float) -> None:
        self._widths = widths
        self._first = math.log2(widths[0])
        self._span = math.log2(widths[-1]) - self._first
        self._step = next((step for step in _STEPS if top <= 6 * step), _STEPS[-1])
        self._top = max(1, math.ceil(top / self._step)) * self._step

    def _x(self, width: int) -> float:
        share = (math.log2(width) - self._first) / self._span if self._span else 0.5
        return _LEFT + _EDGE + share * (_RIGHT - _LEFT - 2 * _EDGE)

    def _y(self, error: float) -> float:
        return _BOTTOM - error / self._top * (_BOTTOM - _TOP)

    def axes(self) -> list[str]:
        parts = [
            _line([(_LEFT, _TOP), (_LEFT, _BOTTOM), (_RIGHT, _BOTTOM)], 'stroke="black"'),
            _text((_LEFT + _RIGHT) / 2, _BOTTOM + 38, "latent size", "middle"),
            f'<text transform="translate(14 {(_TOP + _BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
            "mean squared error</text>",
        ]
        parts += [_text(self._x(width), _BOTTOM + 18, str(width), "middle") for width in self._widths]
        for count in range(round(self._top / self._step) + 1):
            y = self._y(count * self._step)
            parts.append(_text(_LEFT - 8, y + 4, f"{count * self._step:.3f}", "end"))
            parts.append(_line([(_LEFT, y), (_RIGHT, y)], 'stroke="#ddd"'))
        return parts

    def spread(self, spread: Mapping[int, Range]) -> list[str]:
        if not spread:
            return []
        first, last = min(spread), max(spread)
        # Wider than its points by a little, so that the band of a single latent size is seen.
        places = [(self._x(w), *map(self._y, spread[w])) for w in sorted(spread)]
        low, middle, high = (
            [
                (self._x(first) - 8, places[0][i]),
                *((p[0], p[i]) for p in places),
                (self._x(last) + 8, places[-1][i]),
            ]
            for i in (1, 2, 3)
        )
        return [
            f'<polygon points="{_points([*low, *reversed(high)])}" fill="#ccc" fill-opacity="0.7"/>',
            _line(middle, 'stroke="#555" stroke-dasharray="1 4" stroke-width="2"'),
        ]

    def reference(self, reference: Mapping[int, Range]) -> list[str]:
        parts = []
        for width, (low, middle, high) in sorted(reference.items()):
            x = self._x(width) + 5  # beside the circles, not under them
            ends = [self._y(error) for error in (low, middle, high)]
            parts.append(_line([(x, ends[0]), (x, ends[2])], 'stroke="#1a5fb4" stroke-width="2"'))
            parts += [_line([(x - 4, y), (x + 4, y)], 'stroke="#1a5fb4" stroke-width="2"') for y in ends]
        return parts

    def pca(self, pca: Mapping[int, float]) -> list[str]:
        places = [(self._x(width), self._y(error)) for width, error in sorted(pca.items())]
        squares = [
            f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6" fill="white" stroke="#a0500a"/>'
            for x, y in places
        ]
        return [_line(places, 'stroke="#a0500a" stroke-dasharray="6 4"'), *squares] if places else []

    def own(self, own: Mapping[int, float]) -> list[str]:
        places = [(self._x(width), self._y(error)) for width, error in sorted(own.items())]
        circles = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>' for x, y in places]
        return [_line(places, 'stroke="black" stroke-width="2"'), *circles] if places else []


_SAMPLES = {
    "own": '<path d="M64 {y}h30" stroke="black" stroke-width="2"/><circle cx="79" cy="{y}" r="4.5"/>',
    "pca": '<path d="M64 {y}h30" stroke="#a0500a" stroke-dasharray="6 4"/>',
    "reference": '<path d="M79 {y}m0-6v12m-4-12h8m-8 6h8m-8 6h8" stroke="#1a5fb4" stroke-width="2"/>',
    "spread": '<path d="M64 {y}h30" stroke="#ccc" stroke-width="12"/>'
    '<path d="M64 {y}h30" stroke="#555" stroke-width="2" stroke-dasharray="1 4"/>',
}


def _line(places: list[tuple[float, float]], look: str) -> str:
    return f'<polyline points="{_points(places)}" fill="none" {look}/>'


def _points(places: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def _describe(
    own: Mapping[int, float],
    pca: Mapping[int, float],
    reference: Mapping[int, Range],
    spread: Mapping[int, Range],
) -> str:
    """The same in words, for whoever does not see it."""
    sentences = []
    for width in sorted({*own, *pca, *reference, *spread}):
        told = [f"this submission {own[width]:.4f}"] if width in own else []
        told += [f"PCA {pca[width]:.4f}"] if width in pca else []
        for name, bands in (("reference", reference), ("class", spread)):
            if width in bands:
                low, middle, high = bands[width]
                told.append(f"{name} {middle:.4f} ({low:.4f} to {high:.4f})")
        sentences.append(f"Latent size {width}: {', '.join(told)}.")
    return " ".join(sentences)
