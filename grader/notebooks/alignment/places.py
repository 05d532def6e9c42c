"""Walk through a submission and lay every line of the student's down at the place where it was written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from rapidfuzz import fuzz

from grader.domain.rubric import PartKind
from grader.notebooks.alignment.choices import is_option_line
from grader.notebooks.alignment.headings import Heading, find_heading
from grader.notebooks.alignment.labels import Label, Labelled, find_label
from grader.notebooks.alignment.matching import Match, ReadCell
from grader.notebooks.alignment.pieces import Piece, PieceKind, Place, Zone
from grader.notebooks.alignment.prompts import Owner, PromptLine, Template
from grader.notebooks.alignment.words import has_words, make_line

_FEWEST_IDS = 2  # cells whose content agrees with their id, before ids are believed
_FEWEST_WORDS_IN_CODE = 3
_BY_ID = 0.7  # confidence
_BY_OWN_HEADING = 0.8
_HEADING_WITHIN = re.compile(r"\bQ(?:uestion)? ?\d{1,2}[:.)=–-]", re.IGNORECASE)
_FEW_CHARACTERS = 2000  # of a line that names several headings
_HEADING_CHARACTERS = 200  # in which a heading's words stand
_MOST_HEADINGS = 20  # in one line


def find_places(cells: Sequence[ReadCell], template: Template) -> list[Place]:
    """All places in the notebook's order.

    Headings in a student's own style ("Q3:") are believed in a second walk, and only for parts that the
    template's own words did not lead to an answer: they may as well number sub-questions.
    """
    places = _walk(cells, template, frozenset())
    if any(match.heading and match.heading.is_plain for cell in cells for match in cell.matches):
        answered = {place.part for place in places if place.own}
        unanswered = frozenset(part.key for part in template.parts if part.key not in answered)
        places = _walk(cells, template, unanswered) if unanswered else places
    return places


def _walk(cells: Sequence[ReadCell], template: Template, believed: frozenset[str]) -> list[Place]:
    walk = _Walk(template, believed, trust_ids=_ids_agree(cells, template))
    for cell in cells:
        if cell.is_text:
            walk.take_text(cell)
        else:
            walk.take_code(cell)
    return walk.places


def _ids_agree(cells: Iterable[ReadCell], template: Template) -> bool:
    """Whether ids may be believed: where content tells a cell's part, its id must tell the same."""
    agreeing = 0
    for cell in cells:
        told = template.owners_of_ids.get(cell.cell.id or "")
        if told is None or not cell.owners:
            continue
        if told not in cell.owners:
            return False
        agreeing += 1
    return agreeing >= _FEWEST_IDS


class _Walk:
    def __init__(self, template: Template, believed: frozenset[str], *, trust_ids: bool) -> None:
        self._template = template
        self._believed = believed
        self._trust_ids = trust_ids
        self._choices = {part.key: part for part in template.parts if part.kind is PartKind.CHOICE}
        self._exercises = {part.key for part in template.parts if part.kind is PartKind.EXERCISE}
        self.places: list[Place] = [Place(None)]

    @property
    def _here(self) -> Place:
        return self.places[-1]

    def _open(self, part: Owner, **known: bool | float) -> None:
        self.places.append(Place(part, **known))  # type: ignore[arg-type]

    # -- text ---------------------------------------------------------------------------------------

    def take_text(self, cell: ReadCell) -> None:
        index = cell.cell.index
        told = self._template.owners_of_ids.get(cell.cell.id or "") if self._trust_ids else None
        if told is not None and not cell.owners and told != self._here.part:
            self._open(told, confidence=_BY_ID)
        if cell.is_code and self._here.part in self._exercises:
            self._here.code_cells.append(index)
        titles = self._count_titles(cell)
        if not titles and (below := self._answered_above(cell)):
            self._open(below)
        for position, match in enumerate(cell.matches):
            if position < titles:
                self._take_title(match, cell)
            else:
                self._take(match, cell)
        self._add(index, PieceKind.GAP)

    def _answered_above(self, cell: ReadCell) -> str | None:
        """The part whose prompt alone stands in this cell, below words that the part before does not need."""
        owners = cell.owners - {None}
        first = next((match for match in cell.matches if match.line.key), None)
        here = self._here
        if len(owners) != 1 or first is None or not first.is_own or here.part in owners:
            return None
        lacks = here.part is not None and not here.has_own
        untouched = any(piece.kind is PieceKind.PLACEHOLDER for piece in here.pieces)
        return None if lacks and not untouched else next(iter(owners))

    def _count_titles(self, cell: ReadCell) -> int:
        """How many lines at a cell's top are a heading that was put in the place of the next part's."""
        for position, match in enumerate(cell.matches):
            if match.owners:
                return position if match.owners[0] not in (None, self._here.part) else 0
            bold = match.line.text.strip().startswith("**") and match.line.text.strip().endswith("**")
            if match.line.key and not ((match.is_own or match.heading) and (match.line.is_heading or bold)):
                return 0
        return 0

    def _take_title(self, match: Match, cell: ReadCell) -> None:
        headings = [line.key for line in self._template.lines.values() if line.is_heading]
        if not match.line.key or any(fuzz.ratio(match.line.key, heading) >= 60 for heading in headings):
            return
        self._open(None, is_title=True)
        self._own(match.line.text, cell.cell.index)

    def _take(self, match: Match, cell: ReadCell) -> None:
        index = cell.cell.index
        if not match.line.key:
            self._add(index, PieceKind.GAP, match.line.text)
        elif match.prompt:
            self._take_prompt(match, match.prompt, index)
        elif match.heading and self._believes(match, cell):
            self._take_heading(match.heading, index)
            self._take_behind_heading(match.heading.rest, index)
        elif match.heading and match.heading.part == self._here.part and self._here.part in self._choices:
            self._own(match.heading.rest, index)  # "Q3: B", below question 3
        elif match.label:
            self._take_label(match.label, match.line.text, index)
        elif self._is_option(match):
            self._add(index, PieceKind.OPTION, match.line.text, match.line.raw)
        else:
            self._own(match.line.text, index)

    def _take_prompt(self, match: Match, prompt: PromptLine, index: int) -> None:
        if match.owners and match.owners[0] != self._here.part:
            self._open(match.owners[0])
        here = self._here
        if match.continues:
            return
        if here.part not in prompt.counts:
            label = find_label(match.line, self._template.labels) if here.part in self._choices else None
            if label:
                self._take_label(label, match.line.text, index)
            elif here.part is not None:
                self._own(match.line.text, index)
            return
        is_option = here.part in self._choices and prompt.key in self._template.options[here.part]
        if here.consumed[prompt.key] >= prompt.counts[here.part] and here.part is not None:
            if prompt.is_heading and match.owners:
                self._open(here.part)
                here = self._here
            elif is_option:
                self._own(match.line.text, index)
                return
            else:
                self._add(index, PieceKind.QUOTE, match.line.text)
                self._own(match.rest, index)
                return
        here.consumed[prompt.key] += 1
        here.has_heading |= prompt.is_heading
        if is_option:
            self._add(index, PieceKind.OPTION, match.line.text, match.line.raw)
        self._own(match.rest, index)

    def _believes(self, match: Match, cell: ReadCell) -> bool:
        if match.heading is None or not match.heading.is_plain:
            return True
        if match.heading.part not in self._believed:
            return False
        if match.line.is_heading:
            return True
        # Behind a part's own words or label in the same cell, it rather numbers a sub-question.
        others = cell.owners - {match.heading.part, None}
        return not others and (self._here.part is None or self._here.answer_cell != match.line.cell)

    def _take_heading(self, heading: Heading, index: int) -> None:
        here = self._here
        if here.part != heading.part or here.has_own or here.answer_cell not in (None, index):
            self._open(heading.part, confidence=_BY_OWN_HEADING if heading.is_plain else 1.0)
        self._here.has_heading = True

    def _take_behind_heading(self, rest: str, index: int) -> None:
        for _ in range(_MOST_HEADINGS):
            following = self._find_heading_within(rest, index)
            if following is None:
                break
            start, heading = following
            self._own(rest[:start].rstrip(" ,;|/"), index)
            self._take_heading(heading, index)
            rest = heading.rest
        if not rest:
            return
        label = find_label(make_line(index, rest), self._template.labels)
        if label:
            self._take_label(label, rest, index)
        else:
            self._own(rest, index)

    def _find_heading_within(self, rest: str, index: int) -> tuple[int, Heading] | None:
        """The next heading that is named further on in a line, and where: "Q3: B, Q6: B"."""
        for another in islice(_HEADING_WITHIN.finditer(rest[:_FEW_CHARACTERS]), _MOST_HEADINGS):
            text = rest[another.start() :]
            line = replace(make_line(index, text[:_HEADING_CHARACTERS]), text=text)
            heading = find_heading(line, self._template.names)
            if heading and heading.part in self._believed and heading.part != self._here.part:
                return another.start(), heading
        return None

    def _take_label(self, label: Labelled, text: str, index: int) -> None:
        here = self._here
        if label.label is Label.EXPLANATION:
            if here.part in self._choices or here.part is None:
                here.zone, here.explanation_cell = Zone.EXPLANATION, index
                self._own(label.rest, index)
            elif label.rest:
                self._own(text, index)
            return
        repeated = here.answer_cell is not None and (
            here.answer_cell != index or here.zone is Zone.EXPLANATION
        )
        if here.part is None or here.part in self._exercises or repeated:
            self._open(here.part, is_extra=here.part is not None, confidence=here.confidence)
            here = self._here
        here.zone, here.answer_cell = Zone.ANSWER, index
        self._own(label.rest, index)

    def _is_option(self, match: Match) -> bool:
        part = self._choices.get(self._here.part or "")
        return part is not None and self._here.zone is Zone.BEFORE_LABEL and is_option_line(match.line, part)

    def _own(self, text: str, index: int) -> None:
        rest, found = self._template.placeholders.take_off(text)
        if found:
            self._add(index, PieceKind.PLACEHOLDER)
        if has_words(rest):
            self._add(index, PieceKind.OWN, rest)
        elif rest.strip():
            self._add(index, PieceKind.GAP, rest)

    def _add(self, index: int, kind: PieceKind, text: str = "", raw: str = "") -> None:
        pieces = self._here.pieces
        if kind is PieceKind.GAP and not text.strip() and pieces and pieces[-1].kind is kind:
            return
        pieces.append(Piece(index, kind, self._here.zone, text, raw))
        self._here.has_own |= kind is PieceKind.OWN

    # -- code ---------------------------------------------------------------------------------------

    def take_code(self, cell: ReadCell) -> None:
        index = cell.cell.index
        here = self._here
        exercise = here.part if here.part in self._exercises else cell.exercise
        if exercise is None:
            here.asides.extend(self._read_comments(cell, here))
            return
        if here.part == exercise:
            place = here
        elif here.part is None:
            self._open(exercise)
            place = self._here
        else:  # code that was moved to another part: what follows it still belongs to that part
            place = Place(exercise)
            self.places.insert(-1, place)
        if cell.cell.source.strip():
            place.code_cells.append(index)
        comments = list(self._read_comments(cell, place))
        place.pieces.extend(comments)
        place.has_own |= bool(comments)

    def _read_comments(self, cell: ReadCell, place: Place) -> Iterator[Piece]:
        """A word or two is an answer behind a question or label, and beside a multiple choice."""
        answers = place.part in self._choices
        for match in cell.matches:
            text = match.line.text
            if match.prompt:
                place.consumed[match.prompt.key] += 1
                text, answers = match.rest, True
            elif match.label:
                text, answers = match.label.rest, True
            said = answers or len(text.split()) >= _FEWEST_WORDS_IN_CODE
            if said and has_words(text):
                yield Piece(match.line.cell, PieceKind.OWN, Zone.ANSWER, text)
