"""Lines as a reader sees them, and the words by which they are compared."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass

from grader.domain.notebook import without_pictures

# They stand for <b>, <mark>, … and <s>, <del>, …: in a list of options these mark the chosen one.
STRONG = "\ue000"
STRUCK = "\ue001"

_COMPARED_CHARACTERS = 3000  # no prompt line is longer; the rest of a longer line is kept, not compared
_WORD = re.compile(r"[^\W_]+")
_LETTER_AS_SYMBOL = re.compile(
    "[\N{CIRCLED LATIN CAPITAL LETTER A}-\N{CIRCLED LATIN SMALL LETTER Z}"
    "\N{PARENTHESIZED LATIN SMALL LETTER A}-\N{PARENTHESIZED LATIN SMALL LETTER Z}"
    "\N{PARENTHESIZED LATIN CAPITAL LETTER A}-\N{NEGATIVE SQUARED LATIN CAPITAL LETTER Z}]"
)
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]{0,10})(\s[^<>]*)?/?>")
_ENTITY = re.compile(r"&#?\w{1,31};")
_LIST_NUMBER = re.compile(r"\s*(?:[>*_\-+]\s*)?\(?\d{1,2}[.)]")
_TRANSLATION = {
    ord(STRONG): None,
    ord(STRUCK): None,
    0xA0: " ",
    0x202F: " ",
    0x200B: None,
    0x2060: None,
    0xFEFF: None,
}

_BLOCK_TAGS = frozenset(
    re.findall(
        r"\w+",
        "br p li div tr h1 h2 h3 h4 h5 h6 blockquote ul ol table details summary hr pre section center",
    )
)
_STRONG_TAGS = frozenset({"b", "strong", "mark", "u", "ins"})
_STRUCK_TAGS = frozenset({"s", "del", "strike"})
_INLINE_TAGS = frozenset(
    re.findall(
        r"\w+",
        "i em span font a sub sup small big code td th tbody thead tt kbd q cite script style body html",
    )
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cell. `raw` still has the marks `STRONG` and `STRUCK`; `key` is its words."""

    cell: int
    raw: str
    text: str
    key: str

    @property
    def is_heading(self) -> bool:
        """Whether Markdown prints it as a heading."""
        return self.text.lstrip().startswith("#")

    @property
    def unnumbered_key(self) -> str:
        """The key without a list's leading number."""
        return self.key.partition(" ")[2] if _LIST_NUMBER.match(self.text) else self.key


def make_key(text: str) -> str:
    """The words of `text`, folded, with single spaces: what is left without markup and punctuation."""
    compared = text[:_COMPARED_CHARACTERS]
    if not compared.isascii():
        compared = unicodedata.normalize("NFKC", compared)
    return " ".join(_WORD.findall(compared.casefold()))


def has_words(text: str) -> bool:
    """Whether there is anything but markup, punctuation and space; "Ⓑ" and "🅱" are letters too."""
    return _WORD.search(text) is not None or _LETTER_AS_SYMBOL.search(text) is not None


def after_words(text: str, count: int) -> str:
    """What follows the first `count` words of `text`."""
    position = 0
    for _ in range(count):
        word = _WORD.search(text, position)
        if word is None:
            return ""
        position = word.end()
    return text[position:]


def balance_stars(text: str) -> str:
    """`text` without a `**` at its beginning or end whose partner was cut off."""
    if text.count("**") % 2:
        if text.startswith("**"):
            return text[2:].lstrip()
        if text.endswith("**"):
            return text[:-2].rstrip()
    return text


def make_line(cell: int, raw: str) -> Line:
    """One line, its marks taken off the text."""
    text = raw.replace(STRONG, "").replace(STRUCK, "")
    return Line(cell, raw, text, make_key(text))


def read_lines(cell: int, source: str) -> list[Line]:
    """A text's lines: HTML tags off, their text kept; scripts and styles dropped; Markdown as written."""
    return [make_line(cell, raw) for raw in _tidy(source).splitlines()]


def _tidy(source: str) -> str:
    text = source.translate(_TRANSLATION)
    if "<" in text:
        text = _drop_scripts(text).replace("<!--", "").replace("-->", "")
        text = _TAG.sub(_replace_tag, text)
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]).replace("\xa0", " "), text)
    return without_pictures(text)


def _drop_scripts(text: str) -> str:
    for name in ("script", "style"):
        kept: list[str] = []
        position = 0
        folded = text.lower() if text.isascii() else re.sub("[A-Z]", lambda letter: letter[0].lower(), text)
        while (start := folded.find(f"<{name}", position)) >= 0:
            end = folded.find(f"</{name}>", start)
            if end < 0:
                break  # never closed: what follows may be the student's words
            kept.append(text[position:start])
            position = end + len(name) + 3
        text = "".join(kept) + text[position:]
    return text


def _replace_tag(tag: re.Match[str]) -> str:
    name, attributes = tag[1].lower(), (tag[2] or "").strip(" /\n\t")
    if attributes and "=" not in attributes and attributes != "open":
        return tag[0]  # "a <b and c> d"
    if name == "img":
        return "![image]()"
    if name in _BLOCK_TAGS:
        return "\n"
    if name in _STRONG_TAGS:
        return STRONG
    if name in _STRUCK_TAGS:
        return STRUCK
    return "" if name in _INLINE_TAGS else tag[0]
