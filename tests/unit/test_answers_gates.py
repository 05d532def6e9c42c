"""Gates: what is no ordinary answer goes to a human with a reason, and copies of the prompt earn nothing."""

from __future__ import annotations

import json
import re

import pytest

from grader.domain.proposal import Gate, Rule
from tests.unit.marked import homework, proposed, written_items


@pytest.mark.parametrize(
    ("text", "gates"),
    [
        ("I don't know", [Gate.DONT_KNOW]),
        ("i dont know the answer to this question", [Gate.DONT_KNOW]),
        ("TODO", [Gate.DONT_KNOW]),
        ("n/a", [Gate.DONT_KNOW]),
        ("No idea, sorry!", [Gate.DONT_KNOW]),
        ("Not sure, but I think the network would copy the input to the output.", []),
        ("Nothing is squeezed out, so it can copy its input.", []),
        ("asdf jkl qwer zxcv bnm", [Gate.GIBBERISH]),
        ("12345 !!! 678", [Gate.GIBBERISH]),
        ("👍👍", [Gate.GIBBERISH]),
        ("...", [Gate.GIBBERISH]),
        ("bottleneck latent encoder decoder capacity features essence identity", [Gate.KEYWORDS]),
        ("1. too little capacity 2. shared patterns 3. identity function", []),
        ("code too small, digit patterns learned, bigger code copies input", []),
        ("32 < 784 -> forgets pixels, keeps strokes", []),
        (
            "Heteroscedastic paradigms synergistically leverage orchestrated holistic frameworks, because "
            "stakeholders thereby consolidate the compression of multidimensional ecosystems.",
            [Gate.UNFAMILIAR],
        ),
        ("Il modello non può memorizzare perché il codice è troppo piccolo.", [Gate.LANGUAGE]),
        ("Le modèle ne peut pas mémoriser les images car il y a peu de place.", [Gate.LANGUAGE]),
        ("Модель не может запомнить все изображения.", [Gate.LANGUAGE]),
        ("overfitting", [Gate.SHORT]),
        ("copies the input", [Gate.SHORT]),
        ("It would simply copy its input then.", []),
    ],
)
def test_each_gate_stands_where_it_should_and_not_elsewhere(text: str, gates: list[Gate]) -> None:
    assert list(proposed("q1", text).gates) == gates


@pytest.mark.parametrize(
    "text", ["I don't know", "asdf jkl qwer zxcv", "El código es muy pequeño para que se guarde"]
)
def test_behind_a_shut_gate_nothing_is_proposed_and_nothing_claimed(text: str) -> None:
    proposal = proposed("q1", text)
    assert proposal.points == 0
    assert {concept.rule for concept in proposal.concepts} == {Rule.NOT_READ}


def _prompts(part_key: str) -> list[str]:
    """The prompt whole as the template prints it, plain, and each line and sentence alone."""
    part = homework().rubric.part(part_key)
    cells = json.loads(homework().template)["cells"]
    printed = [
        source for source in ("".join(cell["source"]) for cell in cells) if f"### {part.heading} " in source
    ]
    whole = [source.split("**Your Answer**")[0] for source in printed]
    return [part.prompt, *whole, *part.prompt.splitlines(), *re.split(r"(?<=[.?])\s", part.prompt)]


@pytest.mark.parametrize("item", written_items(), ids=lambda item: item.key)
def test_the_prompt_and_its_hint_earn_nothing_and_never_silently(item) -> None:  # type: ignore[no-untyped-def]
    texts = _prompts(item.part)
    assert len(texts) > 5
    for text in texts:
        proposal = proposed(item.key, text)
        assert proposal.points == 0, text
        assert proposal.gates, text


def test_own_words_beside_a_copied_sentence_count() -> None:
    proposal = proposed(
        "q7",
        "Learning to denoise forces the model to learn the underlying structure, not memorize "
        "noise. So it can also repair scratched photos.",
    )
    assert proposal.gates == (Gate.COPIED,)
    assert [concept.level for concept in proposal.concepts][:2] == [0, 1]
    assert proposal.concepts[0].rule is Rule.COPIED


@pytest.mark.parametrize(
    "text",
    [
        "If latent space is smooth, the midpoint should be a blend of the two images, as we were told.",
        "We were told that, if latent space is smooth, the midpoint should be a blend of the two images.",
    ],
)
def test_the_hint_inside_a_sentence_earns_nothing_and_never_silently(text: str) -> None:
    proposal = proposed("q9", text)
    assert (proposal.points, proposal.gates) == (0, (Gate.COPIED,))
    assert proposal.concepts[0].rule is Rule.COPIED


def test_around_a_quotation_the_rest_of_the_sentence_counts() -> None:
    proposal = proposed(
        "q7",
        "My notes say that denoising forces the model to learn the underlying structure, not memorize noise, "
        "and so it can repair scratched photos, too.",
    )
    assert proposal.gates == (Gate.COPIED,)
    assert [concept.level for concept in proposal.concepts] == [0, 1, 0]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("q4", "The label that an autoencoder trains on is the input itself."),
        ("q9", "The decoded midpoint is a blend of the two images."),
        ("q3.explanation", "There is a large gap between training and test loss, so it is overfitting."),
    ],
)
def test_what_is_asked_or_wanted_in_the_prompts_words_is_no_copy(key: str, text: str) -> None:
    proposal = proposed(key, text)
    assert (proposal.gates, proposal.concepts[0].rule) == ((), Rule.STATED)


def test_what_stands_behind_the_most_that_is_read_is_told() -> None:
    good = "I expect a realistic mix of traits of both images. It is useful to generate new samples. "
    padding = "We saw them. " * 2000
    assert proposed("q9", good + padding).gates == (Gate.LONG,)
    assert proposed("q9", good + padding).doubt >= 0.9
    assert proposed("q9", good + " " * 30_000).gates == ()


def test_a_good_answer_may_be_long() -> None:
    good = "I expect a realistic mix of traits of both images. It is useful to generate new samples."
    padded = "We saw autoencoders in the lecture of this week and I liked them. " * 60 + good
    assert (proposed("q9", padded).points, proposed("q9", padded).gates) == (4, ())
