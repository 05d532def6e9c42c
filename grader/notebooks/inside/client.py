"""nbclient, with the corners filed off that a hostile notebook could catch it by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, from_dict

from grader.domain.run import CellState
from grader.notebooks.execution.outputs import clean_outputs, output_size
from grader.notebooks.inside.output_budget import OutputBudget

_DEATH_POLL_SECONDS = 0.2
_LAST_OUTPUT_SECONDS = 4  # for what a cell printed last, after it has ended
_MOST_OUTPUTS = 1990  # of one cell: fewer than are kept outside, which leaves room for an error and a mark
_MALFORMED_MESSAGES = 100  # of one cell, before its outputs are given up


@dataclass(frozen=True, slots=True)
class CellResult:
    """One cell as the kernel told it."""

    state: CellState
    seconds: float
    outputs: list[dict[str, Any]]
    cut: bool
    kernel_lost: bool = False  # it died, or it had to be killed


class CellClient(NotebookClient):
    """Runs cells one by one on a kernel that is already up. Every cell is rebuilt from its source alone."""

    def __init__(self, sources: Sequence[str], manager: Any, channels: Any, grace_seconds: float) -> None:
        cells = [_code_cell(source) for source in sources]
        notebook: Any = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        # nbclient's own joining of streams takes a second for every long line; `output` joins them.
        super().__init__(_as_nodes(notebook), km=manager, allow_errors=True, coalesce_streams=False)
        self.iopub_timeout = _LAST_OUTPUT_SECONDS
        self.kc = self._channels = channels
        self._channels.allow_stdin = False
        self._manager = manager
        self._grace_seconds = grace_seconds
        self._budget = OutputBudget(0)
        self._cell_seconds = 0.0
        self._interrupted = False
        self._reply: dict[str, Any] | None = None

    async def run_cell(self, position: int, seconds: float, output_bytes: int) -> CellResult:
        """Run the cell at this position for at most ``seconds`` and the grace of an interrupt."""
        self._budget = OutputBudget(output_bytes)
        self._cell_seconds = seconds
        self._interrupted = False
        self._reply = None
        cell = self.nb.cells[position]
        lost = ""
        started = monotonic()
        try:
            await self.async_execute_cell(cell, position)
        except CellTimeoutError:
            lost = "the cell used up its time and did not react to an interrupt; the kernel was ended"
        except DeadKernelError:
            lost = "the kernel died while this cell ran"
        seconds = monotonic() - started
        outputs = clean_outputs(cell.outputs[:_MOST_OUTPUTS])
        self._budget.lost += output_size(clean_outputs(cell.outputs[_MOST_OUTPUTS:]))
        if lost:
            name = "CellTimeout" if self._interrupted else "KernelDied"
            outputs.append({"output_type": "error", "ename": name, "evalue": lost, "traceback": []})
        if mark := self._budget.mark():
            outputs.append(mark)
        cell.outputs = []
        return CellResult(self._state(bool(lost)), seconds, outputs, mark is not None, bool(lost))

    def _state(self, lost: bool) -> CellState:
        if self._interrupted:
            return CellState.TIMEOUT
        if lost or self._reply is None or self._reply.get("status") != "ok":
            return CellState.ERROR
        return CellState.OK

    async def _check_raise_for_error(
        self, _cell: NotebookNode, _cell_index: int, exec_reply: dict[str, Any] | None
    ) -> None:
        content = (exec_reply or {}).get("content")
        self._reply = content if isinstance(content, dict) else None

    async def _async_poll_for_reply(
        self,
        msg_id: str,
        cell: NotebookNode,
        _timeout: int | None,
        task_poll_output_msg: asyncio.Future[Any],
        task_poll_kernel_alive: asyncio.Future[Any],
    ) -> dict[str, Any]:
        reply = asyncio.ensure_future(self._reply_to(msg_id))
        try:
            done, _ = await asyncio.wait({reply}, timeout=self._cell_seconds)
            if not done:
                self._interrupted = True
                await self._manager.interrupt_kernel()
                done, _ = await asyncio.wait({reply}, timeout=self._grace_seconds)
            if not done:
                raise CellTimeoutError.error_from_timeout_and_cell("No reply", int(self._cell_seconds), cell)
            await asyncio.wait({task_poll_output_msg}, timeout=self.iopub_timeout)
            task_poll_output_msg.cancel()
            return reply.result()
        finally:
            reply.cancel()
            task_poll_kernel_alive.cancel()

    async def _reply_to(self, msg_id: str) -> dict[str, Any]:
        while True:
            try:
                await asyncio.sleep(0)  # a flood must not hold up the clock
                message: dict[str, Any] = await self._channels.shell_channel.get_msg(timeout=None)
                if message["parent_header"].get("msg_id") == msg_id:
                    return message
            except Exception:  # a message that is none; the cell's time limit ends this loop
                await asyncio.sleep(0.001)

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: NotebookNode, cell_index: int) -> None:
        malformed = 0
        while malformed < _MALFORMED_MESSAGES:
            try:
                await asyncio.sleep(0)
                message = await self._channels.iopub_channel.get_msg(timeout=None)
                if message["parent_header"].get("msg_id") == parent_msg_id:
                    self.process_message(message, cell, cell_index)
            except CellExecutionComplete:
                return
            except Exception:
                malformed += 1

    async def _async_poll_kernel_alive(self) -> None:
        while await self._manager.is_alive():
            await asyncio.sleep(_DEATH_POLL_SECONDS)
        if self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """As nbclient does, without widgets' state: nobody looks at it, and it could grow for ever."""
        if msg["msg_type"].startswith("comm"):
            return None
        return super().process_message(msg, cell, cell_index)

    def output(
        self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """As nbclient does, within the cell's budget."""
        if self.clear_before_next_output:
            self._budget.restart()
        previous: NotebookNode | None = outs[-1] if outs and not self.clear_before_next_output else None
        kind, content = msg["msg_type"], msg["content"]
        continues = kind == "stream" and _is_stream(previous, content.get("name"))
        if not self._budget.fit(kind, content, continues=continues):
            return None
        if previous is not None and continues:
            previous.text += content["text"]
            return previous
        return super().output(outs, msg, display_id, cell_index)

    def clear_output(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        """As nbclient does; what was cleared costs nothing."""
        super().clear_output(outs, msg, cell_index)
        if not outs:
            self._budget.restart()

    def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
        content = dict(msg["content"])
        if OutputBudget(self._budget.limit).fit("display_data", content):
            super()._update_display_id(display_id, {**msg, "content": content})


# nbformat's own function has no types.
_as_nodes: Callable[[dict[str, Any]], NotebookNode] = from_dict


def _is_stream(output: NotebookNode | None, name: object) -> bool:
    return output is not None and output.output_type == "stream" and output.name == name


def _code_cell(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
