"""The words in a code cell: comments and strings.

Python's own parser is not used: nesting made for the purpose can crash it, and with it the worker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FEWEST_WORDS = 3  # of a comment that says something
_FEWEST_WORDS_IN_STRING = 6
_LOOKED_AT = 400  # characters of a line, to tell code from prose

_OPENING = re.compile(r"#|[rbfuRBFU]{0,2}(\"\"\"|'''|\"|')")
_STEP = {'"': re.compile(r'\\[^\n]|["\n]'), "'": re.compile(r"\\[^\n]|['\n]")}
_MAGIC = re.compile(r"\s*%%(markdown|html|latex|md)\b[^\n]*\n?", re.IGNORECASE)
_AROUND_WORDS = re.compile(
    r"\b(?:print|display|Markdown|HTML|Latex)\b|\b[A-Za-z_]\w{0,40}\s{0,4}=(?!=)|[()+,;\\\s]"
)
_BEFORE_SPEECH = re.compile(r"\s*(?:(?:print|display|Markdown)\(|\w{1,40}\s*=\s*\(?|\()?\s*")
_BEFORE_ANSWER = re.compile(r"\s*(?:\w{0,30}?(?:ans|choice|option)\w{0,30}|q_?\d{1,2})\s*=\s*", re.IGNORECASE)
_NUMBERED_NAME = re.compile(r"(?:\b|_)q(?:uestion)?_?(\d{1,2})\s{0,9}=\s{0,9}\Z", re.IGNORECASE)
_CODE_SIGN = re.compile(
    r"^\s*(?:import \w|from [\w.]+ import|@\w|[%!]\w|(?:def|class|for|while|if|elif|with) .*:\s*(?:pass\s*)?$"
    r"|(?:else|try):|return\b|[)\]}]|raise \w)|\w[(\[]|[\w\])]\s*[-+*/]?=\s*\S"
)
_PROSE_SIGN = re.compile(r"(?<![A-Za-z'’])(?:[A-Za-z'’]+,? ){4}[A-Za-z'’]+")
_COMPREHENSION = re.compile(r"\bfor \w+ in\b|\blambda\b")
_SINGLE_VALUE = re.compile(r"\s*[\w.]+\s*\Z")


@dataclass(frozen=True, slots=True)
class CodeWords:
    """What a code cell says in words."""

    only_words: bool  # the cell is used for text: comments, strings, printed strings or plain prose
    text: str  # only_words: all of it; otherwise comments and strings that are prose, one a line


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    body: str  # without quotes or the hash
    is_comment: bool
    is_formatted: bool  # an f-string: code writes it, not the student


def read_code_words(source: str) -> CodeWords:
    """The words of one code cell. Linear in its length."""
    magic = _MAGIC.match(source)
    if magic:
        return CodeWords(True, source[magic.end() :])
    said: list[str] = []  # every comment and string
    prose: list[str] = []  # those that are more than a label or code
    code: list[str] = []
    position = 0
    in_comment = False  # below a comment that says something, and no code in between
    for token in _scan(source):
        between = source[position : token.start]
        code.append(between)
        position = token.end
        named = _NUMBERED_NAME.search(between[-80:])
        said.append(f"Q{named[1]}: {token.body}" if named else token.body)
        in_comment = in_comment and token.is_comment and not between.strip() and between.count("\n") == 1
        in_comment = in_comment and not _is_code_line(token.body)
        if in_comment or _is_prose(token, between.rpartition("\n")[2][-80:]):
            prose.append(token.body.strip())
            in_comment = token.is_comment
    code.append(source[position:])
    if said and not _AROUND_WORDS.sub("", "".join(code)):
        return CodeWords(True, "\n".join(said))
    if _reads_as_prose(source):
        return CodeWords(True, "\n".join(line.lstrip("# ") for line in source.splitlines()))
    return CodeWords(False, "\n".join(prose))


def normalise_code(source: str) -> frozenset[str]:
    """The lines of code that are worth comparing: without spaces, short ones and comments left out."""
    lines = ("".join(line.split()) for line in source.splitlines()[:5000])
    return frozenset(line for line in lines if len(line) >= 8 and not line.startswith("#"))


def _scan(source: str) -> Iterator[_Token]:
    """Comments and strings. What is never closed ends where its line, or the cell, does."""
    position = 0
    while opening := _OPENING.search(source, position):
        quotes = opening[1]
        if quotes is None:
            position = source.find("\n", opening.end())
            position = len(source) if position < 0 else position
            body = source[opening.start() : position].lstrip("#").removeprefix(" ")
            yield _Token(opening.start(), position, body, is_comment=True, is_formatted=False)
            continue
        close = _find_triple(source, opening) if len(quotes) == 3 else _find_single(source, opening)
        body = source[opening.end() : close].replace("\\n", "\n").replace("\\'", "'").replace('\\"', '"')
        closed = source.startswith(quotes, close)
        position = close + len(quotes) if closed else close
        is_formatted = "f" in opening[0].lower()
        yield _Token(opening.start(), position, body, is_comment=False, is_formatted=is_formatted)


def _find_triple(source: str, opening: re.Match[str]) -> int:
    close = source.find(opening[1], opening.end())
    while close >= 0 and _is_escaped(source, close):
        close = source.find(opening[1], close + 1)
    return len(source) if close < 0 else close


def _is_escaped(source: str, position: int) -> bool:
    before = source[max(0, position - 50) : position]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _find_single(source: str, opening: re.Match[str]) -> int:
    for step in _STEP[opening[1]].finditer(source, opening.end()):
        if not step[0].startswith("\\"):
            return step.start()
    return len(source)


def _is_prose(token: _Token, before: str) -> bool:
    """Whether a comment or string is said by the student; `before` is the code before it on its line."""
    length = len(token.body.split())
    if token.is_comment:
        return length >= _FEWEST_WORDS and not _is_code_line(token.body)
    if _BEFORE_ANSWER.fullmatch(before):
        return True
    speaks = not token.is_formatted and _BEFORE_SPEECH.fullmatch(before) is not None
    return speaks and length >= _FEWEST_WORDS_IN_STRING


def _is_code_line(line: str) -> bool:
    head = line[:_LOOKED_AT]
    if _PROSE_SIGN.search(head) and not _COMPREHENSION.search(head):
        return False
    return bool(_CODE_SIGN.search(head))


def _reads_as_prose(source: str) -> bool:
    """Whether a cell that is marked as code holds sentences (or the letter of a choice) and no code."""
    lines = [line for line in source.splitlines()[:2000] if line.strip() and line.lstrip()[0] != "#"]
    if not lines:
        return False
    if len(lines) == 1 and _SINGLE_VALUE.match(lines[0]):
        return True
    code = sum(_is_code_line(line) for line in lines)
    prose = sum(1 for line in lines if _PROSE_SIGN.search(line[:_LOOKED_AT]))
    return code == 0 or prose > 2 * code
