"""Find which words of a submission answer which part of the homework.

By content: the template's headings and prompts are looked for in the submission, wherever they stand now.
What is not the template's is the student's, and belongs to the part whose words stand before it. Cell ids
count only where they agree with the content of other cells; order only where content is silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.domain.answers import Alignment, Answer, AnswerState
from grader.domain.notebook import Notebook
from grader.domain.rubric import Part
from grader.notebooks.alignment.answers import build_answer
from grader.notebooks.alignment.matching import read_cells
from grader.notebooks.alignment.pieces import Place
from grader.notebooks.alignment.places import find_places
from grader.notebooks.alignment.prompts import read_template
from grader.notebooks.alignment.rescue import Closeness, Loose, bring_home, collect_loose, find_candidates


def align(submitted: Notebook, template: Notebook, parts: Sequence[Part]) -> Alignment:
    """Every part's answer, and the student's words that belong to no part. Never raises."""
    taken_apart = read_template(template, parts)
    closeness = Closeness(taken_apart)
    places = find_places(read_cells(submitted, taken_apart), taken_apart)
    places = bring_home(places, taken_apart, closeness)
    loose = collect_loose(places, taken_apart, closeness)
    answers = {part.key: _answer(part, places, loose) for part in parts}
    return Alignment(answers, unmapped=tuple(words.as_candidate() for words in loose))


def _answer(part: Part, places: Sequence[Place], loose: Sequence[Loose]) -> Answer:
    answer = build_answer(part, [place for place in places if place.part == part.key])
    if answer.state is not AnswerState.MISSING:
        return answer
    return replace(answer, candidates=find_candidates(part.key, loose))
