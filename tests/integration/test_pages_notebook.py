"""The executed notebook in its frame: whatever is in it, nothing of it is active."""

from __future__ import annotations

import base64
import json
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi import FastAPI

from grader.web.pages.notebook_html import show_notebook
from tests.integration.page_requests import Browser, signed_in
from tests.integration.parts import Parts
from tests.integration.student_parts import grade, hand_in

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n rest of it").decode()
HOSTILE = (
    "<script>alert(1)</script>",
    "<svg onload=alert(1)><script>alert(1)</script><animate onbegin=alert(1)></svg>",
    "<img src=x onerror=alert(1)><img src='https://evil.example/x.png'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe><iframe src=javascript:alert(1)></iframe>",
    "<a href='javascript:alert(1)'>x</a><a href='data:text/html,<script>alert(1)</script>'>y</a>",
    "<a href='https://evil.example' target=_top ping='https://evil.example'>z</a>",
    "<style>@import 'https://evil.example/x.css'; * {position: fixed}</style>",
    "<div style='position:fixed;inset:0;background:url(https://evil.example)' class=card id=main>over</div>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'><base href='https://evil.example/'>",
    "<form action='https://evil.example'><input name=csrf><button formaction=javascript:alert(1)>go</button>",
    "<link rel=stylesheet href='https://evil.example/x.css'><object data=x></object><embed src=x>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<template><script>alert(1)</script></template><video autoplay onplay=alert(1)><source src=x></video>",
    "</pre></section></main></body><script>alert(1)</script><plaintext>",
    "<table><td background='https://evil.example' onclick=alert(1) colspan=2>cell</td></table>",
    "<details open ontoggle=alert(1)><summary>s</summary></details><marquee onstart=alert(1)>m</marquee>",
    "<x contenteditable autofocus onfocus=alert(1)>x</x><body onload=alert(1)><html onclick=alert(1)>",
    "<!--><script>alert(1)</script>--><![CDATA[<script>alert(1)</script>]]><?php <script>?>",
    "[a](javascript:alert(1)) ![b](https://evil.example/x.png) <javascript:alert(1)> [c]: data:text/html,x",
    "<div hx-get='/account' hx-trigger=load data-key=a data-confirm=x>h</div>",
)
OURS = {
    *("html", "head", "meta", "title", "link", "body", "main", "section", "p", "div", "pre", "span", "img"),
    *(
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "br",
        "hr",
        "blockquote",
        "code",
    ),
    *("strong", "b", "em", "i", "u", "s", "del", "sub", "sup"),
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption"),
}
CLASSES = {"hidden", "cell", "code", "markdown", "raw", "number", "body", "source", "text", "note", "output"}
OUTPUTS = {"html", "stdout", "stderr", "error", "result"}


class Strict(HTMLParser):
    """Reads a page and fails at whatever is not known to be harmless."""

    def __init__(self) -> None:
        super().__init__()
        self.links = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in OURS, tag
        for name, value in attrs:
            assert self._is_known(tag, name, value or ""), (tag, name, value)
        self.links += tag == "link"

    def _is_known(self, tag: str, name: str, value: str) -> bool:
        if name == "class":
            known = set(value.split()) <= CLASSES | OUTPUTS
            return known or (tag == "span" and value.isalnum() and len(value) <= 3)  # pygments'
        if tag == "img":
            return (name, value) == ("alt", "Output of the cell above") or (
                name == "src" and value.startswith(("data:image/png;base64,", "data:image/jpeg;base64,"))
            )
        if tag == "link":
            return (name, value) in {("rel", "stylesheet"), ("href", "/static/notebook.css")}
        if tag == "meta":
            return name in {"charset", "name", "content"}
        return (tag, name) in {
            ("html", "lang"),
            ("section", "aria-label"),
            ("pre", "tabindex"),
            *((cell, span) for cell in ("td", "th") for span in ("colspan", "rowspan")),
        }


def notebook(outputs: list[dict[str, Any]], *cells: dict[str, Any]) -> bytes:
    code = {"cell_type": "code", "source": "x = 1", "metadata": {}, "execution_count": 1, "outputs": outputs}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code, *cells]}).encode()


def displayed(**data: str) -> dict[str, Any]:
    named = {name.replace("_", "/", 1): value for name, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": named}


def everywhere(words: str) -> bytes:
    """These words wherever a student's words can stand."""
    return notebook(
        [
            {"output_type": "stream", "name": words, "text": words},
            {"output_type": "error", "ename": words, "evalue": words, "traceback": [words]},
            displayed(text_html=words),
            displayed(text_plain=words),
            displayed(image_png=words, text_plain=words),
            {"output_type": "display_data", "metadata": {}, "data": {words: words, "image/svg+xml": words}},
            {"output_type": words},
        ],
        {"cell_type": "markdown", "source": words, "metadata": {"grader": {"state": words}}},
        {"cell_type": "raw", "source": words},
        {"cell_type": "code", "source": words, "metadata": {"grader": {"state": words}}, "outputs": words},
        {"cell_type": words, "source": [words, 3]},
    )


@pytest.mark.parametrize("words", HOSTILE)
def test_nothing_hostile_is_active(parts: Parts, ada: Browser, words: str) -> None:
    page = hand_in(ada)
    grade(parts, page, executed=everywhere(words))
    answer = ada.get(f"{page}/notebook/frame")
    assert answer.status_code == 200
    reader = Strict()
    reader.feed(answer.text)
    reader.close()
    assert reader.links == 1


def test_the_frame_is_boxed_in_twice(parts: Parts, ada: Browser) -> None:
    page = hand_in(ada)
    grade(parts, page)
    around = ada.get(f"{page}/notebook")
    assert f'<iframe class="notebook" src="{page}/notebook/frame" sandbox title=' in around.text
    policy = ada.get(f"{page}/notebook/frame").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    for word in ("unsafe", "script-src", "allow-", "http"):
        assert word not in policy


def test_what_is_harmless_is_shown() -> None:
    table = "<table border='1' class='dataframe'><tr><th>a</th></tr><tr><td colspan='2'>1</td></tr></table>"
    cells = show_notebook(
        notebook(
            [
                displayed(image_png=PNG, text_plain="<Figure>"),
                displayed(text_html=table, text_plain="   a"),
                {"output_type": "stream", "name": "stdout", "text": "10%\r100%\n\x1b[31mred\x1b[0m"},
            ],
            {"cell_type": "markdown", "source": "# Title\n\n|a|b|\n|-|-|\n|1|**2**|"},
        )
    )
    picture, shown, printed = cells[0].outputs
    assert f'src="data:image/png;base64,{PNG}"' in picture
    assert '<table><tbody><tr><th>a</th></tr><tr><td colspan="2">1</td></tr></tbody></table>' in shown
    assert "100%\nred</pre>" in printed
    assert "10%\r" not in printed
    assert "<h1>Title</h1>" in cells[1].source
    assert "<strong>2</strong>" in cells[1].source


@pytest.mark.parametrize(
    ("mime", "data"), [("image/png", "/9j/" + PNG), ("image/png", "<svg>"), ("image/jpeg", PNG)]
)
def test_a_picture_that_is_none_of_its_kind_is_left_out(mime: str, data: str) -> None:
    (cell,) = show_notebook(notebook([{"output_type": "display_data", "data": {mime: data}}]))
    assert "<img" not in cell.outputs[0]
    assert "Not shown" in cell.outputs[0]


def test_a_huge_notebook_is_shown_in_part() -> None:
    flood = [{"output_type": "stream", "name": "stdout", "text": "x" * 200_000}] * 150
    (cell,) = show_notebook(notebook(flood))
    assert sum(map(len, cell.outputs)) < 13 << 20
    assert "more characters are not shown" in cell.outputs[0]
    assert "left out" in cell.outputs[-1]
    many = notebook([], *({"cell_type": "raw", "source": "x"} for _ in range(3000)))
    assert len(show_notebook(many)) == 1000


def test_when_the_time_is_over_the_rest_is_plain_text() -> None:
    ticks = iter(range(0, 1000, 10))
    cells = show_notebook(
        notebook([displayed(text_html="<b>x</b>")], {"cell_type": "markdown", "source": "**x**"}),
        clock=lambda: float(next(ticks)),
    )
    assert cells[1].source == "**x**"
    assert "Not shown" in cells[0].outputs[0]


@pytest.mark.parametrize("data", [b"{}", b"[]", b"[" * 100_000, b"3", b'{"cells": 3}', b"x"])
def test_what_is_no_notebook_is_told(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"notebook|Expecting"):
        show_notebook(data)


def test_staff_who_read_a_students_notebook_are_noted_once_a_page(
    parts: Parts, app: FastAPI, ada: Browser
) -> None:
    page = hand_in(ada)
    grade(parts, page)
    tom = signed_in(app, "tom")
    for browser in (ada, tom):
        for address in (f"{page}/notebook", f"{page}/notebook/frame"):
            assert browser.get(address).status_code == 200
    with parts.database.read() as unit:
        noted = unit.audit.page(action="submission.read")
    assert [(entry.actor, entry.subject) for entry in noted] == [("tom", page.rsplit("/", 1)[1])]
