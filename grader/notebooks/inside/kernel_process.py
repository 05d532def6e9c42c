"""Start the kernel: from our own specification, never the one that a notebook's metadata names.

It runs in a jail of its own within ours, so that student code cannot name the process that reports.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from grader.sandbox.nested import Inner, build_inner

_STARTUP_SECONDS = 120


class _OurKernel(KernelSpecManager):  # type: ignore[misc, unused-ignore]
    def __init__(self, command: Sequence[str]) -> None:
        super().__init__()
        self._command = list(command)

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002
        """Our kernel, whatever it is called. An interrupt is a message: signals do not reach inside."""
        return KernelSpec(
            argv=self._command, display_name="Python 3", language="python", interrupt_mode="message"
        )


@dataclass(frozen=True, slots=True)
class KernelSettings:
    """What the kernel is told by its environment."""

    harvest: Path  # an empty folder: models are left here
    data: str  # where the data set is mounted
    seed: int
    models: int
    model_bytes: int
    writable: tuple[str, ...]  # folders that the kernel has beside its home and temporary ones
    tmp_bytes: int  # each of these

    def environment(self) -> dict[str, str]:
        """The kernel's whole environment.

        Installing packages fails at once instead of trying a network. ``torch.compile`` leaves a model as
        it is: there may be no compiler here, and where there is one it takes longer than the training.
        """
        return {
            **os.environ,
            "GRADER_HARVEST": str(self.harvest),
            "GRADER_DATA": self.data,
            "GRADER_SEED": str(self.seed),
            "GRADER_MODELS": str(self.models),
            "GRADER_MODEL_BYTES": str(self.model_bytes),
            "TORCHDYNAMO_DISABLE": "1",
            "PIP_NO_INDEX": "1",
            "PIP_NO_INPUT": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }


async def start_kernel(folder: Path, settings: KernelSettings) -> tuple[Any, Any]:
    """Start it and wait until it answers: its manager and its open channels. ``folder`` holds its sockets."""
    entry = [sys.executable, "-s", "-P", "-B", "-m", "grader.notebooks.inside.kernel"]
    inner = Inner((str(folder), str(settings.harvest)), settings.writable, settings.tmp_bytes)
    arguments = ["-f", "{connection_file}", "--HistoryManager.hist_file=:memory:"]
    command, handles = build_inner([*entry, *arguments], inner)
    manager = AsyncKernelManager(
        kernel_spec_manager=_OurKernel(command),
        transport="ipc",
        ip=str(folder / "k"),
        connection_file=str(folder / "kernel.json"),
    )
    await manager.start_kernel(stdin=subprocess.DEVNULL, env=settings.environment(), pass_fds=handles)
    for handle in handles:
        os.close(handle)
    channels = manager.client()
    channels.start_channels()
    await channels.wait_for_ready(timeout=_STARTUP_SECONDS)
    return manager, channels


def was_ended_for_a_call(manager: Any) -> bool:
    """Whether the system call filter ended the kernel; bubblewrap passes its exit status on."""
    process = getattr(manager.provisioner, "process", None)
    return process is not None and process.poll() in (128 + signal.SIGSYS, -signal.SIGSYS)
