"""Which weights are taken for the agreed architecture, and what is said of all others."""

from __future__ import annotations

import pytest

from grader.evaluation.architecture import NO_AUTOENCODER, Blueprint, Fit, Misfit, Shapes, fit

TYPES = ("Linear", "ReLU", "Linear", "Linear", "ReLU", "Linear", "Sigmoid")
NAMES = ("encoder.0", "encoder.1", "encoder.2", "decoder.0", "decoder.1", "decoder.2", "decoder.3")


def linear(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def stack(names: list[str], widths: list[int]) -> Shapes:
    shapes: dict[str, tuple[int, ...]] = {}
    for name, inputs, outputs in zip(names, widths, widths[1:], strict=False):
        shapes |= linear(name, inputs, outputs)
    return shapes


def agreed(latent_dim: int) -> Blueprint:
    shapes = stack(["encoder.0", "encoder.2"], [784, 256, latent_dim])
    shapes = {**shapes, **stack(["decoder.0", "decoder.2"], [latent_dim, 256, 784])}
    return Blueprint(latent_dim, shapes, tuple(zip(NAMES, TYPES, strict=True)))


def rename(shapes: Shapes, **names: str) -> Shapes:
    return {
        ".".join(names.get(part, part) for part in key.split(".")): shape for key, shape in shapes.items()
    }


@pytest.mark.parametrize("width", [1, 2, 8, 32, 128, 255, 256, 257, 784])
def test_the_agreed_architecture_fits_at_any_width(width: int) -> None:
    plan = agreed(width)
    assert fit(plan.shapes, plan.layers, agreed) == Fit(
        width, {key: key for key in plan.shapes}, certain=True
    )


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "net.", "model.autoencoder."])
@pytest.mark.parametrize("width", [32, 256])
def test_wrappers_do_not_matter(prefix: str, width: int) -> None:
    plan = agreed(width)
    shapes = {prefix + key: shape for key, shape in sorted(plan.shapes.items())}
    layers = [(prefix + name, kind) for name, kind in plan.layers]
    assert fit(shapes, layers, agreed) == Fit(width, {key: prefix + key for key in plan.shapes}, certain=True)


def test_names_of_attributes_do_not_matter() -> None:
    plan = agreed(256)  # the width at which two layers have the same shape
    layers = [(name.replace("encoder", "squeeze").replace("decoder", "expand"), t) for name, t in plan.layers]
    outcome = fit(rename(plan.shapes, encoder="squeeze", decoder="expand"), layers, agreed)
    assert isinstance(outcome, Fit)
    assert outcome.keys["encoder.2.weight"] == "squeeze.2.weight"
    assert outcome.keys["decoder.0.weight"] == "expand.0.weight"


def test_one_sequence_of_all_layers_fits() -> None:
    shapes = stack(["0", "2", "3", "5"], [784, 256, 8, 256, 784])
    layers = [(str(index), kind) for index, kind in enumerate(TYPES)]
    outcome = fit(shapes, layers, agreed)
    assert isinstance(outcome, Fit)
    assert outcome.certain
    assert outcome.keys["decoder.2.bias"] == "5.bias"


def test_layers_without_names_of_their_types_are_sorted_as_people_count() -> None:
    shapes = stack(["net.2", "net.9", "net.10", "net.11"], [784, 256, 256, 256, 784])
    outcome = fit(dict(sorted(shapes.items())), [], agreed)
    assert isinstance(outcome, Fit)
    assert [outcome.keys[f"{name}.weight"] for name in ("encoder.2", "decoder.0")] == [
        "net.9.weight",
        "net.10.weight",
    ]


def test_dropout_and_flatten_change_nothing() -> None:
    plan = agreed(8)
    layers = [
        ("flat", "Flatten"),
        *plan.layers[:3],
        ("drop", "Dropout"),
        *plan.layers[3:],
        ("loss", "MSELoss"),
    ]
    outcome = fit(plan.shapes, layers, agreed)
    assert isinstance(outcome, Fit)
    assert outcome.certain


def test_activations_called_as_functions_make_the_fit_uncertain() -> None:
    shapes = stack(["fc1", "fc2", "fc3", "fc4"], [784, 256, 8, 256, 784])
    outcome = fit(shapes, [(f"fc{n}", "Linear") for n in range(1, 5)], agreed)
    assert isinstance(outcome, Fit)
    assert not outcome.certain


def test_an_activation_in_another_place_makes_the_fit_uncertain() -> None:
    plan = agreed(8)
    layers = [*plan.layers[:3], ("encoder.3", "ReLU"), *plan.layers[3:]]
    outcome = fit(plan.shapes, layers, agreed)
    assert isinstance(outcome, Fit)
    assert not outcome.certain


@pytest.mark.parametrize("kind", ["Tanh", "LeakyReLU", "BatchNorm1d", "BCEWithLogitsLoss"])
def test_other_activations_are_an_architecture_of_its_own(kind: str) -> None:
    plan = agreed(32)
    layers = [(name, kind if name == "encoder.1" else agreed_kind) for name, agreed_kind in plan.layers]
    outcome = fit(plan.shapes, layers, agreed)
    assert isinstance(outcome, Misfit)
    assert kind in outcome.reason
    assert outcome.latent_dim == 32


OWN = [
    ("deeper", stack(["a", "b", "c", "d", "e", "f"], [784, 512, 128, 16, 128, 512, 784]), 16),
    ("another hidden width", stack(["a", "b", "c", "d"], [784, 128, 8, 128, 784]), 8),
    ("one layer each way", stack(["a", "b"], [784, 2, 784]), 2),
    ("decoder alone", stack(["a", "b"], [32, 256, 784]), 32),
    ("tied weights", {"w1": (256, 784), "w2": (8, 256), "b1": (256,), "out": (784,)}, 8),
    ("rows as a sequence", {"r.weight_ih_l0": (256, 28), "z.weight": (16, 64), "o.weight": (28, 64)}, 16),
    ("convolutional", {"c1.weight": (16, 1, 3, 3), "c2.weight": (16, 1, 3, 3), "b": (1,)}, None),
    (
        "convolutional with a narrow layer",
        {
            "c.weight": (16, 1, 3, 3),
            **linear("z", 3136, 8),
            **linear("y", 8, 3136),
            "d.weight": (16, 1, 2, 2),
        },
        8,
    ),
    (
        "convolution in, pixels out",
        {"c.weight": (8, 1, 3, 3), **linear("z", 1568, 32), **linear("y", 32, 784)},
        32,
    ),
    ("no bottleneck", stack(["a", "b"], [784, 1000, 784]), None),
]


@pytest.mark.parametrize(("shapes", "width"), [case[1:] for case in OWN], ids=[case[0] for case in OWN])
def test_a_possible_autoencoder_is_kept_with_the_width_that_its_layers_suggest(
    shapes: Shapes, width: int | None
) -> None:
    outcome = fit(shapes, [], agreed)
    assert isinstance(outcome, Misfit)
    assert "own architecture" in outcome.reason
    assert outcome.latent_dim == width


NONE = [
    ("classifier", stack(["a", "b"], [784, 128, 10])),
    ("encoder alone", stack(["a", "b"], [784, 256, 32])),
    (
        "convolutional classifier",
        {"c1.weight": (16, 1, 3, 3), "c2.weight": (32, 16, 3, 3), **linear("f", 1568, 10)},
    ),
    ("classifier of codes", linear("a", 32, 10)),
    ("nothing", {}),
    ("a scalar", {"temperature": ()}),
]


@pytest.mark.parametrize("shapes", [case[1] for case in NONE], ids=[case[0] for case in NONE])
def test_what_cannot_be_an_autoencoder_has_no_width(shapes: Shapes) -> None:
    outcome = fit(shapes, [], agreed)
    assert isinstance(outcome, Misfit)
    assert outcome.latent_dim == NO_AUTOENCODER


@pytest.mark.parametrize(
    "shapes",
    [
        {f"t{n}": (n + 1, 784) for n in range(600)},
        {"w": tuple(range(1, 60))},
        {"": (784, 784), ".": (784,), "..": (0,)},
        {"w": (1 << 60, 1 << 60)},
    ],
)
def test_absurd_shapes_are_described_and_build_nothing_large(shapes: Shapes) -> None:
    built: list[int] = []

    def build(width: int) -> Blueprint:
        built.append(width)
        return agreed(width)

    assert isinstance(fit(shapes, [("x" * 200, "y" * 80)], build), Misfit)
    assert len(built) <= 32
    assert max(built, default=0) <= 4096
