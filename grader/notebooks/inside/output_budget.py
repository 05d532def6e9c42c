"""Count a cell's outputs while they stream in, so that a flood never fills this process's memory."""

from __future__ import annotations

from typing import Any

from grader.notebooks.execution.outputs import KEPT_TYPES

_EACH_OUTPUT = 200  # bytes that an output costs besides its text
_KEPT_MESSAGE = 400  # characters of an error's message that are kept in any case


class OutputBudget:
    """Bytes that one cell may still print. What does not fit is counted, dropped and marked at the end."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.lost = 0

    def restart(self) -> None:
        """The cell cleared its outputs."""
        self.used = 0
        self.lost = 0

    def fit(self, kind: str, content: dict[str, Any], *, continues: bool = False) -> bool:
        """Cut one output message's content in place to what is left; False where nothing of it is kept.

        ``continues``: the text goes on in the stream before it, and is no output of its own.
        """
        if not continues and kind != "error" and not self._take(_EACH_OUTPUT, counted=False):
            self.lost += sum(len(str(value)) for value in _values(kind, content))
            return False
        if kind == "stream":
            content["name"] = "stderr" if content.get("name") == "stderr" else "stdout"
            content["text"] = self._prefix(str(content.get("text", "")))
            return bool(content["text"])
        if kind == "error":
            self._fit_error(content)
            return True
        data = content.get("data")
        if not isinstance(data, dict):
            return False
        content["data"] = {mime: data[mime] for mime in KEPT_TYPES if mime in data}
        content["metadata"] = {}
        content["execution_count"] = None
        size = sum(len(str(value)) for value in content["data"].values())
        return bool(content["data"]) and self._take(size)

    def mark(self) -> dict[str, Any] | None:
        """The visible mark of a cut; None where nothing was cut."""
        if not self.lost:
            return None
        text = f"\n[output cut: {self.lost} bytes over the limit]\n"
        return {"output_type": "stream", "name": "stdout", "text": text}

    def _fit_error(self, content: dict[str, Any]) -> None:
        content["ename"] = str(content.get("ename", ""))[:_KEPT_MESSAGE]
        trace = [str(line) for line in content.get("traceback") or []]
        if not self._take(sum(map(len, trace))):
            trace = []
        content["traceback"] = trace
        content["evalue"] = str(content.get("evalue", ""))
        if not self._take(len(content["evalue"])):
            content["evalue"] = content["evalue"][:_KEPT_MESSAGE]

    def _take(self, size: int, *, counted: bool = True) -> bool:
        if self.used + size > self.limit:
            self.lost += size if counted else 0
            return False
        self.used += size
        return True

    def _prefix(self, text: str) -> str:
        size = len(text.encode("utf-8", "replace")) if len(text) <= self.limit else len(text)
        room = self.limit - self.used
        if size <= room:
            self.used += size
            return text
        kept = text[:room].encode("utf-8", "replace")[:room].decode("utf-8", "ignore")
        self.used += len(kept)
        self.lost += size - len(kept)
        self.limit = self.used  # nothing after a cut: a stream with holes misleads
        return kept


def _values(kind: str, content: dict[str, Any]) -> list[Any]:
    if kind == "stream":
        return [content.get("text", "")]
    data = content.get("data")
    return list(data.values()) if isinstance(data, dict) else []
