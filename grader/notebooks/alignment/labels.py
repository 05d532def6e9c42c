"""Labels of answers and explanations: the template's, and those that students put in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from grader.notebooks.alignment.words import Line, make_key


class Label(Enum):
    """What a label announces."""

    ANSWER = "answer"
    EXPLANATION = "explanation"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line that begins with a label."""

    label: Label
    rest: str  # what stands behind it on the line


_WHOSE = ("", "your ", "my ", "the ", "our ", "final ", "short ", "student ", "my final ", "your final ")
_ANSWER_WORDS = ("answer", "answers", "ans", "response", "solution", "choice", "anwser", "awnser", "reply")
_EXPLANATION_WORDS = (
    "explanation",
    "explanations",
    "explain",
    "reason",
    "reasoning",
    "justification",
    "rationale",
)
_KNOWN: dict[str, Label] = {
    **{whose + word: Label.ANSWER for whose in _WHOSE for word in _ANSWER_WORDS},
    **{
        whose + word: Label.EXPLANATION
        for whose in _WHOSE
        for word in (*_EXPLANATION_WORDS, "why", "because")
    },
    **dict.fromkeys(
        ("antwort", "meine antwort", "deine antwort", "ihre antwort", "réponse", "ma réponse"), Label.ANSWER
    ),
    **dict.fromkeys(
        ("votre réponse", "respuesta", "mi respuesta", "tu respuesta", "risposta", "resposta"), Label.ANSWER
    ),
    **dict.fromkeys(
        ("antwoord", "cevap", "odpowiedź", "ответ", "мой ответ", "答案", "回答", "答え", "답"), Label.ANSWER
    ),
    **dict.fromkeys(
        ("erklärung", "begründung", "explication", "explicación", "spiegazione"), Label.EXPLANATION
    ),
    **dict.fromkeys(
        ("explicação", "uitleg", "açıklama", "объяснение", "解释", "说明", "説明", "설명"), Label.EXPLANATION
    ),
}
_MOST_WORDS = 4  # of a label
_HEAD = re.compile(
    r"(?P<before>[\s#>*_\-+]{0,12})(?P<words>[^:：=\n]{1,60}?)(?P<colon>\s{0,4}(?:[:：=]|-{1,2}>|→|[–—-](?=\s)))"
)
_BOLD = re.compile(r"\s{0,4}(\*\*|__)([^*_:\n]{1,60})\1 {1,4}(?=[^\W_]|\*|\[)")  # a label without a colon
_IN_PARENTHESES = re.compile(r"\([^()]{0,60}\)")
_SPEAKS_ALONE = re.compile(r"[\s#>*_]*[^\W_][^.,;!?]{0,40}[*_\s]*\Z")


def find_label(line: Line, own: Mapping[str, Label]) -> Labelled | None:
    """The label a line begins with: one of the template's (`own`) or one that students put in its place."""
    words, text = line.key.split(" ", _MOST_WORDS)[:_MOST_WORDS], line.text
    begun = (" ".join(words[:length]) for length in range(1, len(words) + 1))
    if not any(key in own or key in _KNOWN for key in begun):
        return None
    bold = _BOLD.match(text)
    if bold and (label := own.get(make_key(bold[2])) or _KNOWN.get(make_key(bold[2]))):
        return Labelled(label, text[bold.end() :].strip())
    head = _HEAD.match(text[:120])
    if head is None:
        whole = make_key(text[:80])
        label = own.get(whole) or _KNOWN.get(whole)
        is_short = len(text) < 60 and label is not None and whole not in {"why", "because", "choice"}
        return Labelled(label, "") if label and is_short and _SPEAKS_ALONE.match(text) else None
    key = make_key(_IN_PARENTHESES.sub("", head["words"]))
    label = own.get(key) or _KNOWN.get(key)
    if label is None:
        return None
    rest = text[head.end() :]
    if head["before"].strip(" #>-+\t") and not head["words"].endswith(("*", "_")):
        rest = _close(rest.strip(), head["before"].strip(" #>-+\t"))
    return Labelled(label, rest.strip())


def first_words_of_labels(own: Mapping[str, Label]) -> set[str]:
    """Words that a line with a label can begin with."""
    return {key.partition(" ")[0] for key in (*own, *_KNOWN)}


def _close(rest: str, opened: str) -> str:
    """Take off the partner of the stars that were opened before the label."""
    if rest.startswith(opened):
        return rest[len(opened) :]
    return rest[: -len(opened)] if rest.endswith(opened) else rest
