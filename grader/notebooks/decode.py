"""From an upload's bytes to a JSON value, or to a sentence that tells the student what the file really is."""

from __future__ import annotations

import json
import re
from typing import Any

from grader.domain.rubric import UploadLimits, tell_size
from grader.errors import NotANotebook, TooLarge

_DOWNLOAD_AGAIN = "Open the notebook in Jupyter, VS Code or Colab, download it as .ipynb, and upload that."
_CLEAR_OUTPUTS = "Clear the outputs (Edit → Clear All Outputs), save, and upload it again."
_FOREIGN_FILES = {
    b"PK\x03\x04": "a zip archive (or a Word document). Unpack it and upload the .ipynb file inside.",
    b"\x1f\x8b": "a compressed archive. Unpack it and upload the .ipynb file inside.",
    b"7z\xbc\xaf": "a 7z archive. Unpack it and upload the .ipynb file inside.",
    b"Rar!": "a rar archive. Unpack it and upload the .ipynb file inside.",
    b"%PDF": f"a PDF. {_DOWNLOAD_AGAIN}",
    b"\x89PNG": f"a picture. {_DOWNLOAD_AGAIN}",
    b"\xff\xd8\xff": f"a picture. {_DOWNLOAD_AGAIN}",
    b"{\\rtf": f"an RTF document. {_DOWNLOAD_AGAIN}",
}
_LINE_OF_A_SCRIPT = re.compile(r"^(import |from \w+ import|def |class |print\(|#!|# %%|# In\[)", re.MULTILINE)
MOST_TOKENS = 1_000_000  # 10 MB of printed lines have some 600,000; each may cost the parser 200 bytes
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|([\[{])|([\]}])|,', re.DOTALL)
_OPENING = 1  # its group
_LARGEST_INTEGER_DIGITS = 300  # longer ones cannot matter here, and Python refuses those over 4300


def decode_json(data: bytes, limits: UploadLimits) -> Any:
    """The JSON value in `data` (UTF-8, -16 or -32, with or without a byte order mark).

    Raises `TooLarge` and `NotANotebook`; never `RecursionError`: nesting and pieces are counted first.
    """
    if len(data) > limits.bytes:
        raise TooLarge(
            f"The file is too large: at most {tell_size(limits.bytes)} are allowed. {_CLEAR_OUTPUTS}"
        )
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise NotANotebook(f"The file is empty. {_DOWNLOAD_AGAIN}")
    for magic, what in _FOREIGN_FILES.items():
        if data.startswith(magic):
            raise NotANotebook(f"This is not a notebook but {what}")
    text = _decode_text(data)
    _refuse_foreign_text(text)
    _refuse_costly(text, limits.nesting)
    try:
        return json.loads(text, parse_int=_parse_integer, parse_constant=lambda _name: None)
    except json.JSONDecodeError as error:
        raise NotANotebook(_explain(text, error)) from None
    except (ValueError, RecursionError):
        raise NotANotebook(f"The file is damaged: it is not valid JSON. {_DOWNLOAD_AGAIN}") from None


def _decode_text(data: bytes) -> str:
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        raise NotANotebook(
            "The file's text is not in UTF-8, so it cannot be read for certain. If you edited it in a text "
            f"editor, choose 'Save as' with encoding UTF-8. Otherwise: {_DOWNLOAD_AGAIN}"
        ) from None


def _refuse_foreign_text(text: str) -> None:
    head = text[:2000].lstrip("\ufeff \t\r\n")
    if head.startswith("<<<<<<<") or re.search(r"^<{7} ", text, re.MULTILINE):
        raise NotANotebook(
            "The file holds an unresolved git conflict (lines with '<<<<<<<' and '>>>>>>>'). "
            "Decide which version you want, open the notebook to see that it works, and upload it again."
        )
    if head.startswith("<"):
        raise NotANotebook(
            "This is a web page, not the notebook itself. On GitHub use 'Download raw file'; in Jupyter and "
            "Colab use File → Download → Download .ipynb."
        )
    if head.startswith("version https://git-lfs"):
        raise NotANotebook(
            "This is only a Git LFS pointer, not the notebook itself. Run 'git lfs pull' and upload the file "
            "again."
        )
    if not head.startswith(("{", "[")):
        script = re.search(
            r"^(import |from \w+ import|def |class |print\(|#!|# %%|# In\[)", head, re.MULTILINE
        )
        what = "a Python script" if script else "other text"
        raise NotANotebook(f"This is not a notebook but {what}. {_DOWNLOAD_AGAIN}")


def _refuse_costly(text: str, nesting: int) -> None:
    """Count before parsing: the parser is recursive, and lets no other thread run until it has read all."""
    depth = 0
    for count, token in enumerate(_TOKEN.finditer(text), 1):
        if token.lastindex is not None:
            depth += 1 if token.lastindex == _OPENING else -1
        if depth > nesting:
            raise TooLarge(
                f"The file's data is nested more than {nesting} levels deep; no notebook needs that. "
                f"{_CLEAR_OUTPUTS}"
            )
        if count > MOST_TOKENS:
            raise TooLarge(
                f"The file's data consists of more than {MOST_TOKENS:,} pieces; no homework needs that. "
                f"{_CLEAR_OUTPUTS}"
            )


def _parse_integer(digits: str) -> int:
    return int(digits) if len(digits) <= _LARGEST_INTEGER_DIGITS else 0


def _explain(text: str, error: json.JSONDecodeError) -> str:
    rest = text[error.pos :].strip()
    if not rest or error.msg.startswith("Unterminated string"):
        return f"The file is cut off: its end is missing, perhaps the download broke. {_DOWNLOAD_AGAIN}"
    return f"The file is damaged: it is not valid JSON (line {error.lineno}). {_DOWNLOAD_AGAIN}"
