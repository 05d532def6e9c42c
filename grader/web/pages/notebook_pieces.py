"""The pieces of a shown notebook: markup through an allow-list, code, terminal text, pictures."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from functools import cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

_MOST_MARKDOWN = 20_000  # characters; what is longer is shown as it was written
_MOST_CODE = 50_000
_MOST_PICTURE = 6 << 20  # characters of base64
_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd"),
    *("strong", "b", "em", "i", "u", "s", "del", "sub", "sup", "code", "pre", "blockquote", "div", "span"),
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption"),
}
# Dropped with all that is in them; of every other tag that is not listed the words stay.
_DROPPED = {"script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math", "textarea"}
_CELL = {"colspan", "rowspan"}
# Of terminals: colours, cursors, links, titles; then what is left of control characters.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def clean_html(html: str) -> Markup:
    """Markup of the allow-list alone: no address, no style, no class, no event."""
    return Markup(  # noqa: S704  # the allow-list is what makes it safe
        nh3.clean(
            html,
            tags=_TAGS,
            clean_content_tags=_DROPPED,
            attributes={"td": _CELL, "th": _CELL},
            link_rel=None,
            strip_comments=True,
        )
    )


def render_markdown(source: str) -> Markup:
    """Markdown as HTML. Links and pictures stay as words: a notebook's own addresses lead nowhere here."""
    if len(source) > _MOST_MARKDOWN:
        return Markup('<pre tabindex="0">{}</pre>').format(source)
    return clean_html(_markdown().render(source))


def highlight_code(source: str) -> Markup:
    """Python in colours, by class names."""
    if len(source) > _MOST_CODE:
        return escape(source)
    coloured = highlight(source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True))
    return Markup(coloured)  # noqa: S704  # the formatter escapes what it colours


def clean_terminal(text: str) -> str:
    """Text as a terminal would leave it: no colours, and of an overwritten line only its last state."""
    plain = _ESCAPES.sub("", text).replace("\r\n", "\n")
    lines = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in plain.split("\n"))
    return _CONTROLS.sub("", "\n".join(lines))


def picture_address(mime: str, encoded: str) -> str:
    """A picture as a data address; "" where it is none of this kind, or too large."""
    compact = "".join(encoded.split())
    if not compact or len(compact) > _MOST_PICTURE:
        return ""
    try:
        data = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        return ""
    # Encoded anew: what reaches the page is ours to the last character.
    return f"data:{mime};base64,{base64.b64encode(data).decode()}" if data.startswith(_MAGIC[mime]) else ""


@cache
def _markdown() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": True, "maxNesting": 20}).enable(["table", "strikethrough"])
    reader.add_render_rule("image", _name_picture)
    return reader


def _name_picture(_self: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    return f"<em>[picture: {escape(tokens[index].content)}]</em>"
