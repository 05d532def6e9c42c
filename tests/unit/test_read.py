"""Intake: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.domain.notebook import CellKind, Notebook
from grader.domain.rubric import UploadLimits
from grader.errors import NotANotebook, TooLarge, UploadRefused
from grader.notebooks.decode import MOST_TOKENS
from grader.notebooks.read import MOST_CHARACTERS, read_notebook
from tests.unit.notebook_builders import LIMITS, TEMPLATE_FILE, as_bytes, as_json, template

TEMPLATE = TEMPLATE_FILE.read_bytes()


def _one_cell(**cell: Any) -> bytes:
    return json.dumps({"cells": [{"cell_type": "markdown", **cell}], "nbformat": 4}).encode()


def _sources(notebook: Notebook) -> list[tuple[CellKind, str]]:
    return [(cell.kind, cell.source) for cell in notebook.cells]


# -- what is accepted -------------------------------------------------------------------------------


@pytest.mark.parametrize("minor", [0, 1, 2, 3, 4, 5, 9])
def test_every_minor_version_of_format_4_is_read_alike(minor: int) -> None:
    assert _sources(read_notebook(as_bytes(template(), minor), LIMITS)) == _sources(template())


def test_ids_are_kept_where_the_file_has_them() -> None:
    assert read_notebook(as_bytes(template(), 5), LIMITS).cells[7].id == "question-1"
    assert read_notebook(as_bytes(template(), 4), LIMITS).cells[7].id is None


def test_the_id_that_colab_keeps_in_the_metadata_is_read() -> None:
    assert read_notebook(_one_cell(metadata={"id": "x1"}, source=""), LIMITS).cells[0].id == "x1"


def test_format_3_is_read_as_nbformat_itself_would_upgrade_it() -> None:
    old = nbformat.convert(nbformat.from_dict(as_json(template(), 4)), 3)
    upgraded = nbformat.convert(nbformat.reads(nbformat.writes(old, version=3), as_version=3), 4)
    read = read_notebook(nbformat.writes(old, version=3).encode(), LIMITS)
    assert _sources(read) == [(CellKind(cell.cell_type), cell.source) for cell in upgraded.cells]


def test_format_3_headings_and_worksheets_are_read() -> None:
    cells = [
        {"cell_type": "heading", "level": 3, "source": ["Question 1"]},
        {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "language": "python"},
        {"cell_type": "html", "source": "<p>a</p>"},
    ]
    data = json.dumps({"nbformat": 3, "worksheets": [{"cells": cells[:1]}, {"cells": cells[1:]}]}).encode()
    assert _sources(read_notebook(data, LIMITS)) == [
        (CellKind.MARKDOWN, "### Question 1"),
        (CellKind.CODE, "x = 1\ny = 2"),
        (CellKind.MARKDOWN, "<p>a</p>"),
    ]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"]
)
def test_every_encoding_that_json_allows_is_read(encoding: str) -> None:
    data = TEMPLATE.decode("utf-8").encode(encoding)
    assert _sources(read_notebook(data, LIMITS)) == _sources(template())


@pytest.mark.parametrize(
    ("cell", "source"),
    [
        ({"source": ["a\n", "b"]}, "a\nb"),
        ({"source": "a\nb"}, "a\nb"),
        ({"source": "a\r\nb\rc"}, "a\nb\nc"),
        ({"source": []}, ""),
        ({}, ""),
        ({"source": None}, ""),
        ({"input": "a"}, "a"),
        ({"source": "a\0b"}, "ab"),
        ({"source": "a\ud800b"}, "a\N{REPLACEMENT CHARACTER}b"),
        ({"source": "\ud83d\ude00"}, "\N{GRINNING FACE}"),
        ({"source": "a", "outputs": 7, "metadata": "none", "id": 5, "execution_count": {}}, "a"),
    ],
)
def test_sources_are_read_leniently(cell: dict[str, Any], source: str) -> None:
    assert read_notebook(_one_cell(**cell), LIMITS).cells[0].source == source


@pytest.mark.parametrize("kind", ["sql", "", None, 7, [], {"a": 1}])
def test_a_cell_of_an_unknown_type_is_kept_as_words_and_never_run(kind: Any) -> None:
    data = json.dumps({"cells": [{"cell_type": kind, "source": "words"}], "nbformat": 4}).encode()
    assert _sources(read_notebook(data, LIMITS)) == [(CellKind.RAW, "words")]


@pytest.mark.parametrize("version", ['"4"', "null", "NaN", "Infinity", "4.0", "true", "[]"])
def test_an_odd_version_does_not_matter_where_there_are_cells(version: str) -> None:
    data = f'{{"nbformat": {version}, "cells": [{{"cell_type": "raw", "source": "a"}}]}}'.encode()
    assert read_notebook(data, LIMITS).cells[0].source == "a"


def test_numbers_that_python_refuses_do_not_matter() -> None:
    data = b'{"cells": [{"cell_type": "raw", "source": "a", "execution_count": ' + b"9" * 10_000 + b"}]}"
    assert read_notebook(data, LIMITS).cells[0].source == "a"


def test_of_duplicate_keys_the_last_one_counts_as_it_does_in_jupyter() -> None:
    data = b'{"cells": [], "cells": [{"cell_type": "raw", "source": "a", "source": "b"}]}'
    assert read_notebook(data, LIMITS).cells[0].source == "b"


def test_brackets_and_escapes_in_strings_are_no_nesting() -> None:
    source = '[[[[{{{{ \\" \\\\ "[[["' * 100
    assert read_notebook(_one_cell(source=source), LIMITS).cells[0].source == source


# -- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\0" * 100, "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\n <html>", "web page"),
        (b"PK\x03\x04rest", "zip"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n", "picture"),
        (b"\x1f\x8b\x08", "archive"),
        (b"import torch\nx = 1", "Python script"),
        (b"# %%\nx = 1", "Python script"),
        (b"My answers: B", "other text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "git lfs pull"),
        (b'{"cells": [\n<<<<<<< HEAD\n{}\n=======\n>>>>>>> main\n]}', "git conflict"),
        (TEMPLATE[:3000], "cut off"),
        (TEMPLATE[:-3], "cut off"),
        (b'{"cells": [{"cell_type": "code", "source": ["x', "cut off"),
        (b'{"cells": [{"cell_type" "code"}]}', "not valid JSON (line 1)"),
        (TEMPLATE + b"}", "not valid JSON"),
        ("{\"cells\": [{\"source\": \"é\"}]}".encode("latin-1"), "UTF-8"),
        (b'{"hello": 1}', "not a notebook"),
        (b"[]", "not a notebook"),
        (b'{"cells": {}}', "not a notebook"),
        (b'{"cells": []}', "no cells"),
        (b'{"cells": [7]}', "cell 1"),
        (b'{"cells": [{"source": 7}]}', "cell 1"),
        (b'{"cells": [{"source": ["a", 1]}]}', "cell 1"),
        (b'{"worksheets": [3]}', "worksheet"),
        (b'{"nbformat": 1, "cells": [{}]}', "format 1"),
        (b'{"nbformat": 2, "worksheets": [{"cells": [{}]}]}', "format 2"),
        (b'{"nbformat": 5, "cells": [{}]}', "format 5"),
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_refused_in_plain_words(data: bytes, words: str) -> None:
    with pytest.raises(NotANotebook) as refused:
        read_notebook(data, LIMITS)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (UploadLimits(bytes=1000, cells=500, nesting=64), "Clear the outputs"),
        (UploadLimits(bytes=10**7, cells=5, nesting=64), "at most 5"),
        (UploadLimits(bytes=10**7, cells=500, nesting=3), "nested"),
    ],
)
def test_what_is_too_large_is_refused_with_what_to_do(limits: UploadLimits, words: str) -> None:
    with pytest.raises(TooLarge, match=words):
        read_notebook(TEMPLATE, limits)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"cells":['])
def test_deep_nesting_is_refused_before_it_can_do_harm(opening: bytes) -> None:
    with pytest.raises(TooLarge, match="nested"):
        read_notebook(opening * 100_000, LIMITS)


@pytest.mark.parametrize("piece", [b"[]", b"{}", b"0", b'""', b'{"a":{"a":0}}', b"[[[[0]]]]"])
def test_more_pieces_than_any_homework_has_are_refused_before_they_are_parsed(
    piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b'{"nbformat": 4, "metadata": [%s], "cells": [{"source": "a"}]}'
    many = data % b",".join([piece] * MOST_TOKENS)
    monkeypatch.setattr(json, "loads", None)
    with pytest.raises(TooLarge, match=r"more than 1,000,000 pieces.*Clear the outputs"):
        read_notebook(many, LIMITS)


@pytest.mark.parametrize("kind", CellKind)
def test_more_words_and_code_than_any_homework_has_are_refused_with_where_they_stand(kind: CellKind) -> None:
    def write(characters: int) -> bytes:
        sources = ["a", "ab\n" * (characters // 3), "b" * (characters % 3)]
        cells = [{"cell_type": kind, "source": source} for source in sources]
        return json.dumps({"cells": cells, "nbformat": 4}).encode()

    assert len(read_notebook(write(MOST_CHARACTERS - 1), LIMITS).cells) == 3
    with pytest.raises(TooLarge, match=r"500,001 characters.*longest is cell 2.*Delete"):
        read_notebook(write(MOST_CHARACTERS), LIMITS)


def test_pictures_in_a_text_are_not_counted_and_those_in_code_are() -> None:
    source = f"![plot](data:image/png;base64,{'iVBORw0KGgo+/' * 100_000}==)"
    assert read_notebook(_one_cell(source=source), LIMITS).cells[0].source == source
    with pytest.raises(TooLarge, match="characters"):
        read_notebook(_one_cell(source=source, cell_type="code"), LIMITS)


def test_words_that_pass_for_pictures_are_counted() -> None:
    for source in (f"data:image/png;base64,{'A' * 60}\n" * 100_000, f"data:image/png,{'ab ' * 200_000}"):
        with pytest.raises(TooLarge, match="characters"):
            read_notebook(_one_cell(source=source), LIMITS)


# -- nothing else is ever raised --------------------------------------------------------------------


def _is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(UploadRefused):
        for cell in read_notebook(data, LIMITS).cells:
            cell.source.encode()
            (cell.id or "").encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["cells", "worksheets", "nbformat", "source", "input", "cell_type", "id", "metadata"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    _is_read_or_refused(data)


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_any_json_is_read_or_refused(document: Any) -> None:
    _is_read_or_refused(json.dumps(document).encode())
    _is_read_or_refused(json.dumps({"cells": [document], "nbformat": 4}).encode())


@given(st.lists(st.tuples(st.integers(0, len(TEMPLATE) - 1), st.binary(max_size=3)), max_size=5))
@settings(deadline=None)
def test_any_mutation_of_a_notebook_is_read_or_refused(changes: list[tuple[int, bytes]]) -> None:
    data = TEMPLATE
    for position, new in changes:
        data = data[:position] + new + data[position + 1 :]
    _is_read_or_refused(data)
