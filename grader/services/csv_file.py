"""Lines of CSV files as in RFC 4180: CRLF, quotes doubled. Who writes them guards what people wrote."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

# What a spreadsheet may take for a formula, in full width too.
_FORMULA = tuple("=+-@\t\r＝＋－＠")


def write_line(cells: Iterable[str]) -> str:
    """The cells as one line, with its end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def guard(text: str) -> str:
    """The text, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
