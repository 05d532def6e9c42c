"""What an answer must pass to be taken for an ordinary one. No gate gives a zero without a human."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from grader.domain.proposal import Gate

from .lexicon import FUNCTION, OTHER_LANGUAGES
from .parts import Piece
from .words import Word, groups_of, split_words

_FEWEST_WORDS = 4
_KEYWORDS_FROM = 6  # words; fewer may be a terse answer
_MOST_FUNCTION_WORDS = 0.1  # of a list of terms
_COPIED_RUN = 3  # words in the prompt's order
_COPIED_SHARE = 0.75
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
_LAST_LATIN = "\u024f"
_VOWELS = re.compile(r"[aeiouyàáâäãåèéêëìíîïòóôöõùúûü]")
_HARD = re.compile(r"[bcdfghjklmnpqrstvwxz]{5,}")


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
    elif len(words) < _FEWEST_WORDS:
        found.append(Gate.SHORT)
    return found


def find_copied(sentences: Iterable[Piece], prompt: tuple[str, ...]) -> set[int]:
    """The positions of sentences that are the prompt's own. ``prompt``: its sentences, options too."""
    runs, whole = _cut(prompt)
    return {at for at, sentence in enumerate(sentences) if _is_copied(sentence, runs, whole)}


@lru_cache(maxsize=256)
def _cut(prompt: tuple[str, ...]) -> tuple[frozenset[tuple[str, ...]], frozenset[tuple[str, ...]]]:
    """The prompt's runs of stems, and its sentences as stems."""
    runs: set[tuple[str, ...]] = set()
    whole: set[tuple[str, ...]] = set()
    for sentence in prompt:
        stems = _without_label([word.stem for word in split_words(sentence)])
        runs.update(zip(*(stems[k:] for k in range(_COPIED_RUN)), strict=False))
        whole.add(tuple(stems))
    return frozenset(runs), frozenset(whole)


def _is_copied(sentence: Piece, runs: frozenset[tuple[str, ...]], whole: frozenset[tuple[str, ...]]) -> bool:
    stems = _without_label([word.stem for word in sentence.words])
    if tuple(stems) in whole:
        return True
    if len(stems) < _FEWEST_WORDS:
        return False
    covered: set[int] = set()
    for at in range(len(stems) - _COPIED_RUN + 1):
        if tuple(stems[at : at + _COPIED_RUN]) in runs:
            covered.update(range(at, at + _COPIED_RUN))
    return len(covered) / len(stems) >= _COPIED_SHARE


def _count_content(text: str) -> int:
    return sum(word.is_content for word in split_words(text))


def _without_label(stems: list[str]) -> list[str]:
    """Without "Hint:" or "Question 7:" in front."""
    if not stems or stems[0] not in _LABELS:
        return stems
    return stems[2:] if len(stems) > 2 and stems[1].isdigit() else stems[1:]


def _is_other_language(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    if sum(letter > _LAST_LATIN for letter in letters) > len(letters) / 2:
        return True
    plain = re.findall(r"[^\W\d_]+", text.casefold())
    english = sum(word in FUNCTION for word in plain)
    best = max(sum(word in common for word in plain) for common in OTHER_LANGUAGES.values())
    return best >= 3 and best > 1.2 * english


def _is_gibberish(words: Sequence[Word], known: frozenset[str]) -> bool:
    """No words of English or of the subject, or mostly such as nobody can say."""
    letters = [word for word in words if word.text.isalpha()]
    if not letters:
        return True
    understood = sum(
        word.text in FUNCTION or word.stem in known or bool(groups_of(word.stem)) for word in letters
    )
    unsayable = sum(
        len(word.text) > 2 and (not _VOWELS.search(word.text) or bool(_HARD.search(word.text)))
        for word in letters
    )
    return (understood == 0 and (len(letters) >= _FEWEST_WORDS or unsayable > 0)) or unsayable > len(
        letters
    ) / 2


def _is_list(text: str, words: Sequence[Word]) -> bool:
    """Terms in a row without the small words that make sentences."""
    if len(words) < _KEYWORDS_FROM or re.search(r"(?:^|\s)\(?[1a][.):]\s", text):
        return False  # numbered answers may be terse
    return sum(word.text in FUNCTION for word in words) / len(words) < _MOST_FUNCTION_WORDS
