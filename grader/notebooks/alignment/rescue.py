"""Bring home what stands at no part's place: by order, and by how close its words are to a prompt's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grader.domain.answers import Candidate
from grader.domain.rubric import PartKind
from grader.notebooks.alignment.answers import EXCERPT, join_pieces
from grader.notebooks.alignment.pieces import Piece, Place
from grader.notebooks.alignment.prompts import Template
from grader.notebooks.alignment.words import make_key

_BY_ORDER = 0.6  # confidence where one place stands between its neighbours
_BY_ORDER_SEVERAL = 0.5
_BY_WORDS = 0.6
_FEWEST_WORDS = 4  # of an unlabelled text that order alone may map
_FEWEST_SHARED_WORDS = 6  # fewer make a text less close than their share says
_CLOSE = 0.6
_MARGIN = 0.3
_MOST_CANDIDATES = 3
_COMPARED_CHARACTERS = 3000


class Closeness:
    """How close a text is to each part's prompt, by the words that only few parts use."""

    def __init__(self, template: Template) -> None:
        self._parts = {key: {w for w in words if len(w) >= 4} for key, words in template.words.items()}
        every = [word for words in self._parts.values() for word in words]
        self._weights = {word: 1 / every.count(word) for word in set(every)}

    def scores(self, text: str) -> dict[str, float]:
        """For each part 0..1; 0 where the text shares no word with the part's prompt."""
        words = set(make_key(text[:_COMPARED_CHARACTERS]).split()) & self._weights.keys()
        total = sum(self._weights[word] for word in words)
        found: dict[str, float] = {}
        for part, prompt in self._parts.items():
            shared = words & prompt
            certainty = min(1.0, len(shared) / _FEWEST_SHARED_WORDS)
            found[part] = (
                round(certainty * sum(self._weights[w] for w in shared) / total, 3) if shared else 0.0
            )
        return found


def bring_home(places: list[Place], template: Template, closeness: Closeness) -> list[Place]:
    """The places; what was extra or nobody's is given to parts that lack an answer, where one can tell.

    A part keeps what the template's words gave it.
    """
    rescue = _Rescue(list(places), template, closeness)
    rescue.hand_out_extra_places()
    rescue.hand_out_by_order()
    rescue.hand_out_by_words()
    rescue.split_trailing_cells()
    return rescue.places


class _Rescue:
    def __init__(self, places: list[Place], template: Template, closeness: Closeness) -> None:
        self.places = places
        self._closeness = closeness
        self._order = [part.key for part in template.parts]
        self._questions = [part.key for part in template.parts if part.kind is not PartKind.EXERCISE]

    def _missing(self) -> list[str]:
        found = {place.part for place in self.places}
        return [key for key in self._questions if key not in found]

    def _loose(self) -> list[int]:
        return [at for at, p in enumerate(self.places) if p.part is None and p.own and not p.is_title]

    def _give(self, at: int, part: str, confidence: float) -> None:
        place = self.places[at]
        place.part, place.is_extra = part, False
        place.confidence = min(place.confidence, confidence)

    def hand_out_extra_places(self) -> None:
        """A part with several labels: the others may be of parts whose prompt stands before, or is gone."""
        for part in self._order:
            extra = [at for at, p in enumerate(self.places) if p.part == part and p.is_extra and p.own]
            if not extra:
                continue
            first = next(
                (at for at, p in enumerate(self.places) if p.part == part and not p.is_extra), extra[0]
            )
            before = self._unlabelled_before(first)
            following = self._missing_after(part)
            if before and len(before) == len(extra) and self.places[first].answer_cell is not None:
                self._shift(first, extra, [*before, part])
            elif following and len(following) == len(extra):
                for at, key in zip(extra, following, strict=True):
                    self._give(at, key, _BY_ORDER if len(extra) == 1 else _BY_ORDER_SEVERAL)
            elif following and part not in self._questions:
                for at in extra:
                    self.places[at].part = None

    def _shift(self, first: int, extra: Sequence[int], parts: Sequence[str]) -> None:
        """All prompts stand together and all answers behind them: the first answer is the first prompt's."""
        place = self.places[first]
        moved = replace(
            place, pieces=[p for p in place.pieces if p.cell >= (place.answer_cell or 0)], part=None
        )
        place.pieces, place.answer_cell = [], None
        self.places.insert(first + 1, moved)
        for at, key in zip([first + 1, *(at + 1 for at in extra)], parts, strict=True):
            self._give(at, key, _BY_ORDER_SEVERAL)

    def _unlabelled_before(self, first: int) -> list[str]:
        found: list[str] = []
        for place in reversed(self.places[:first]):
            if place.part not in self._questions or place.answer_cell is not None or place.own:
                break
            if place.part not in found:
                found.append(place.part)
        return found[::-1]

    def _missing_after(self, part: str) -> list[str]:
        missing = self._missing()
        found: list[str] = []
        for key in self._order[self._order.index(part) + 1 :]:
            if key not in missing:
                break
            found.append(key)
        return found

    def hand_out_by_order(self) -> None:
        """As many nobody's texts between two parts as parts are missing between them: in their order."""
        missing = self._missing()
        for run in self._runs(missing):
            before = [key for key in self._order[: self._order.index(run[0])] if key not in missing]
            after = [key for key in self._order[self._order.index(run[-1]) + 1 :] if key not in missing]
            start = max(
                (at for at, p in enumerate(self.places) if before and p.part == before[-1]), default=-1
            )
            end = min((at for at, p in enumerate(self.places) if after and p.part == after[0]), default=None)
            between = [at for at in self._loose() if at > start and (end is None or at < end)]
            labelled = [at for at in between if self.places[at].answer_cell is not None]
            chosen = labelled or [at for at in between if self._words(at) >= _FEWEST_WORDS]
            bounded = bool(labelled) or (start >= 0 and end is not None)
            if len(chosen) == len(run) and bounded:
                for at, key in zip(chosen, run, strict=True):
                    self._give(at, key, _BY_ORDER if len(run) == 1 else _BY_ORDER_SEVERAL)

    def _runs(self, missing: Sequence[str]) -> list[list[str]]:
        runs: list[list[str]] = []
        for key in missing:
            if runs and self._order.index(key) == self._order.index(runs[-1][-1]) + 1:
                runs[-1].append(key)
            else:
                runs.append([key])
        return runs

    def _words(self, at: int) -> int:
        return len(join_pieces(self.places[at].own).split())

    def hand_out_by_words(self) -> None:
        """A text whose words are clearly one missing part's and no other's."""
        missing = self._missing()
        for at in self._loose():
            text = join_pieces(self.places[at].own)
            close = self._closeness.scores(text)
            scores = sorted(((close[key], key) for key in self._questions), reverse=True)
            if not scores:
                return  # an assignment without questions
            (best, key), second = scores[0], scores[1][0] if len(scores) > 1 else 0.0
            if key in missing and best >= _CLOSE and best - second >= _MARGIN:
                self._give(at, key, _BY_WORDS)
                missing.remove(key)

    def split_trailing_cells(self) -> None:
        """A cell behind an answered part may answer the next one, whose own words were all deleted."""
        for key in self._missing():
            before = self._order[self._order.index(key) - 1] if self._order.index(key) else None
            at = max((at for at, p in enumerate(self.places) if p.part == before and p.own), default=None)
            if before is None or at is None:
                continue
            place = self.places[at]
            cells = sorted({piece.cell for piece in place.own})
            trailing = [piece for piece in place.pieces if piece.cell == cells[-1]]
            text = join_pieces(trailing)
            close = self._closeness.scores(text)
            if len(cells) > 1 and close[key] - close[before] >= _MARGIN:
                place.pieces = [piece for piece in place.pieces if piece.cell != cells[-1]]
                self.places.insert(at + 1, Place(key, pieces=trailing, confidence=_BY_ORDER_SEVERAL))


@dataclass(frozen=True, slots=True)
class Loose:
    """One cell's words that belong to no part."""

    cell: int
    text: str
    scores: Mapping[str, float]  # how close to each part

    def as_candidate(self, part: str | None = None) -> Candidate:
        """For one part, or for whichever is closest."""
        score = self.scores[part] if part else max(self.scores.values(), default=0.0)
        return Candidate(self.cell, self.text[:EXCERPT], score)


def collect_loose(places: Sequence[Place], template: Template, closeness: Closeness) -> list[Loose]:
    """All words that belong to no part, by cell; comments beside code only where questions stand before."""
    by_cell: dict[int, list[Piece]] = {}
    questions = {part.key for part in template.parts if part.kind is not PartKind.EXERCISE}
    is_asked = False
    for place in places:
        is_asked = is_asked or place.part in questions
        if place.part is None:
            for piece in place.own + (place.asides if is_asked else []):
                by_cell.setdefault(piece.cell, []).append(piece)
    texts = {cell: join_pieces(pieces) for cell, pieces in by_cell.items()}
    return [Loose(cell, text, closeness.scores(text)) for cell, text in texts.items()]


def find_candidates(part: str, loose: Sequence[Loose]) -> tuple[Candidate, ...]:
    """What might be this part's answer, the likeliest first."""
    likeliest = sorted(loose, key=lambda words: -words.scores[part])[:_MOST_CANDIDATES]
    return tuple(words.as_candidate(part) for words in likeliest)
