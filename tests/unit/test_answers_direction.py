"""Laws: what goes with larger codes or with new data, however it is said."""

from __future__ import annotations

import pytest

from grader.checks.answers.direction import find_laws
from grader.checks.answers.polarity import sign_words
from grader.checks.answers.words import split_words
from tests.unit.marked import proposed


def _laws(text: str) -> set[tuple[str, int]]:
    return set(find_laws(sign_words(split_words(text))))


@pytest.mark.parametrize(
    "text",
    [
        "The larger the bottleneck, the smaller the loss.",
        "The lower the latent dim, the blurrier the images.",
        "Reducing the bottleneck increases the error.",
        "As the dimension grows the error drops.",
        "More latent dimensions = better reconstructions, fewer = blurrier",
        "bigger latent -> lower loss, less blur",
        "Quality improves with latent_dim.",
        "With few dims it is blurry, with many sharp.",
    ],
)
def test_larger_is_better_in_many_words(text: str) -> None:
    assert _laws(text) == {("size", 1)}


@pytest.mark.parametrize(
    "text",
    [
        "The smaller the latent_dim, the better the reconstruction gets.",
        "A bigger latent_dim makes the loss go up.",
        "It does not get better with a larger code.",
    ],
)
def test_larger_is_worse_in_some(text: str) -> None:
    assert _laws(text) == {("size", -1)}


@pytest.mark.parametrize(
    "text",
    [
        "The test loss is much higher than the train loss.",
        "The loss on training images is far lower than on test images.",
        "It's good on the data it knows and bad on the data it doesn't know.",
        "It works well on the training set, but on pictures it has not seen it is poor.",
        "The network is not good on new images.",
    ],
)
def test_new_data_are_worse(text: str) -> None:
    assert _laws(text) == {("data", -1)}


@pytest.mark.parametrize(
    "text", ["", "Larger.", "It is worse.", "The test loss is a number.", "good new " * 2_000]
)
def test_nothing_goes_with_what_is_not_named(text: str) -> None:
    assert _laws(text) == set()


@pytest.mark.parametrize(
    ("key", "right", "wrong"),
    [
        (
            "ex1.observations",
            "The bigger the latent dimension, the lower the error.",
            "The bigger the latent dimension, the higher the error.",
        ),
        (
            "q3.explanation",
            "The error on test data is much higher than on training data.",
            "The error on training data is much higher than on test data.",
        ),
    ],
)
def test_the_same_words_the_other_way_round_earn_nothing(key: str, right: str, wrong: str) -> None:
    assert proposed(key, right).concepts[0].level == 1
    assert proposed(key, wrong).concepts[0].level == 0
