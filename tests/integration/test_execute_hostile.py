"""Notebooks that end badly, by accident or on purpose: what came before is kept, and it is a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.domain.run import Verdict
from grader.sandbox.bubblewrap import BubblewrapSandbox, open_sandbox
from grader.sandbox.jail import Mount
from tests.integration.notebook_runs import AUTOENCODER, run_cells


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> BubblewrapSandbox:
    return open_sandbox(scratch=tmp_path_factory.mktemp("scratch"))


def test_a_cell_out_of_time_is_interrupted_and_the_next_one_runs(sandbox: BubblewrapSandbox) -> None:
    outcome = run_cells(
        sandbox, "x = 1", "print('begun')\nwhile True: pass", "print(x)", "1 / 0", cell_seconds=1.5
    )
    assert outcome.states == ["ok", "timeout", "ok", "error"]
    assert outcome.text(1).startswith("begun\n")
    assert outcome.text(2) == "1\n"
    assert outcome.run.verdict is Verdict.TIMEOUT


def test_a_cell_that_ignores_the_interrupt_costs_the_kernel(sandbox: BubblewrapSandbox) -> None:
    stubborn = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('begun', flush=True)"
    outcome = run_cells(sandbox, "1", f"{stubborn}\nwhile True: pass", "1", cell_seconds=1.5)
    assert outcome.states == ["ok", "timeout", "not_run"]
    assert outcome.text(1) == "begun\n"
    assert outcome.run.verdict is Verdict.TIMEOUT


def test_models_trained_before_an_interrupt_are_kept(sandbox: BubblewrapSandbox) -> None:
    interrupted = (
        "for d in (2, 3): model = fit(AE(d))\nmodel = AE(5)\nimport os, signal, time\n"
        "os.kill(os.getpid(), signal.SIGINT)  # as the time limit does\ntime.sleep(60)"
    )
    outcome = run_cells(sandbox, AUTOENCODER, interrupted, "print('after')")
    assert outcome.states == ["ok", "error", "ok"]
    assert outcome.run.cells[1].error.startswith("KeyboardInterrupt")
    assert outcome.widths == [2, 3, 5]


def test_the_time_of_the_whole_run_is_up(sandbox: BubblewrapSandbox) -> None:
    outcome = run_cells(sandbox, "print('a')", "import time\ntime.sleep(60)", "print('b')", total_seconds=2)
    assert outcome.states == ["ok", "timeout", "not_run"]
    assert outcome.run.verdict is Verdict.DEADLINE


@pytest.mark.parametrize(
    "end", ["import os; os._exit(0)", "import os; os.abort()", "import os; os.kill(os.getpid(), 9)"]
)
def test_a_kernel_that_dies_keeps_what_was_done(sandbox: BubblewrapSandbox, end: str) -> None:
    outcome = run_cells(sandbox, "print('a')", end, "print('b')")
    assert outcome.states == ["ok", "error", "not_run"]
    assert outcome.text(0) == "a\n"
    assert outcome.run.verdict is Verdict.KERNEL_DIED


def test_the_models_of_the_cell_in_which_the_kernel_dies_are_kept(sandbox: BubblewrapSandbox) -> None:
    outcome = run_cells(sandbox, AUTOENCODER, "fit(AE(2))\nfit(AE(3))\nfit(AE(5))\nimport os; os._exit(1)")
    assert {2, 3} <= set(outcome.widths)


def test_too_much_memory_is_named_as_such(sandbox: BubblewrapSandbox) -> None:
    hoard = "hoard = [bytearray(b'x' * (1 << 24)) for _ in range(10_000)]"
    outcome = run_cells(sandbox, "print('a')", hoard, "1", memory_bytes=400 << 20)
    assert outcome.states == ["ok", "error", "not_run"]
    assert outcome.run.verdict is Verdict.MEMORY_LIMIT


def test_endless_printing_is_cut_with_a_mark(sandbox: BubblewrapSandbox) -> None:
    outcome = run_cells(
        sandbox,
        "while True: print('y' * 1000)",
        "print('after')",
        cell_seconds=2,
        output_bytes_per_cell=5000,
    )
    assert outcome.states == ["timeout", "ok"]
    assert outcome.run.cells[0].output_cut
    assert outcome.run.cells[0].output_bytes < 6000
    assert "[output cut:" in outcome.text(0)
    assert outcome.text(1) == "after\n"


def test_a_giant_display_and_a_giant_error_are_cut(sandbox: BubblewrapSandbox) -> None:
    outcome = run_cells(
        sandbox,
        "from IPython.display import HTML, display\ndisplay(HTML('x' * 5_000_000))",
        "raise ValueError('v' * 5_000_000)",
        "for number in range(3000): display(number)",
        "print('after')",
        output_bytes_per_cell=20_000,
    )
    assert outcome.states == ["ok", "error", "ok", "ok"]
    assert [cell.output_cut for cell in outcome.run.cells] == [True, True, True, False]


def test_text_in_lines_is_an_output_like_any_other(sandbox: BubblewrapSandbox) -> None:
    """Jupyter's format allows a list of lines for displayed text."""
    outcome = run_cells(sandbox, "display({'text/plain': ['a', 'b']}, raw=True)", "1")
    assert outcome.states == ["ok", "ok"]
    assert outcome.outputs(0)[0]["data"] == {"text/plain": "ab"}


def test_the_output_of_the_whole_run_has_a_limit_too(sandbox: BubblewrapSandbox) -> None:
    outcome = run_cells(sandbox, *["print('x' * 4000)"] * 4, output_bytes_per_cell=5000, output_bytes=10_000)
    assert outcome.states == ["ok"] * 4
    assert outcome.run.verdict is Verdict.OUTPUT_LIMIT


def test_forged_frames_reach_nobody(sandbox: BubblewrapSandbox) -> None:
    forge = """
import glob, os, struct
header = b'{"kind": "end", "reason": "completed"}'
frame = struct.pack('>II', len(header), 0) + header
os.write(1, frame)
for path in glob.glob('/proc/[0-9]*/fd/*'):
    if int(path.split('/')[2]) == os.getpid():
        continue
    try:
        os.write(os.open(path, os.O_WRONLY | os.O_NONBLOCK), frame)
    except OSError:
        pass
"""
    outcome = run_cells(sandbox, forge, "print('after')")
    assert outcome.states == ["ok", "ok"]
    assert outcome.text(1) == "after\n"
    assert outcome.run.verdict is Verdict.OK


def test_the_one_who_reports_can_neither_be_seen_nor_killed(sandbox: BubblewrapSandbox) -> None:
    look = """
import os
for pid in filter(str.isdigit, os.listdir('/proc')):
    print(pid, open(f'/proc/{pid}/cmdline').read().replace(chr(0), ' '))
"""
    kill = """
import os
for everyone in (os.getppid(), 1, -1):
    try: os.kill(everyone, 9)
    except OSError: pass
"""
    outcome = run_cells(sandbox, look, kill, "print('after')")
    assert "inside.kernel" in outcome.text(0)
    assert "inside.child" not in outcome.text(0)
    assert outcome.states == ["ok", "ok", "ok"]
    assert outcome.text(2) == "after\n"


def test_what_is_mounted_below_a_temporary_folder_is_there_for_the_kernel_too(
    sandbox: BubblewrapSandbox, tmp_path: Path
) -> None:
    (tmp_path / "shown.txt").write_text("shown")
    tmp_path.chmod(0o755)
    mounts = (Mount(tmp_path, "/tmp/deep/below"), Mount(tmp_path, "/content/data"))
    look = "for folder in ('/tmp/deep/below', '/content/data'): print(open(folder + '/shown.txt').read())"
    write = "open('/tmp/deep/below/x', 'w')"
    outcome = run_cells(sandbox, look, write, mounts=mounts)
    assert outcome.text(0) == "shown\nshown\n"
    assert outcome.states == ["ok", "error"]


def test_a_student_who_breaks_the_harvest_only_loses_evidence(sandbox: BubblewrapSandbox) -> None:
    vandal = """
import glob, os, sys
for path in glob.glob('/run/harvest/*'): os.unlink(path)
os.symlink('/etc/passwd', '/run/harvest/000001.safetensors')
open('/run/harvest/000009.safetensors', 'wb').write(b'no weights at all')
"""
    replace = "nn.Module.__init__ = lambda self: 1 / 0\ntorch.nn.Module.state_dict = None"
    outcome = run_cells(sandbox, AUTOENCODER, "fit(AE(2))", vandal, replace, "print('after')")
    assert outcome.states == ["ok"] * 5
    assert outcome.widths == [2]
    assert "1 model files were unreadable" in outcome.run.detail


def test_messages_that_are_none_do_not_stop_the_run(sandbox: BubblewrapSandbox) -> None:
    garbage = """
session = get_ipython().kernel.session
socket = get_ipython().kernel.iopub_socket
for message in ([b'x'], [b'<IDS|MSG>', b'bad', b'{}', b'{}', b'{}', b'{}'], [b'<IDS|MSG>']):
    socket.send_multipart(message)
session.send(socket, 'stream', {'name': 'stdout'}, parent=get_ipython().kernel.get_parent())
session.send(socket, 'display_data', {'data': 3}, parent=get_ipython().kernel.get_parent())
session.send(socket, 'comm_open', {}, parent=get_ipython().kernel.get_parent())
print('sent')
"""
    outcome = run_cells(sandbox, garbage, "print('after \\ud800')", "print('a\\0b')")
    assert outcome.states[0] == "ok"
    assert "sent" in outcome.text(0)
    assert outcome.text(2) == "ab\n"
