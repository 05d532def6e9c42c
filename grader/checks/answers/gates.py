"""What an answer must pass to be taken for an ordinary one. No gate gives a zero without a human."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from grader.domain.proposal import Gate

from .lexicon import FUNCTION, LARGE, OTHER_LANGUAGES, POLAR, SMALL
from .parts import MOST_CHARACTERS, Piece, take_words
from .words import Word, generic_stems, groups_of, split_words

_FEWEST_WORDS = 4
_KEYWORDS_FROM = 6  # words; fewer may be a terse answer
_MOST_FUNCTION_WORDS = 0.1  # of a list of terms
_FEWEST_TO_JUDGE = 15  # words of an answer that may be in strange terms
_LONG_WORD = 8  # letters; everyday words that the tables do not know are mostly shorter
_MOST_UNFAMILIAR = 0.25  # of the words of content
_COPIED_RUN = 3  # words in the prompt's order
_COPIED_SHARE = 0.75
_LONG_RUN = 6  # words in the prompt's order that nobody writes by chance
_LABELS = frozenset({"hint", "question", "note"})
_DONT_KNOW = re.compile(
    r"\W*(?:(?:sorry|honestly)\W+)?"
    r"(?:(?:i|we) (?:(?:really|honestly|just) )?(?:do ?n[o']?t|did ?n[o']?t|do not|am not|m not|have no) "
    r"(?:really )?(?:know|sure|understand|idea|clue|remember)"
    r"|no (?:idea|clue|answer)|not sure|idk|dunno|todo|tbd|n/?a|none|nothing|skip(?:ped)?|pass|later|xxx+)\b",
    re.IGNORECASE,
)
_BESIDE = 200  # characters
_MOST_BESIDE_IT = 2  # words of content beside "I don't know"; who says more may know something
_STOPS = re.compile(r"[,;:.!?\n()]|\s[-–—]\s")
_FEWEST_TERSE = 3  # words of a clause that may say something, "PCA is linear" without the "is"
_MOST_TERSE = 9
_RELATING = SMALL | LARGE | {"no", "not", "without", "vs", "only", "more", "less"}
_SAYS = re.compile(r"->|[=<>→⇒≈]")
_LAST_LATIN = "\u024f"
_VOWELS = re.compile(r"[aeiouyàáâäãåèéêëìíîïòóôöõùúûü]")
_HARD = re.compile(r"[bcdfghjklmnpqrstvwxz]{5,}")
_FOREIGN = frozenset[str]().union(*OTHER_LANGUAGES.values())
_FEWEST_FOREIGN = 3  # words


def find_gates(text: str, words: Sequence[Word], known: frozenset[str]) -> list[Gate]:
    """The gates that speak of the answer as a whole. ``known`` are the stems of the question."""
    if not words:
        return [Gate.GIBBERISH]
    if (said := _DONT_KNOW.match(text)) and _count_content(
        text[said.end() : said.end() + _BESIDE]
    ) <= _MOST_BESIDE_IT:
        return [Gate.DONT_KNOW]
    found: list[Gate] = []
    if _is_other_language(text):
        found.append(Gate.LANGUAGE)
    elif _is_gibberish(words, known):
        found.append(Gate.GIBBERISH)
    elif _is_list(text, words):
        found.append(Gate.KEYWORDS)
    elif _is_unfamiliar(words, known):
        found.append(Gate.UNFAMILIAR)
    elif len(words) < _FEWEST_WORDS:
        found.append(Gate.SHORT)
    if text[MOST_CHARACTERS:].strip():
        found.append(Gate.LONG)
    return found


def part_copied(
    sentences: Iterable[Piece], prompt: tuple[str, ...], allowed: tuple[str, ...]
) -> tuple[list[Piece], list[Piece]]:
    """What is the student's own, and what is the prompt's. ``prompt``: its sentences, options too.

    A sentence is the prompt's where it has hardly anything else. Of others a long run of its words is, unless
    it is ``allowed``: "The label that it trains on is …" begins an answer.
    """
    quotes = _cut(prompt, allowed)
    own: list[Piece] = []
    copied: list[Piece] = []
    for sentence in sentences:
        stems = [word.stem for word in sentence.words]
        if _is_copied(_without_label(stems), quotes):
            copied.append(sentence)
            continue
        within = _cover(stems, quotes.long_runs, _LONG_RUN)
        for is_quote, group in groupby(range(len(stems)), within.__contains__):
            piece = take_words(sentence, list(group)) if within else sentence
            (copied if is_quote else own).append(piece)
    return own, copied


@dataclass(frozen=True, slots=True)
class _Quotes:
    """A prompt's sentences and runs as stems."""

    whole: frozenset[tuple[str, ...]]
    runs: frozenset[tuple[str, ...]]
    long_runs: frozenset[tuple[str, ...]]


@lru_cache(maxsize=256)
def _cut(prompt: tuple[str, ...], allowed: tuple[str, ...]) -> _Quotes:
    said, free = (
        [_without_label([word.stem for word in split_words(sentence)]) for sentence in sentences]
        for sentences in (prompt, allowed)
    )
    long_runs = _runs(said, _LONG_RUN) - _runs(free, _LONG_RUN)
    return _Quotes(frozenset(map(tuple, said)), _runs(said, _COPIED_RUN), long_runs)


def _runs(sentences: Iterable[list[str]], length: int) -> frozenset[tuple[str, ...]]:
    return frozenset(
        run for stems in sentences for run in zip(*(stems[k:] for k in range(length)), strict=False)
    )


def _is_copied(stems: list[str], quotes: _Quotes) -> bool:
    if tuple(stems) in quotes.whole:
        return True
    if len(stems) < _FEWEST_WORDS:
        return False
    return len(_cover(stems, quotes.runs, _COPIED_RUN)) / len(stems) >= _COPIED_SHARE


def _cover(stems: list[str], runs: frozenset[tuple[str, ...]], length: int) -> set[int]:
    """The positions of the words that stand in such a run."""
    covered: set[int] = set()
    for at in range(len(stems) - length + 1):
        if tuple(stems[at : at + length]) in runs:
            covered.update(range(at, at + length))
    return covered


def _count_content(text: str) -> int:
    return sum(word.is_content for word in split_words(text))


def _without_label(stems: list[str]) -> list[str]:
    """Without "Hint:" or "Question 7:" in front."""
    if not stems or stems[0] not in _LABELS:
        return stems
    return stems[2:] if len(stems) > 2 and stems[1].isdigit() else stems[1:]


def _is_other_language(text: str) -> bool:
    if not text.isascii():
        letters = [letter for letter in text if letter.isalpha()]
        if sum(letter > _LAST_LATIN for letter in letters) > len(letters) / 2:
            return True
    plain = re.findall(r"[^\W\d_]+", text.casefold())
    foreign = [word for word in plain if word in _FOREIGN]
    if len(foreign) < _FEWEST_FOREIGN:
        return False
    english = sum(word in FUNCTION for word in plain)
    best = max(sum(word in common for word in foreign) for common in OTHER_LANGUAGES.values())
    return best >= _FEWEST_FOREIGN and best > 1.2 * english


def _is_gibberish(words: Sequence[Word], known: frozenset[str]) -> bool:
    """No words of English or of the subject, or mostly such as nobody can say."""
    letters = [word for word in words if word.text.isalpha()]
    if not letters:
        return True
    unsayable = sum(_is_unsayable(word.text) for word in letters)
    if unsayable > len(letters) / 2:
        return True
    if len(letters) < _FEWEST_WORDS and not unsayable:
        return False
    return not any(word.text in FUNCTION or word.stem in known or groups_of(word.stem) for word in letters)


@lru_cache(maxsize=20_000)
def _is_unsayable(word: str) -> bool:
    return len(word) > 2 and (not _VOWELS.search(word) or bool(_HARD.search(word)))


def _is_unfamiliar(words: Sequence[Word], known: frozenset[str]) -> bool:
    """Whether it speaks of something else, or in other terms than the question, the rubric and the tables."""
    if len(words) < _FEWEST_TO_JUDGE:
        return False
    content = [word for word in words if word.is_content and word.text.isalpha()]
    strange = sum(
        len(word.text) >= _LONG_WORD
        and word.stem not in known
        and word.stem not in generic_stems()
        and not groups_of(word.stem)
        for word in content
    )
    return strange >= _MOST_UNFAMILIAR * len(content)


def _is_list(text: str, words: Sequence[Word]) -> bool:
    """Terms in a row without the small words that make sentences."""
    if len(words) < _KEYWORDS_FROM or re.search(r"(?:^|\s)\(?[1a][.):]\s", text):
        return False  # numbered answers may be terse
    if _SAYS.search(text):
        return False  # "32 < 784" and "wider -> sharper" are sentences in signs
    if sum(word.text in FUNCTION for word in words) / len(words) >= _MOST_FUNCTION_WORDS:
        return False
    said = [len(clause) for clause in map(split_words, _STOPS.split(text)) if _says(clause)]
    return len(said) < 2 or 2 * sum(said) < len(words)


def _says(clause: Sequence[Word]) -> bool:
    """Whether a clause without small words says something: "PCA linear" does, "KL divergence" does not."""
    if len(clause) == 2:
        return any(not POLAR.isdisjoint(word.groups) or word.text in _RELATING for word in clause)
    return _FEWEST_TERSE <= len(clause) <= _MOST_TERSE
