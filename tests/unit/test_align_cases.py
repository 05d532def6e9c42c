"""How students lay out their answers: each case changes the template, and says what must be found."""

# ruff: noqa: E501 - a case is a line of a table

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from grader.domain.answers import AnswerState
from grader.domain.notebook import CellKind
from grader.notebooks.alignment.align import align
from tests.unit.notebook_builders import (
    CHOICE,
    LABEL,
    LAYOUTS,
    OPTIONS,
    QUESTIONS,
    SHORT,
    WHY,
    Draft,
    draft,
    parts,
    template,
)

CODE, RAW = CellKind.CODE, CellKind.RAW
TEXT = "The code is far too small to store every picture, so it keeps what digits share."
MORE = "Otherwise nothing would force it to find any structure."
OTHER = "It could simply store the training images one by one."
BOTH = f"{TEXT}\n\n{MORE}"
PARTS = parts()


@dataclass(frozen=True)
class Case:
    """`found`: what each part's text (or, with ".why", its explanation) must be; every other part is untouched."""

    name: str
    change: Callable[[Draft], object]
    found: dict[str, str]


def _cell_text(part: str, text: str) -> Callable[[Draft], None]:
    def change(made: Draft) -> None:
        made.answer(part, text)

    return change


def _steps(*steps: Callable[[Draft], object]) -> Callable[[Draft], None]:
    def change(made: Draft) -> None:
        for step in steps:
            step(made)

    return change


def _own_cell(part: str, text: str, kind: CellKind = CellKind.MARKDOWN) -> Callable[[Draft], None]:
    return _steps(
        lambda d: d.replace(part, CHOICE if part in ("q3", "q6") else SHORT, ""),
        lambda d: d.below(part, text, kind),
    )


def _place(part: str, new: str) -> Callable[[Draft], None]:
    """Put `new` where the label and the placeholder stand."""
    return lambda d: d.replace(part, f"{LABEL}\n\n{SHORT}", new)


def _choice(part: str, new: str) -> Callable[[Draft], None]:
    return lambda d: d.replace(part, f"{LABEL} {CHOICE}", new)


def _mark(old: str, new: str, times: int = 1) -> Callable[[Draft], None]:
    return lambda d: d.rewrite("q3", lambda source: source.replace(old, new, times))


def _only_answer_left(made: Draft, part: str, text: str) -> None:
    """The heading and the whole prompt are gone; the label and the answer stand."""
    made.answer(part, text)
    for cell in made.of(part):
        cell.source = LABEL + cell.source.partition(LABEL)[2] if LABEL in cell.source else ""


def _split_every_paragraph(made: Draft, part: str) -> None:
    first = made.of(part)[0]
    at = made.cells.index(first)
    blocks = [block for block in made.text_of(part).split("\n\n") if block.strip()]
    gone = {id(cell) for cell in made.of(part)}
    made.cells = [cell for cell in made.cells if id(cell) not in gone]
    made.cells[at:at] = [type(first)(first.kind, block, part=part) for block in blocks]


def _reverse_questions(made: Draft) -> None:
    start = made.cells.index(made.of("q1")[0])
    groups = [made.of(key) for key in reversed(QUESTIONS)]
    end = max(made.cells.index(cell) for group in groups for cell in group) + 1
    made.cells[start:end] = [cell for group in groups for cell in group]


def _copy_with(made: Draft, part: str, text: str) -> None:
    made.append(draft().text_of(part).replace(SHORT, text))


def _answers_behind_all_prompts(made: Draft) -> None:
    """All prompts first, then the ten answers in their order, each under a label."""
    places: list[str] = []
    for key in QUESTIONS:
        text = made.text_of(key)
        prompt, _, rest = text.partition(LABEL)
        made.of(key)[0].source = prompt
        for cell in made.of(key)[1:]:
            cell.source = ""
        places.append(
            f"{LABEL} The answer to number {key[1:]} of them."
            if key not in ("q3", "q6")
            else LABEL + " B" + rest.partition("]")[2]
        )
    at = made.cells.index(made.of("q10")[-1]) + 1
    made.cells[at:at] = [type(made.cells[0])(CellKind.MARKDOWN, place) for place in places]
    made.without_ids()


SHORT_ANSWERS = [
    Case("in the placeholder's place", _cell_text("q1", TEXT), {"q1": TEXT}),
    Case("two paragraphs", _cell_text("q1", BOTH), {"q1": BOTH}),
    Case("inside the brackets", _cell_text("q1", f"[{TEXT}]"), {"q1": TEXT}),
    Case("inside the brackets over lines", _cell_text("q1", f"[{TEXT}\n{MORE}]"), {"q1": f"{TEXT}\n{MORE}"}),
    Case("placeholder kept above", _cell_text("q1", f"{SHORT}\n\n{TEXT}"), {"q1": TEXT}),
    Case("placeholder kept below", _cell_text("q1", f"{TEXT}\n\n{SHORT}"), {"q1": TEXT}),
    Case("placeholder kept on the line", _cell_text("q1", f"{SHORT} {TEXT}"), {"q1": TEXT}),
    Case("inside the placeholder", _cell_text("q1", f"{SHORT[:-1]} {TEXT}]"), {"q1": TEXT}),
    Case("placeholder cut short", _cell_text("q1", f"[Write your answer here] {TEXT}"), {"q1": TEXT}),
    Case("placeholder misspelt", _cell_text("q1", f"[Wrte your anser here in 2-4 sentences]\n{TEXT}"), {"q1": TEXT}),
    Case("on the label's line", _place("q1", f"{LABEL} {TEXT}"), {"q1": TEXT}),
    Case("below the label without a gap", _place("q1", f"{LABEL}\n{TEXT}"), {"q1": TEXT}),
    Case("before the label", _place("q1", f"{TEXT}\n\n{LABEL}"), {"q1": TEXT}),
    Case("before the label, placeholder kept", _place("q1", f"{TEXT}\n\n{LABEL}\n\n{SHORT}"), {"q1": TEXT}),
    Case("label deleted", _place("q1", TEXT), {"q1": TEXT}),
    Case("label in bold with its colon", _place("q1", f"**Your Answer:** {TEXT}"), {"q1": TEXT}),
    Case("label and answer in bold", _place("q1", f"**Your Answer: {TEXT}**"), {"q1": TEXT}),
    Case("my answer", _place("q1", f"**My Answer:**\n\n{TEXT}"), {"q1": TEXT}),
    Case("answer", _place("q1", f"Answer: {TEXT}"), {"q1": TEXT}),
    Case("a label as heading", _place("q1", f"#### Answer\n{TEXT}"), {"q1": TEXT}),
    Case("a translated label", _place("q1", f"**Respuesta:** {TEXT}"), {"q1": TEXT}),
    Case("no-break spaces", _place("q1", f"**Your\N{NO-BREAK SPACE}Answer**:\N{NO-BREAK SPACE}{TEXT}"), {"q1": TEXT}),
    Case("Windows' line ends", lambda d: (d.answer("q1", BOTH), d.rewrite("q1", lambda s: s.replace("\n", "\r\n"))), {"q1": BOTH}),
    Case("smart quotes in the prompt", lambda d: (d.answer("q2", TEXT), d.rewrite("q2", lambda s: s.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"))), {"q2": TEXT}),
    Case("in a new cell", _own_cell("q1", TEXT), {"q1": TEXT}),
    Case("in a new cell, placeholder kept", lambda d: d.below("q1", TEXT), {"q1": TEXT}),
    Case("in two new cells", lambda d: (d.below("q1", MORE), d.below("q1", TEXT)), {"q1": BOTH}),
    Case("in a new cell with a label", lambda d: d.below("q1", f"{LABEL} {TEXT}"), {"q1": TEXT}),
    Case("in a new cell under an own heading", lambda d: d.below("q1", f"### Answer to Question 1\n\n{TEXT}"), {"q1": TEXT}),
    Case("in a raw cell", _own_cell("q1", TEXT, RAW), {"q1": TEXT}),
    Case("in a code cell as comments", _own_cell("q1", f"# {TEXT}\n# {MORE}", CODE), {"q1": f"{TEXT}\n{MORE}"}),
    Case("in a code cell as a string", _own_cell("q1", f'"""\n{TEXT}\n"""', CODE), {"q1": TEXT}),
    Case("in a code cell as a variable", _own_cell("q1", f'answer_1 = "{TEXT}"', CODE), {"q1": TEXT}),
    Case("in a code cell printed", _own_cell("q1", f'print("{TEXT}")', CODE), {"q1": TEXT}),
    Case("in a code cell as it is", _own_cell("q1", f"{TEXT}\nIt can't do better.", CODE), {"q1": f"{TEXT}\nIt can't do better."}),
    Case("beside code in a code cell", _own_cell("q1", f"x = model(images)  # run\n# {TEXT}", CODE), {"q1": TEXT}),
    Case("HTML", _cell_text("q1", f"<p>{TEXT}<br/><b>{MORE}</b></p>"), {"q1": f"{TEXT}\n{MORE}"}),
    Case("HTML details", _cell_text("q1", f"<details open><summary>{TEXT}</summary>{MORE}</details>"), {"q1": f"{TEXT}\n{MORE}"}),
    Case("HTML entities", _cell_text("q1", "32 &lt; 784 &amp; so it&nbsp;compresses"), {"q1": "32 < 784 & so it compresses"}),
    Case("a script in the answer", _cell_text("q1", f"<script>alert('x')</script>{TEXT}<style>p {{}}</style>"), {"q1": TEXT}),
    Case("LaTeX", _cell_text("q1", "$$\nz = f(x), \\; a<b$$\nso $z \\in R^{32}$"), {"q1": "$$\nz = f(x), \\; a<b$$\nso $z \\in R^{32}$"}),
    Case("bullets", _cell_text("q1", f"- {TEXT}\n- {MORE}"), {"q1": f"- {TEXT}\n- {MORE}"}),
    Case("numbers", _cell_text("q1", f"1. {TEXT}\n2. {MORE}\n3. {OTHER}"), {"q1": f"1. {TEXT}\n2. {MORE}\n3. {OTHER}"}),
    Case("a rule below the answer", _cell_text("q1", f"{TEXT}\n\n---"), {"q1": TEXT}),
    Case("the prompt quoted line by line", _cell_text("q1", f"1. Why can't the model just memorize each input?\n{TEXT}\n2. What must it learn instead?\n{MORE}"), {"q1": f"{TEXT}\n{MORE}"}),
    Case("the prompt quoted on the line", _cell_text("q1", f"2. What must it learn instead? {MORE}"), {"q1": MORE}),
    Case("the prompt quoted in a sentence", _cell_text("q1", f'"What must it learn instead?" I would say: {MORE}'), {"q1": f'"What must it learn instead?" I would say: {MORE}'}),
    Case("only the hint, copied", _cell_text("q8", "PCA = linear. Hint: PCA is faster, I think."), {"q8": "PCA = linear. Hint: PCA is faster, I think."}),
    Case("a sentence close to the hint", _cell_text("q9", "If latent space is smooth, the midpoint should not be a blend of the two images."), {"q9": "If latent space is smooth, the midpoint should not be a blend of the two images."}),
    Case("between the prompt's lines", lambda d: d.replace("q1", "2. What must it learn instead?", f"{TEXT}\n2. What must it learn instead?"), {"q1": TEXT}),
    Case("a picture", _cell_text("q1", "<img src='x.png'>"), {"q1": "![image]()"}),
    Case("heading edited", lambda d: (d.answer("q2", TEXT), d.replace("q2", "### Question 2 (Short Answer)", "## Q2, finally done")), {"q2": TEXT}),
    Case("heading replaced", lambda d: (d.answer("q2", TEXT), d.replace("q2", "### Question 2 (Short Answer)", "## my second"), d.drop_lines("q2", "^.*Question 2 -")), {"q2": TEXT}),
    Case("heading deleted", lambda d: (d.answer("q2", TEXT), d.drop_lines("q2", "Question 2")), {"q2": TEXT}),
    Case("prompt deleted", lambda d: (d.answer("q2", TEXT), d.drop_lines("q2", "^[^#*]*$", "Hint", "Question 2 -"), d.below("q2", TEXT)), {"q2": TEXT}),
    Case("prompt edited", lambda d: (d.answer("q2", TEXT), d.drop_lines("q2", "Question 2"), d.rewrite("q2", lambda s: s.replace("makes each digit", "makes every digit").replace("be close", "lie close").replace("not just", "and not just"))), {"q2": TEXT}),
    Case("everything but the answer deleted", lambda d: (d.without_ids(), _only_answer_left(d, "q5", TEXT)), {"q5": TEXT}),
    Case("everything but the first answer deleted", lambda d: (d.without_ids(), _only_answer_left(d, "q1", TEXT)), {"q1": TEXT}),
    Case("all in reverse order", _steps(_reverse_questions, lambda d: d.answer("q1", TEXT), lambda d: d.answer("q10", MORE)), {"q1": TEXT, "q10": MORE}),
    Case("split at every paragraph", lambda d: (d.answer("q4", BOTH), _split_every_paragraph(d, "q4"), _split_every_paragraph(d, "q5")), {"q4": BOTH}),
    Case("split within a line", lambda d: (d.answer("q1", TEXT), d.replace("q1", "Why can't the model just", "Why can't the\nmodel just")), {"q1": TEXT}),
    Case("two in one cell", lambda d: (d.answer("q1", TEXT), d.answer("q2", MORE), d.merge("q1", "q2")), {"q1": TEXT, "q2": MORE}),
    Case("all in one cell", lambda d: (d.answer("q1", TEXT), d.answer("q10", MORE), d.merge(*QUESTIONS)), {"q1": TEXT, "q10": MORE}),
    Case("a copy left untouched", lambda d: (d.answer("q1", TEXT), _copy_with(d, "q1", SHORT)), {"q1": TEXT}),
    Case("a copy answered", lambda d: _copy_with(d, "q1", TEXT), {"q1": TEXT}),
    Case("the same answer twice", lambda d: (d.answer("q1", TEXT), _copy_with(d, "q1", TEXT)), {"q1": TEXT}),
    Case("all answers in a cell at the end", lambda d: d.append(f"Q1: {TEXT}\n\nQ2: {MORE}\n\nQuestion 10 - {OTHER}"), {"q1": TEXT, "q2": MORE, "q10": OTHER}),
    Case("above the heading", lambda d: d.rewrite("q5", lambda s: f"{TEXT}\n\n{s}" if "###" in s else s), {"q5": TEXT}),
    Case("above every heading", lambda d: [d.rewrite(q, lambda s, q=q: f"{TEXT} {q}.\n\n{s}" if "###" in s else s) for q in ("q4", "q5")], {q: f"{TEXT} {q}." for q in ("q4", "q5")}),
    Case("under bold short headings", lambda d: d.append("\n\n".join(f"**Q{n}**\n\n{TEXT} {n}." for n in (8, 9, 10))), {f"q{n}": f"{TEXT} {n}." for n in (8, 9, 10)}),
    Case("sub-questions numbered like questions", _cell_text("q5", f"Q1: {TEXT}\nQ2: {MORE}"), {"q5": f"Q1: {TEXT}\nQ2: {MORE}"}),
]  # fmt: skip

CHOICES = [
    Case("the letter", _cell_text("q3", "B"), {"q3": "B"}),
    Case("the letter in bold", _cell_text("q3", "**B**"), {"q3": "**B**"}),
    Case("behind the placeholder", _cell_text("q3", f"{CHOICE} B"), {"q3": "B"}),
    Case("inside the placeholder", _cell_text("q3", "[Write your answer here - e.g., 'C']"), {"q3": "C"}),
    Case("in the placeholder's brackets", _cell_text("q3", "[B]"), {"q3": "B"}),
    Case("behind a bracket", _cell_text("q3", "[Write your answer here - B]"), {"q3": "B"}),
    Case("on a line of its own", _cell_text("q3", "\n\nB"), {"q3": "B"}),
    Case("before the label", _choice("q3", f"B\n\n{LABEL}"), {"q3": "B"}),
    Case("option's line", _cell_text("q3", "B) The model is overfitting"), {"q3": "B) The model is overfitting"}),
    Case("option's line below", _cell_text("q3", "\nB) The model is overfitting"), {"q3": "B) The model is overfitting"}),
    Case("option's text", _cell_text("q3", "The model is overfitting"), {"q3": "The model is overfitting"}),
    Case("all options copied", _cell_text("q3", f"\n{OPTIONS}"), {"q3": OPTIONS}),
    Case("with its explanation", lambda d: d.answer("q3", "B", TEXT), {"q3": "B", "q3.why": TEXT}),
    Case("with its explanation below", lambda d: d.answer("q3", "B", f"\n\n{TEXT}\n{MORE}"), {"q3": "B", "q3.why": f"{TEXT}\n{MORE}"}),
    Case("explanation in the brackets", lambda d: d.answer("q3", "B", f"[{TEXT}]"), {"q3": "B", "q3.why": TEXT}),
    Case("only the explanation", lambda d: d.replace("q3", WHY, TEXT), {"q3.why": TEXT}),
    Case("reason instead of explanation", lambda d: (d.answer("q3", "B"), d.replace("q3", f"**Explanation**: {WHY}", f"**Reason:** {TEXT}")), {"q3": "B", "q3.why": TEXT}),
    Case("both on one line", lambda d: d.replace("q3", f"{LABEL} {CHOICE}\n\n**Explanation**: {WHY}", f"{LABEL} B. **Explanation**: {TEXT}"), {"q3": "B", "q3.why": TEXT}),
    Case("both in a new cell", lambda d: d.below("q3", f"**Answer:** B\n\n**Explanation:** {TEXT}"), {"q3": "B", "q3.why": TEXT}),
    Case("both in a new cell, labels deleted", lambda d: (d.replace("q3", f"{LABEL} {CHOICE}\n\n**Explanation**: {WHY}", ""), d.below("q3", f"B\n\n{TEXT}")), {"q3": "B", "q3.why": TEXT}),
    Case("the letter in a new cell", lambda d: d.below("q3", "B"), {"q3": "B"}),
    Case("the letter in a new code cell", lambda d: d.below("q3", "B", CODE), {"q3": "B"}),
    Case("a variable in a new code cell", lambda d: d.below("q3", "q3 = 'B'", CODE), {"q3": "B"}),
    Case("a variable and its print in a new code cell", lambda d: d.below("q3", "answer_q3 = 'B'\nprint(answer_q3)", CODE), {"q3": "B"}),
    Case("variables in the last code cell", lambda d: d.append("q3 = 'B'\nq6 = 'C'", CODE), {"q3": "B", "q6": "C"}),
    Case("a letter in a circle", _cell_text("q3", "Ⓑ"), {"q3": "Ⓑ"}),
    Case("a letter as an emoji", _cell_text("q3", "🅱️"), {"q3": "🅱️"}),
    Case("all options copied behind the explanation", lambda d: d.replace("q3", WHY, f"\n{OPTIONS}"), {"q3.why": OPTIONS}),
    Case("both on one line at the end", lambda d: d.append("Q3: B, Q6: C"), {"q3": "B", "q6": "C"}),
    Case("the explanation in a new cell", lambda d: (d.answer("q3", "B"), d.below("q3", TEXT)), {"q3": "B", "q3.why": TEXT}),
    Case("because", _cell_text("q3", "B because the gap is large"), {"q3": "B because the gap is large", "q3.why": "because the gap is large"}),
    Case("a reason behind the letter", _cell_text("q3", f"B. {TEXT}"), {"q3": f"B. {TEXT}", "q3.why": TEXT}),
    Case("label without its colon", _choice("q3", "**Your Answer** B"), {"q3": "B"}),
    Case("an option in bold", _mark("B) The model is overfitting", "**B) The model is overfitting**"), {"q3": "B) The model is overfitting"}),
    Case("an option in HTML bold", _mark("B) The model is overfitting", "<b>B) The model is overfitting</b>"), {"q3": "B) The model is overfitting"}),
    Case("an option ticked", _mark("B) The", "[x] B) The"), {"q3": "B) The model is overfitting"}),
    Case("an option with an arrow", _mark("overfitting\n", "overfitting <-- my answer\n"), {"q3": "B) The model is overfitting"}),
    Case("the other options struck out", lambda d: [_mark(o, f"~~{o}~~", 2)(d) for o in OPTIONS.split("\n") if o[0] != "B"], {"q3": "B) The model is overfitting"}),
    Case("the other options deleted", lambda d: d.drop_lines("q3", r"^[ACD]\)"), {"q3": "B) The model is overfitting"}),
    Case("all options in bold", lambda d: [_mark(o, f"**{o}**", 2)(d) for o in OPTIONS.split("\n")], {}),
    Case("one list of options deleted", lambda d: d.replace("q3", f"{OPTIONS}\n\n{OPTIONS}", OPTIONS), {}),
    Case("an option misspelt", _mark("The model needs more training", "The model needs more trainig"), {}),
    Case("options as a list", lambda d: d.rewrite("q3", lambda s: s.replace("A)", "- A)").replace("B)", "- B)")), {}),
    Case("question's heading with the letter", lambda d: d.append("Q3: B\n\nQ6: C"), {"q3": "B", "q6": "C"}),
]  # fmt: skip

NOTHING = [
    Case("untouched", lambda d: None, {}),
    Case("only the ids gone", lambda d: d.without_ids(), {}),
    Case("an own title at the top", lambda d: d.cells.insert(0, type(d.cells[0])(CellKind.MARKDOWN, "# Ada, 1815")), {}),
    Case("reordered and unanswered", _reverse_questions, {}),
    Case("merged and unanswered", lambda d: d.merge(*QUESTIONS), {}),
    Case("an empty cell below", lambda d: d.below("q1", "  \n"), {}),
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", SHORT_ANSWERS + CHOICES + NOTHING, ids=lambda case: case.name)
def test_answers_are_found_where_students_write_them(case: Case, layout: str) -> None:
    made = draft(layout)
    case.change(made)
    answers = align(made.build(), template(layout), PARTS).answers
    found = {key: answer.text for key, answer in answers.items() if answer.text}
    found |= {f"{key}.why": answer.explanation for key, answer in answers.items() if answer.explanation}
    assert found == case.found
    for key, answer in answers.items():
        assert (answer.state is AnswerState.ANSWERED) == (key in case.found)
        assert (answer.explanation_state is AnswerState.ANSWERED) == (f"{key}.why" in case.found)
        assert bool(answer.cells) == bool(answer.text or answer.explanation) or key == "ex1"


def test_all_answers_behind_all_prompts_are_mapped_by_their_order() -> None:
    made = draft()
    _answers_behind_all_prompts(made)
    answers = align(made.build(), template(), PARTS).answers
    wanted = {key: f"The answer to number {key[1:]} of them." for key in QUESTIONS} | {"q3": "B", "q6": "B"}
    assert {key: answers[key].text for key in QUESTIONS} == wanted
    assert all(answers[key].confidence < 0.7 for key in QUESTIONS)
