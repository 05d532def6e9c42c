"""What is taken of a notebook by its syntax tree, so that its models can be built again."""

from __future__ import annotations

import pytest

from grader.evaluation.replay.program import Program, take_program

CLASS = """
class AE(nn.Module):
    def __init__(self, latent_dim, hidden=64):
        super().__init__()
"""


def take(*cells: str) -> Program:
    return take_program(enumerate(cells))


def sources(program: Program) -> list[str]:
    return [definition.source.split("\n")[0] for definition in program.definitions]


def test_imports_classes_functions_and_constants_are_kept_and_training_is_not() -> None:
    program = take(
        "import torch, os\nfrom torch import nn\nH = 64\nwidths: list = [2, 8]\nact = nn.ReLU",
        CLASS,
        "def train(model):\n    loss.backward()\n",
        "data = load_everything()\nmodel.fit(data)\nfor x in data:\n    print(x)\nx += 1",
    )
    assert sources(program) == [
        "import torch",
        "import os",
        "from torch import nn",
        "H = 64",
        "widths: list = [2, 8]",
        "act = nn.ReLU",
        "class AE(nn.Module):",
        "def train(model):",
    ]
    assert [definition.cell for definition in program.definitions] == [0] * 6 + [1, 2]


def test_magics_shell_lines_and_cells_that_do_not_parse_cost_nothing_else() -> None:
    program = take(
        "%matplotlib inline\n!pip install torch\nimport math\nAE?",
        "this is no Python",
        "%%time\nH = 3",
        "%%bash\nls",
        "(" * 5000,
    )
    assert sources(program) == ["import math", "H = 3"]


def test_a_device_chosen_by_what_is_there_is_a_constant() -> None:
    chosen = "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')"
    branch = "if torch.cuda.is_available():\n    kind = 'cuda'\nelse:\n    kind = 'cpu'"
    assert sources(take(chosen, branch)) == [chosen, "if torch.cuda.is_available():"]


def test_slow_libraries_are_imported_only_where_a_class_needs_them() -> None:
    imports = "import matplotlib.pyplot as plt\nfrom torchvision import datasets, transforms"
    user = "class A:\n    def f(self):\n        return transforms.Pad(2)"
    assert sources(take(imports, user)) == ["from torchvision import transforms", "class A:"]


def test_definitions_in_a_try_or_an_if_are_found() -> None:
    tried = "try:\n    import torch\nexcept ImportError:\n    pass"
    program = take(tried, "if __name__ == '__main__':\n    run()\n    K = 3")
    assert sources(program) == ["import torch", "K = 3"]


def test_every_call_that_may_make_a_model_is_found_at_any_depth() -> None:
    program = take(
        CLASS,
        "def experiment(d):\n    model = AE(d, hidden=H).to(device)\n    loss.backward()\nexperiment(32)",
        "models = {k: AE(latent_dim=k) for k in [2, 8]}\nnet = nn.Sequential(AE(4), AE(4))",
    )
    assert [(build.cell, build.source, build.free) for build in program.builds] == [
        (
            1,
            "AE(d, hidden=H)",
            (
                "H",
                "d",
            ),
        ),
        (2, "AE(latent_dim=k)", ("k",)),
        (2, "nn.Sequential(AE(4), AE(4))", ("nn",)),
        (2, "AE(4)", ()),
    ]


@pytest.mark.parametrize(
    ("code", "name", "values"),
    [
        ("for k in [2, 8]:\n    AE(k)", "k", ("2", "8")),
        ("dims = (2, 8)\nfor i, k in enumerate(dims):\n    AE(k)", "k", ("2", "8")),
        ("for k, lr in zip([2, 8], [0.1, 0.2]):\n    AE(k)", "lr", ("0.1", "0.2")),
        ("for k in range(2, 6, 2):\n    AE(k)", "k", ("2", "4")),
        ("sizes = {'a': 2, 'b': 8}\nfor name, k in sizes.items():\n    AE(k)", "k", ("2", "8")),
        ("m = [AE(k) for k in [2, 8]]", "k", ("2", "8")),
        ("def make(k=8):\n    return AE(k)\nmake()\nmake(2)\nmake(k=32)", "k", ("2", "32", "8")),
        ("a, b = 2, 8\nAE(a, b)", "b", ("8",)),
        ("AE(2, hidden=48)", "hidden", ("48", "64")),
    ],
)
def test_what_a_name_may_stand_for_is_gathered_from_every_line_that_gives_it(
    code: str, name: str, values: tuple[str, ...]
) -> None:
    assert sorted(take(CLASS, code).values[name]) == sorted(values)


def test_data_in_the_code_is_left_out() -> None:
    table = "TABLE = [" + "1, " * 20_000 + "]"
    assert sources(take(table, "K = 2")) == ["K = 2"]
    many = [f"C{number} = '{'x' * 30_000}'" for number in range(40)]
    assert sum(len(definition.source) for definition in take(*many).definitions) <= 400_000


def test_hostile_trees_are_walked_without_harm() -> None:
    assert take("x = " + "-" * 50_000 + "1", "y = " + "[" * 80 + "]" * 80, "\0", "\ud800").builds == ()
