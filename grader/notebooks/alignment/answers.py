"""From the places of one part to its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.domain.answers import Answer, AnswerState, Candidate
from grader.domain.rubric import Part, PartKind
from grader.notebooks.alignment.choices import find_marked, find_option, names_an_option, split_lists
from grader.notebooks.alignment.pieces import Piece, PieceKind, Place, Zone
from grader.notebooks.alignment.words import has_words, make_key

EXCERPT = 300  # characters
_RULE = re.compile(r"[\s\-*_=#>]*\Z")
_EXPLAINS = re.compile(
    r"[*_]{0,3}\b(?:(?:my|your) )?(?:explanation|reason(?:ing)?|justification|rationale)[*_]{0,3}:[*_]{0,3}",
    re.IGNORECASE,
)
_BECAUSE = re.compile(r"\b(?:because|since|due to)\b", re.IGNORECASE)
_LETTER = re.compile(r"[\s*_(]{0,4}([A-Za-z])[\s*_]{0,3}[).:,;–—-][\s*_]{0,3}")
_FEWEST_WORDS_OF_A_REASON = 5
_FEWEST_WORDS_IN_CODE = 3
_ASIDE_CONFIDENCE = 0.6
_COMPARED = 3000  # characters of a text; longer ones are compared as they are
_MOST_COMPARED = 20  # texts of one part; beyond that only equal ones are one


@dataclass(frozen=True, slots=True)
class Reading:
    """What one place says."""

    text: str
    explanation: str
    state: AnswerState
    explanation_state: AnswerState
    cells: frozenset[int]
    confidence: float


def build_answer(part: Part, places: Sequence[Place]) -> Answer:
    """One part's answer out of all the places that claim to be it."""
    if not places:
        return Answer(part.key, AnswerState.MISSING, explanation_state=AnswerState.MISSING, confidence=0.0)
    if part.kind is PartKind.EXERCISE:
        return _build_exercise(part, places)
    readings = [_read_place(part, place) for place in places]
    texts = _distinct(reading.text for reading in readings)
    explanations = _distinct(reading.explanation for reading in readings)
    telling = [r for r in readings if r.text or r.explanation] or readings
    candidates = tuple(
        Candidate(min(r.cells), r.text[:EXCERPT], round(r.confidence, 2))
        for r in readings
        if r.text and r.cells
    )
    return Answer(
        part=part.key,
        state=_join_states(texts, [reading.state for reading in readings]),
        text="\n\n".join(texts),
        explanation="\n\n".join(explanations),
        explanation_state=_join_states(explanations, [reading.explanation_state for reading in readings]),
        cells=tuple(sorted(frozenset[int]().union(*(reading.cells for reading in telling)))),
        confidence=round(min(reading.confidence for reading in telling), 2),
        candidates=candidates if len(texts) > 1 else (),
    )


def join_pieces(pieces: Iterable[Piece]) -> str:
    """Lines as one text: outer empty lines and rules off, inner ones single, brackets around it off."""
    lines: list[str] = []
    for piece in pieces:
        text = piece.text.rstrip()
        if text or (lines and lines[-1]):
            lines.append(text)
    while lines and _RULE.match(lines[-1]):
        lines.pop()
    start = next((at for at, line in enumerate(lines) if not _RULE.match(line)), len(lines))
    text = "\n".join(lines[start:]).strip()
    if text.startswith("[") and text.endswith("]") and text.count("[") == 1 == text.count("]"):
        text = text[1:-1].strip()
    return text if has_words(text) else ""


def _distinct(texts: Iterable[str]) -> list[str]:
    """Texts that say something of their own: a copy, or a part of another one, does not."""
    found: dict[str, str] = {}  # by what is compared
    for text in texts:
        key = f" {make_key(text)} " if len(text) <= _COMPARED else text
        if not text or key in found:
            continue
        if len(found) < _MOST_COMPARED:
            if any(key in other for other in found):
                continue
            found = {other: old for other, old in found.items() if other not in key}
        found[key] = text
    return list(found.values())


def _join_states(texts: Sequence[str], states: Sequence[AnswerState]) -> AnswerState:
    if texts:
        return AnswerState.ANSWERED if len(texts) == 1 else AnswerState.AMBIGUOUS
    return AnswerState.PLACEHOLDER if AnswerState.PLACEHOLDER in states else AnswerState.BLANK


def _read_place(part: Part, place: Place) -> Reading:
    explains = any(piece.zone is Zone.EXPLANATION for piece in place.own)
    pieces = [
        piece
        for piece in place.pieces
        if piece.kind is not PieceKind.QUOTE or (piece.zone is Zone.EXPLANATION and not explains)
    ]
    confidence = place.confidence if place.has_heading or place.confidence < 1 else 0.9
    if not place.own and place.asides:
        pieces, confidence = place.asides, _ASIDE_CONFIDENCE
    elif not place.own and len(pieces) < len(place.pieces):
        pieces = place.pieces
        confidence = _ASIDE_CONFIDENCE
    if part.kind is PartKind.CHOICE:
        text, explanation = _read_choice(part, place, pieces)
    else:
        text, explanation = join_pieces(p for p in pieces if p.kind is not PieceKind.OPTION), ""
    kept = [p for p in pieces if p.kind is PieceKind.PLACEHOLDER]
    behind = [p for p in kept if p.zone is Zone.EXPLANATION]
    return Reading(
        text=text,
        explanation=explanation,
        state=_state_of(text, len(kept) > len(behind)),
        explanation_state=_state_of(explanation, bool(behind)),
        cells=frozenset(p.cell for p in pieces if p.kind in (PieceKind.OWN, PieceKind.QUOTE))
        or frozenset(p.cell for p in pieces if text and p.kind is PieceKind.OPTION),
        confidence=confidence,
    )


def _state_of(text: str, has_placeholder: bool) -> AnswerState:
    if text:
        return AnswerState.ANSWERED
    return AnswerState.PLACEHOLDER if has_placeholder else AnswerState.BLANK


def _read_choice(part: Part, place: Place, pieces: Sequence[Piece]) -> tuple[str, str]:
    options = [piece for piece in pieces if piece.kind is not PieceKind.GAP]
    numbered = [(at, piece.raw) for at, piece in enumerate(options) if piece.kind is PieceKind.OPTION]
    lists, alone = split_lists(numbered, part)
    written = {id(options[at]) for at in alone}
    answer: list[Piece] = []
    explanation: list[Piece] = []
    for piece in pieces:
        if piece.kind is PieceKind.PLACEHOLDER or (
            piece.kind is PieceKind.OPTION and id(piece) not in written
        ):
            continue
        (explanation if piece.zone is Zone.EXPLANATION else answer).append(piece)
    text, why = join_pieces(answer), join_pieces(explanation)
    if not text and why:
        text, why = _choose_first_line(part, why)
    if not text:
        text = "\n".join(f"{letter}) {part.options[letter]}" for letter in find_marked(lists, part))
    return _split_explanation(part, text, why, has_label=place.explanation_cell is not None)


def _choose_first_line(part: Part, why: str) -> tuple[str, str]:
    """Behind "Explanation", where nothing stands before it, the choice itself may stand."""
    lines = why.splitlines()
    naming = [at for at, line in enumerate(lines) if names_an_option(line, part)]
    if not naming or len({option[0] for line in lines if (option := find_option(line, part))}) > 1:
        return "", why  # the first of several options is no choice
    chosen = naming[0]
    if set(make_key(lines[chosen]).split()) - {letter.casefold() for letter in part.options}:
        return lines[chosen], why  # "D is wrong", an option's own words: it may be meant for either
    return lines[chosen], "\n".join(lines[:chosen] + lines[chosen + 1 :]).strip()


def _split_explanation(part: Part, text: str, why: str, *, has_label: bool) -> tuple[str, str]:
    if why or not text:
        return text, why
    label = _EXPLAINS.search(text)
    if label:
        return text[: label.start()].strip(" .;,\n"), text[label.end() :].strip()
    first, _, rest = text.partition("\n")
    if rest and not has_label and names_an_option(first, part) and not names_an_option(rest, part):
        return first.strip(), rest.strip()
    reason = _BECAUSE.search(text)
    return text, text[reason.start() :].strip() if reason else _behind_letter(part, text)


def _behind_letter(part: Part, text: str) -> str:
    """A sentence behind the letter, if it is not the option's own."""
    letter = _LETTER.match(text)
    if letter is None or letter[1].upper() not in part.options:
        return ""
    rest = text[letter.end() :].strip()
    is_sentence = len(rest.split()) >= _FEWEST_WORDS_OF_A_REASON
    return (
        rest
        if is_sentence
        and not names_an_option(rest, part)
        and find_option(text.partition("\n")[0], part) is None
        else ""
    )


def _build_exercise(part: Part, places: Sequence[Place]) -> Answer:
    texts = _distinct(join_pieces(p for p in place.pieces if p.kind in _OBSERVED) for place in places)
    text = "\n\n".join(texts)
    printed = any(place.consumed for place in places)
    code = {cell for place in places for cell in place.code_cells}
    words = {piece.cell for place in places for piece in place.own}
    only_comments = words <= code
    # A word or two that code prints is no observation; in a text cell or behind a question it may be one.
    observes = not only_comments or any(
        piece.zone is Zone.ANSWER or len(piece.text.split()) >= _FEWEST_WORDS_IN_CODE
        for place in places
        for piece in place.own
    )
    text = text if observes else ""
    return Answer(
        part=part.key,
        state=_state_of(text, printed and bool(code)),
        text=text,
        cells=tuple(sorted(code | words)),
        confidence=0.7 if only_comments and text else 1.0,
    )


_OBSERVED = (PieceKind.OWN, PieceKind.GAP)
