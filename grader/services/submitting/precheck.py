"""What is recognised in an upload before it counts: which cell answers what. Nothing is run or judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.checks.choices.reading import read_choice
from grader.domain.answers import Answer, AnswerState
from grader.domain.notebook import Notebook
from grader.domain.rubric import Part, PartKind, Rubric
from grader.notebooks.alignment.align import align
from grader.notebooks.read import read_notebook

_FIRST_WORDS = 240  # characters
_MOST_UNMAPPED = 20
_EMPTY = (AnswerState.BLANK, AnswerState.PLACEHOLDER)
_CODE = re.compile(r"^[ \t]*[^\s#]", re.MULTILINE)  # a line that is no comment
_LACKING = (
    (
        re.compile(r"google\.colab|drive\.mount\("),
        "uses Google Colab's own tools. They are not there when it is run, and the cell will fail.",
    ),
    (
        re.compile(r"^[ \t]*[!%][ \t]*(?:pip|conda|apt(?:-get)?)\b", re.MULTILINE),
        "installs packages. There is no network when your notebook is run; what the homework needs is there.",
    ),
    (
        re.compile(
            r"^[ \t]*![ \t]*(?:wget|curl|git)\b|requests\.(?:get|post)\(|urlopen\(|urlretrieve\(",
            re.MULTILINE,
        ),
        "fetches something from the network. There is none when it is run; the data set is there.",
    ),
    (
        re.compile(
            r"\b(?:torch\.load|np\.load|numpy\.load|read_csv|Image\.open|imread|load_state_dict_from_url)\("
        ),
        "loads a file. Only your notebook is uploaded, so a file beside it is not there when it is run.",
    ),
    (
        re.compile(r"(?<![\w.])input\("),
        "asks for input. Nobody can type anything when your notebook is run, and the cell will fail.",
    ),
)


@dataclass(frozen=True, slots=True)
class RecognisedPart:
    """One part of the homework as it was found. Cells are numbered from 1, text cells too."""

    key: str
    heading: str
    title: str
    kind: PartKind
    state: AnswerState  # of an exercise: whether it has code, and other than the template's
    cells: tuple[int, ...]
    code_cells: int  # exercises: how many of them are code
    words: str  # the first ones of the answer, as found
    letter: str  # choices: the letter that was read; "" for none
    note: str  # choices: why no letter was read
    explanation: str  # choices: the first words of the reason
    asks_words: bool  # exercises: whether something is to be written beside the code
    asks_reason: bool  # choices: whether a reason is asked for

    @property
    def needs_a_look(self) -> bool:
        """Whether its student should look again before handing in."""
        lacks_words = self.asks_words and not self.words
        lacks_reason = self.asks_reason and not self.explanation
        return bool(self.state is not AnswerState.ANSWERED or self.note or lacks_words or lacks_reason)


@dataclass(frozen=True, slots=True)
class Recognised:
    """The whole upload."""

    parts: tuple[RecognisedPart, ...]
    warnings: tuple[tuple[int, str], ...]  # the cell's number, and what will go wrong there
    unmapped: tuple[tuple[int, str], ...]  # the cell's number, and words that belong to no part
    cells: int

    @property
    def complete(self) -> int:
        """How many parts are there as a whole."""
        return sum(not part.needs_a_look for part in self.parts)


def recognise(data: bytes, rubric: Rubric, template: bytes) -> Recognised:
    """Look through an upload. Raises `UploadRefused`; it tells nothing of what is right."""
    notebook = read_notebook(data, rubric.upload_limits)
    given = read_notebook(template, rubric.upload_limits)
    alignment = align(notebook, given, rubric.parts)
    untouched = align(given, given, rubric.parts)
    checks = {(item.part, item.check) for item in rubric.items}
    return Recognised(
        tuple(
            _recognise_part(
                part,
                alignment.answers[part.key],
                _list_code(notebook, alignment.answers[part.key]),
                _list_code(given, untouched.answers[part.key]),
                checks,
            )
            for part in rubric.parts
        ),
        tuple(_find_lacking(notebook)),
        tuple(
            (candidate.cell + 1, _shorten(candidate.excerpt))
            for candidate in alignment.unmapped[:_MOST_UNMAPPED]
        ),
        len(notebook.cells),
    )


def _list_code(notebook: Notebook, answer: Answer) -> list[str]:
    cells = [cell.source.strip() for cell in notebook.code_cells if cell.index in answer.cells]
    return [source for source in cells if _CODE.search(source)]


def _judge_code(code: list[str], given: list[str], found: AnswerState) -> AnswerState:
    if not code:  # of comments alone is none
        return found if found is AnswerState.MISSING else AnswerState.BLANK
    return AnswerState.PLACEHOLDER if code == given else AnswerState.ANSWERED


def _recognise_part(
    part: Part, answer: Answer, code: list[str], given: list[str], checks: Iterable[tuple[str, str]]
) -> RecognisedPart:
    is_exercise = part.kind is PartKind.EXERCISE
    state = answer.state
    letter = note = ""
    if is_exercise:
        state = _judge_code(code, given, answer.state)
    elif state is AnswerState.ANSWERED and not answer.text.strip():
        state = AnswerState.BLANK
    if part.kind is PartKind.CHOICE and answer.text.strip() and state is AnswerState.ANSWERED:
        choice = read_choice(answer.text, part.options)
        letter, note = choice.letter or "", "" if choice.letter else choice.reason
        explanation = answer.explanation or choice.rest
    else:
        explanation = answer.explanation
    return RecognisedPart(
        key=part.key,
        heading=part.heading,
        title=part.title,
        kind=part.kind,
        state=state,
        cells=tuple(cell + 1 for cell in answer.cells),
        code_cells=len(code) if is_exercise else 0,
        words=_shorten(answer.text),
        letter=letter,
        note=note,
        explanation=_shorten(explanation) if answer.explanation_state not in _EMPTY or letter else "",
        asks_words=is_exercise and (part.key, "observations") in checks,
        asks_reason=(part.key, "explanation") in checks,
    )


def _find_lacking(notebook: Notebook) -> Iterator[tuple[int, str]]:
    for cell in notebook.code_cells:
        for pattern, told in _LACKING:
            if pattern.search(cell.source):
                yield cell.index + 1, told


def _shorten(text: str) -> str:
    words = " ".join(text[: 4 * _FIRST_WORDS].split())
    return words if len(words) <= _FIRST_WORDS else f"{words[:_FIRST_WORDS].rsplit(' ', 1)[0]} …"
