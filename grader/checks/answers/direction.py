"""Which way one thing goes with another: "the larger the code, the lower the error"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from .lexicon import word_set
from .polarity import Signed

_Signed = tuple[int, int]  # a position and a sign
Law = tuple[str, int]  # what it depends on, and whether more of it is better (+1) or worse (-1)

_SIZE, _DATA = "size", "data"
_MORE = word_set(
    """more many larger large largest bigger big biggest wider wide higher high highest huge greater grow
    grows growing increase increases increased increasing rise rises rising up double doubling raise raises"""
)
_LESS = word_set(
    """fewer few less smaller small smallest tiny low lower lowest narrow narrower little shrink shrinks
    shrinking decrease decreases decreased decreasing fall falls falling drop drops dropping down sink sinks
    reduce reduces reduced reducing"""
)
_GOOD = word_set(
    """good well better best improve improves improved improving sharp sharper sharpest clear clearer crisp
    crisper close closer accurate perfect perfectly nice nicer detailed fine"""
)
_BAD = word_set(
    """bad badly worse worst worsen worsens poor poorly poorer blurry blurrier blurriest blurred fuzzy unclear
    fail fails failing terrible degrade degrades"""
)
_ERRORS = word_set("loss losses error errors mse blur blurriness")
_QUALITIES = word_set("quality accuracy sharpness fidelity performance")
_SIZED = word_set(
    "latent dim dims dimension dimensions bottleneck code codes capacity width size units neurons numbers"
)
_KNOWN = word_set("train training seen known know knows knew familiar")
_NEW = word_set("test testing unseen unknown unfamiliar new fresh validation")
_SEEN = word_set("seen know knows knew")  # "not seen" is new
_PARTS = word_set("as when while whereas if with than and but because so since")
_SIDES = word_set("while whereas and but")
_ALONE = word_set("many large larger big bigger fewer few small smaller")  # "few codes blur, many do not"
_NOT = word_set("not never no")
_MOST = 20  # a sentence with more of them says nothing clear
_NEAREST = 6  # words between a size and what has it

_TURNS: Mapping[str, int] = dict.fromkeys(_MORE, 1) | dict.fromkeys(_LESS, -1)
_VALUES: Mapping[str, int] = dict.fromkeys(_GOOD, 1) | dict.fromkeys(_BAD, -1)
_NOUNS: Mapping[str, int] = dict.fromkeys(_ERRORS, -1) | dict.fromkeys(_QUALITIES, 1)
_SETS: Mapping[str, int] = dict.fromkeys(_NEW, 1) | dict.fromkeys(_KNOWN, -1)


def find_laws(signed: Sequence[Signed]) -> frozenset[Law]:
    """What one sentence says of sizes and of new data, and does not say the other way round too."""
    texts = [said.word.text for said in signed]
    owners = _find_owners(signed, [at for at, text in enumerate(texts) if text in _TURNS])
    effects: list[_Signed] = []
    sizes: list[_Signed] = []
    alone: list[_Signed] = []
    data: list[_Signed] = []
    for at, text in enumerate(texts):
        owner = owners.get(at, "")
        if text in _VALUES:
            effects.append((at, _sign(signed, texts, at) * _VALUES[text]))
            if texts[at + 1 : at + 2] == ["with"] and not _SIZED.isdisjoint(texts[at + 2 : at + 5]):
                sizes.append((at, 1))  # "improves with latent_dim"
        elif text in _SETS:
            is_not = text in _SEEN and not _NOT.isdisjoint(texts[max(0, at - 2) : at])
            data.append((at, -_SETS[text] if is_not else _SETS[text]))
        elif owner in _NOUNS:
            effects.append((at, _sign(signed, texts, at) * _TURNS[text] * _NOUNS[owner]))
        elif owner:
            sizes.append((at, _TURNS[text]))
        elif text in _ALONE:
            alone.append((at, _TURNS[text]))
    if not 0 < len(effects) <= _MOST or len(sizes) + len(alone) + len(data) > _MOST:
        return frozenset()
    sides = list(accumulate(_is_side(signed, at) for at in range(len(signed))))
    causes = {_SIZE: sizes + alone if sizes else [], _DATA: data}
    found = {(kind, sign) for kind, named in causes.items() for sign in _join(texts, sides, effects, named)}
    return frozenset((kind, sign) for kind, sign in found if (kind, -sign) not in found)


def oppose(laws: frozenset[Law]) -> frozenset[Law]:
    """The same laws the other way round."""
    return frozenset((kind, -sign) for kind, sign in laws)


def _find_owners(signed: Sequence[Signed], sizes: Sequence[int]) -> dict[int, str]:
    """What each size is said of: the nearest in its clause, which no other size has."""
    near = {at: sorted([*_walk(signed, at, 1), *_walk(signed, at, -1)]) for at in sizes}
    owners: dict[int, str] = {}
    taken: set[int] = set()
    for at in sorted(sizes, key=lambda at: (len(near[at]), at)):
        free = [position for _, _, position in near[at] if position not in taken]
        if free:
            taken.add(free[0])
            owners[at] = signed[free[0]].word.text
    return owners


def _walk(signed: Sequence[Signed], at: int, step: int) -> Iterator[tuple[int, int, int]]:
    away = 0
    for position in range(at + step, at + step * (_NEAREST + 1), step):
        if not 0 <= position < len(signed):
            return
        word, before = signed[position].word, signed[position - step].word
        first, second = (before, word) if step > 0 else (word, before)
        if word.text in _PARTS or second.start - first.end >= 2:  # punctuation
            return
        away += word.is_content
        if word.text in _NOUNS or word.text in _SIZED:
            yield away, -step, position
            return


def _sign(signed: Sequence[Signed], texts: Sequence[str], at: int) -> int:
    """The sign of an effect; what is denied far before it is something else."""
    is_far = _NOT.isdisjoint(texts[max(0, at - 3) : at]) and not _NOT.isdisjoint(texts[max(0, at - 8) : at])
    return 1 if is_far else signed[at].sign


def _is_side(signed: Sequence[Signed], at: int) -> bool:
    """Whether another half of a sentence begins with a word, behind a comma or "but"."""
    is_parted = at > 0 and signed[at].word.start - signed[at - 1].word.end == 2
    return is_parted or signed[at].word.text in _SIDES


def _join(
    texts: Sequence[str], sides: Sequence[int], effects: Sequence[_Signed], causes: Sequence[_Signed]
) -> Iterator[int]:
    """The products of effects and what they belong to: in their half of the sentence, if any does there."""
    if not causes:
        return
    named = {sides[at] for at, _ in causes}
    beside = [effect for effect in effects if sides[effect[0]] in named]
    for at, sign in beside or effects:
        is_compared = "than" in texts[at + 1 : at + 3]
        before = [cause for cause in causes if cause[0] < at] if is_compared else []
        yield (
            sign
            * min(before or causes, key=lambda cause: (sides[cause[0]] != sides[at], abs(cause[0] - at)))[1]
        )
