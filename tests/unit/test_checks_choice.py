"""How a letter is read out of a student's words."""

from __future__ import annotations

import pytest

from grader.checks.choices.reading import read_choice

OPTIONS = {
    "A": "The model is working perfectly",
    "B": "The model is overfitting",
    "C": "The latent dimension is too large",
    "D": "The model needs more training",
}
WIDTHS = {
    "A": "latent_dim = 2 (extreme compression)",
    "B": "latent_dim = 256 (moderate compression)",
    "C": "latent_dim = 1000000 (no compression)",
    "D": "latent_dim = 100000 (minimal compression)",
}
LIST = "\n".join(f"{letter}) {text}" for letter, text in OPTIONS.items())
PLACEHOLDER = "[Write your answer here - e.g., 'B']"

READ_AS_B = [
    "B",
    "b",
    " B \n",
    "b)",
    "(b)",
    "B.",
    "B:",
    "B!",
    "B?",
    "**B**",
    "__B__",
    "*B*",
    "`B`",
    '"B"',
    "'B'",
    "“B”",
    "[B]",
    "> B",
    "# B",
    "- B",
    "<b>B</b>",
    "<p style='color:red'>B</p>",
    "B<br>",
    "&nbsp;B",
    "$B$",
    "$\\text{B}$",
    "\\text{B}",
    "\\boxed{\\mathbf{B}}",
    "Ｂ",
    "𝐁",
    "Ⓑ",
    "В",  # Cyrillic
    "Β",  # Greek
    "Option b",
    "option B)",
    "Choice B",
    "Letter: B",
    "The answer is B.",
    "The correct answer is: **B**",
    "Answer: B",
    "Ans - B",
    "My answer = b",
    "Question 3: B",
    "I choose B",
    "I would go with B",
    "I think it's B",
    "I think B",
    "maybe b",
    "I'm not sure, but B",
    "It is clearly B",
    "B) The model is overfitting",
    "b. the model is overfitting!",
    "B - The model is overfitting",
    "B The model is overfiting",
    "**B) The model is overfitting**",
    "The model is overfitting (B)",
    "The model is overfitting",
    "the model is overfiting.",
    "THE MODEL IS OVERFITTING!!",
    "The answer is: the model is overfitting",
    "The model is overfitting, because the gap is large",
    "Not A, B",
    "Not A or C, B",
    "not A but B",
    "B, not A",
    "It's B, not A",
    "B (not A)",
    "B instead of A",
    "B rather than A",
    "Neither A nor C, so B",
    "A is wrong. B",
    "Not A. Not C. Not D. B.",
    "B because it memorized, so A is wrong, and C or D have no evidence",
    "Answer: B\nExplanation: the train loss is 0.01, A is wrong",
    "A is not correct, B is",
    "A, C and D are wrong, so B",
    "~~A~~ B",
    "<del>A</del> B",
    "B because A would mean that both losses are small",
    "B because option A would mean that both losses are small",
    "B since A or C would show no gap",
    "B. The test loss is ten times higher, and A would need a small one",
    "The answer is B because A is about a perfect model",
    "The loss on test images is ten times higher, so B",
    "The gap is large.\n\nB",
    "The gap is large, unlike in case A, so the answer is B",
    "A good option is B",
    "I was thinking A but it's B",
    f"{PLACEHOLDER} B",
    f"B {PLACEHOLDER}",
    f"{LIST}\n\nB",
    f"{LIST}\n\n**Your Answer**: B",
    "B, e.g. because the gap is large",
]


@pytest.mark.parametrize("text", READ_AS_B)
def test_b_is_read(text: str) -> None:
    read = read_choice(text, OPTIONS)
    assert (read.letter, read.ambiguous) == ("B", False), read


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("A", "A"),
        ("a", "A"),
        ("a)", "A"),
        ("А", "A"),  # Cyrillic
        ("Option a", "A"),
        ("A because the loss is small", "A"),
        ("A is the answer", "A"),
        ("A The model is working perfectly", "A"),
        ("The answer is a.", "A"),
        ("C", "C"),
        ("С", "C"),  # Cyrillic
        ("Not B, D", "D"),
        ("[Write your answer here - e.g., 'B'] A", "A"),
        ("D) The model needs more training", "D"),
    ],
)
def test_other_letters_are_read(text: str, letter: str) -> None:
    assert read_choice(text, OPTIONS).letter == letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B) latent_dim = 256 (moderate compression)", "B"),
        ("latent_dim=256", "B"),
        ("latent_dim = 256 (moderate compression)", "B"),
        ("moderate compression", "B"),
        ("A latent_dim = 2 (extreme compression)", "A"),
        ("latent_dim = 1000000", "C"),
        ("latent_dim = 100000", "D"),
        ("latent_dim = 10000", None),
        ("A is too small, C and D are too large, so B", "B"),
        ("C) latent_dim = 256", None),
        ("256 or 2", None),
    ],
)
def test_numbers_in_options_allow_no_typo(text: str, letter: str | None) -> None:
    assert read_choice(text, WIDTHS).letter == letter


@pytest.mark.parametrize(
    "text",
    [
        "A or B",
        "A/B",
        "A / B",
        "A, B",
        "A; B",
        "A. B",
        "A - B",
        "A & B",
        "A\nB",
        "AB",
        "ABCD",
        "A B C D",
        "A and B",
        "both A and B",
        "Either B or C",
        "B or maybe C",
        "B, or C",
        "B because it overfits, or C",
        "B. Actually the answer is C",
        "The answer is B or C",
        "not B",
        "Not B.",
        "It isn't B",
        "I don't think it's B",
        "anything but B",
        "B is wrong",
        "neither A nor B",
        "B and D are wrong",
        "A) The model is overfitting",
        "The model is overfitting (C)",
        "The model is not overfitting",
        "The model is underfitting",
        "I doubt that the model is overfitting",
        "The model is overfitting and the model needs more training",
        "A model that has such a gap",
        "A model with big gap is overfitting",
        "The answer is a model that remembers",
        "overfitting",
        "A? No, B",
        "a) no b) yes",
        "C no B",
        "A: no, B: yes",
        "A - no, B",
        "A would be right if the test loss was small. B",
        "A model is overfitting B",
        "none of the above",
        "E",
        "2",
        "asdf",
        "I don't know",
        "I don't know, B?",
        "see below",
        "🅱",
        "![scan](attachment:scan.png)",
        "~~B~~",
        LIST,
        "A) The model is working perfectly\nB) The model is overfitting",
        "A) The model is working perfectly B) The model is overfitting",
        "[Write your answer here - e.g., 'A']",
        "[Write your answer here - B]",
        "[B - e.g., 'B']",
        "[Write your answer here - e.g., 'B', or C]",
        "e.g., 'B'",
        "B " + "x" * 30_000,
    ],
)
def test_what_leaves_a_doubt_is_no_letter_and_asks_for_a_human(text: str) -> None:
    read = read_choice(text, OPTIONS)
    assert (read.letter, read.ambiguous) == (None, True), read
    assert read.reason.endswith(".")


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "\xa0", "**", "[ ]", "...", "&nbsp;", PLACEHOLDER, f"**{PLACEHOLDER}**", PLACEHOLDER[:-1]],
)
def test_nothing_and_the_placeholder_are_blank(text: str) -> None:
    read = read_choice(text, OPTIONS)
    assert (read.letter, read.ambiguous) == (None, False)


@pytest.mark.parametrize(
    ("text", "has_rest"),
    [
        ("B", False),
        ("The answer is B.", False),
        ("Not A, B", False),
        ("B) The model is overfitting", False),
        ("B because the gap is large", True),
        ("The gap is large, so B", True),
        ("La réponse est B car le modèle surapprend", True),  # no letter for certain, but a reason
        ("[Write your answer here B because the gap is large]", True),
        ("B " + "because the gap is large " * 1000, True),
        ("none", True),
        ("B, gap", True),
        ("B / not generalizing", True),
        ("The model is overfitting, because the gap is large", True),
    ],
)
def test_a_reason_beside_the_letter_is_kept(text: str, has_rest: bool) -> None:
    assert bool(read_choice(text, OPTIONS).rest) is has_rest


@pytest.mark.parametrize(
    "unit",
    ["<", "[", "~~", "<s>", "\\text{", "A or B ", "not ", "'", "write your answer here ", "the model is "],
)
def test_hostile_repetition_is_read_in_linear_steps(unit: str) -> None:
    # A pattern that backtracks would never come back; the whole suite has a time limit for that.
    text = unit * (19_999 // len(unit))
    assert read_choice(text, OPTIONS).letter is None
