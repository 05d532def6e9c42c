"""Notebooks as students write them, run in a real jail."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from grader.domain.run import Verdict
from grader.errors import RunIncomplete
from grader.sandbox.bubblewrap import BubblewrapSandbox, open_sandbox
from tests.integration.notebook_runs import AUTOENCODER, Outcome, make_mnist, run_cells


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> BubblewrapSandbox:
    return open_sandbox(scratch=tmp_path_factory.mktemp("scratch"))


@pytest.fixture(scope="module")
def ordinary(sandbox: BubblewrapSandbox) -> Outcome:
    """One run of many ordinary cells."""
    return run_cells(
        sandbox,
        "x = 1\nprint('hello')\nx",  # 0
        "1 / 0",  # 1
        "print(x)",  # 2
        "input('name? ')",  # 3
        "import sys\nsys.exit(2)",  # 4
        "raise SystemExit",  # 5
        "%%time\ny = 2",  # 6
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",  # 7
        "!echo from the shell",  # 8
        "%pip install a-package-that-is-not-there",  # 9
        "import asyncio\nawait asyncio.sleep(0)\nprint('awaited')",  # 10
        "print(sorted(name for name in globals() if not name.startswith('_')))",  # 11
        "def (:",  # 12
        "pass",  # 13
        "import sys\nprint(sys.stdout.isatty())\nprint('oops', file=sys.stderr)",  # 14
        "print('torch' in sys.modules)",  # 15
        "print(y)",  # 16
        output_bytes_per_cell=100_000,
    )


def test_a_cell_shows_what_it_printed_and_its_value(ordinary: Outcome) -> None:
    assert ordinary.text(0) == "hello\n"
    assert ordinary.outputs(0)[-1]["data"] == {"text/plain": "1"}


def test_an_error_is_shown_and_does_not_stop_the_cells_after_it(ordinary: Outcome) -> None:
    assert ordinary.run.cells[1].error == "ZeroDivisionError: division by zero"
    assert ordinary.text(2) == "1\n"
    assert ordinary.run.verdict is Verdict.CELL_ERROR


def test_the_states_of_all_cells_are_told_in_order(ordinary: Outcome) -> None:
    wrong = {1, 3, 4, 5, 12}
    assert ordinary.states == ["error" if index in wrong else "ok" for index in range(17)]
    assert ordinary.told == list(ordinary.run.cells)


def test_a_question_to_the_keyboard_fails_at_once(ordinary: Outcome) -> None:
    assert "input" in ordinary.run.cells[3].error


@pytest.mark.parametrize("index", [4, 5])
def test_leaving_python_is_an_error_of_that_cell_alone(ordinary: Outcome, index: int) -> None:
    assert ordinary.run.cells[index].error.startswith("SystemExit")


@pytest.mark.parametrize(
    ("index", "text"),
    [(6, "Wall time"), (8, "from the shell"), (9, "No matching distribution"), (10, "awaited"), (16, "2")],
)
def test_magics_shell_lines_and_await_work(ordinary: Outcome, index: int, text: str) -> None:
    assert text in ordinary.text(index)


def test_a_plot_comes_as_a_picture(ordinary: Outcome) -> None:
    assert any("image/png" in output.get("data", {}) for output in ordinary.outputs(7))


def test_the_namespace_holds_only_the_students_own_names(ordinary: Outcome) -> None:
    names = set(eval(ordinary.text(11)))
    assert names - {"In", "Out", "exit", "quit", "get_ipython", "open"} == {"x", "y", "plt", "sys", "asyncio"}


def test_a_notebook_without_torch_never_loads_it(ordinary: Outcome) -> None:
    assert ordinary.text(15) == "False\n"


def test_the_executed_notebook_is_valid(ordinary: Outcome) -> None:
    nbformat.validate(nbformat.reads(ordinary.blobs[ordinary.run.executed_sha256].decode(), 4))


def test_random_numbers_are_the_same_in_every_run(sandbox: BubblewrapSandbox) -> None:
    cells = ["1 / 0", "import random, numpy as np\nprint(random.random(), np.random.rand(), hash('a'))"]
    once, again = (run_cells(sandbox, *cells).text(1) for _ in range(2))
    assert once == again != ""


def test_the_versions_and_threads_stand_beside_the_run(ordinary: Outcome) -> None:
    assert {"python", "torch", "numpy", "nbclient", "ipykernel"} <= set(ordinary.run.versions)
    assert ordinary.run.threads == 1


def test_a_notebook_without_code_is_ok(sandbox: BubblewrapSandbox) -> None:
    outcome = run_cells(sandbox)
    assert (outcome.run.verdict, outcome.run.cells, outcome.run.models) == (Verdict.OK, (), ())


@pytest.fixture(scope="module")
def training(sandbox: BubblewrapSandbox, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """One run that loads MNIST and trains."""
    folder = tmp_path_factory.mktemp("mnist")
    return run_cells(
        sandbox,
        AUTOENCODER,  # 0
        "for d in (2, 3): model = fit(AE(d))",  # 1
        "import torchvision\nfrom torchvision import datasets, transforms\n"
        "print([len(datasets.MNIST(root, train=train, download=True)) for root, train in "
        "[('data', True), ('./data', False), ('../data', True), ('../../data', True), "
        "('/tmp', True), ('/content/data', True)]])",  # 2
        "loader = torch.utils.data.DataLoader(datasets.MNIST('data', transform=transforms.ToTensor()), 50, "
        "num_workers=1)\nprint(sum(len(images) for images, _ in loader), torch.get_num_threads())",  # 3
        "fit(model)\n1 / 0",  # 4
        "torch.save(model, 'm.pt')\nagain = torch.load('m.pt', weights_only=False)\nprint(model)",  # 5
        "import os\nos.environ.update(CC='/none', CXX='/none', PATH='/none')\n"
        "print(torch.compile(model)(x).shape)",  # 6
        mounts=[make_mnist(folder)],
        output_bytes_per_cell=100_000,
    )


def test_models_are_found_after_each_cell_also_the_overwritten_one(training: Outcome) -> None:
    assert training.states == ["ok", "ok", "ok", "ok", "error", "ok", "ok"]
    assert [model.cell for model in training.run.models] == [1, 1, 4]
    assert training.widths == [2, 3, 3]


def test_a_model_says_what_it_was_fed(training: Outcome) -> None:
    inputs = training.run.models[0].inputs
    assert inputs is not None
    assert inputs.shape == (32, 784)


def test_mnist_can_be_had_below_any_usual_folder_without_a_network(training: Outcome) -> None:
    assert training.text(2).strip().endswith("[200, 50, 200, 200, 200, 200]")


def test_a_data_loader_with_workers_works_on_one_thread(training: Outcome) -> None:
    assert training.text(3) == "200 1\n"


def test_a_model_that_is_saved_and_shown_has_nothing_of_ours(training: Outcome) -> None:
    assert "AE(" in training.text(5)
    assert "grader" not in training.text(5)
    assert training.run.detail.count("Remarks") == 0


def test_a_compiled_model_needs_no_compiler(training: Outcome) -> None:
    assert training.text(6) == "torch.Size([32, 784])\n"


def test_a_run_that_we_kill_is_no_verdict(sandbox: BubblewrapSandbox) -> None:
    with pytest.raises(RunIncomplete):
        run_cells(sandbox, "1", "1", on_start=lambda jail: jail.kill())


def test_a_run_without_the_data_set_says_so_in_the_cell(sandbox: BubblewrapSandbox, tmp_path: Path) -> None:
    outcome = run_cells(sandbox, "open('/data/mnist/checksums.json')")
    assert outcome.run.cells[0].error.startswith("FileNotFoundError")
