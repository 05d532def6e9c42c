"""What of a notebook is needed to build its models again: taken by syntax tree, nothing of it is run here."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from grader.evaluation.replay.names import CallsMeet, bound_names, dotted
from grader.evaluation.replay.values import gather_values

_STATEMENT_CHARACTERS = 40_000  # a longer one carries data, which replay has no use for
_ALL_CHARACTERS = 400_000
_MOST_BUILDS = 200
_MAGIC = re.compile(r"^(\s*)(?:[%!?].*|.*\S\?{1,2}\s*)$")

_CALLS = frozenset(
    [
        "abs",
        "bool",
        "dict",
        "enumerate",
        "float",
        "frozenset",
        "int",
        "len",
        "list",
        "max",
        "min",
        "pow",
        "range",
        "round",
        "set",
        "sorted",
        "str",
        "sum",
        "tuple",
        "zip",
        "device",
        "Namespace",
        "SimpleNamespace",
        "partial",
        "is_available",
        "prod",
        "sqrt",
        "ceil",
        "floor",
        "log2",
        "tensor",
        "Size",
    ]
)
# Their modules are slow to load and build no autoencoder.
_ONLY_WHERE_USED = frozenset(
    [
        "IPython",
        "ipywidgets",
        "matplotlib",
        "pandas",
        "plotly",
        "scipy",
        "seaborn",
        "sklearn",
        "torchvision",
        "tqdm",
        "umap",
    ]
)


@dataclass(frozen=True, slots=True)
class Definition:
    """One statement: an import, a class, a function or a constant."""

    cell: int
    source: str


@dataclass(frozen=True, slots=True)
class Build:
    """An expression that may make a model, as some line of the notebook has it."""

    cell: int
    source: str
    makes: str  # the class or function that it calls
    free: tuple[str, ...]  # names that no definition binds


@dataclass(frozen=True, slots=True)
class Program:
    """A notebook's definitions in their order, where it builds models, and what its names stand for."""

    definitions: tuple[Definition, ...]
    builds: tuple[Build, ...]
    values: dict[str, tuple[str, ...]]  # name → expressions that some line gives it

    def pack(self) -> bytes:
        """As JSON, for the jail."""
        return json.dumps(asdict(self)).encode("ascii")


def take_program(cells: Iterable[tuple[int, str]]) -> Program:
    """Take it from code cells, (index, source). A cell that cannot be parsed gives nothing."""
    trees = [(index, tree) for index, source in cells if (tree := _parse(source)) is not None]
    meet = CallsMeet([tree for _, tree in trees])
    used = _used_names(trees)
    definitions = [
        Definition(index, text)
        for index, tree in trees
        for text in _texts(_definitions(tree.body, meet), used)
    ]
    bound = bound_names(definition.source for definition in definitions)
    builds = [
        Build(index, ast.unparse(call), name, tuple(sorted(_free(call) - bound)))
        for index, tree in trees
        for name, call in meet.builds(tree)
    ]
    return Program(
        tuple(_within(definitions)),
        tuple(dict.fromkeys(builds))[:_MOST_BUILDS],
        gather_values([tree for _, tree in trees], meet),
    )


def _parse(source: str) -> ast.Module | None:
    if source.lstrip().startswith("%%"):
        first, _, source = source.lstrip().partition("\n")
        if not first.startswith(("%%time", "%%capture", "%%timeit", "%%prun")):
            return None
    for text in (source, "\n".join(_MAGIC.sub(r"\1pass", line) for line in source.split("\n"))):
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _definitions(body: Sequence[ast.stmt], meet: CallsMeet) -> Iterator[ast.stmt]:
    for node in body:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.ClassDef() | ast.FunctionDef():
                yield node
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) if _is_simple(
                value, meet
            ):
                yield node
            case ast.If() | ast.Try() | ast.With():
                if isinstance(node, ast.If) and _is_all_simple(node, meet):
                    yield node
                else:
                    for inner in ("body", "orelse", "finalbody"):
                        yield from _definitions(getattr(node, inner, []), meet)


def _is_all_simple(node: ast.If, meet: CallsMeet) -> bool:
    inner = [*node.body, *node.orelse]
    return _is_simple(node.test, meet) and list(_definitions(inner, meet)) == inner


def _is_simple(value: ast.expr, meet: CallsMeet) -> bool:
    """Whether it only names, counts or builds: no data, no training."""
    for node in ast.walk(value):
        if isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr):
            return False
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            known = name.rpartition(".")[2] in _CALLS or meet.is_builder(name)
            if not known and not name.startswith(("nn.", "torch.nn.")):
                return False
    return True


def _used_names(trees: Sequence[tuple[int, ast.Module]]) -> frozenset[str]:
    """The names that classes use: what they need is imported even where it is slow to load."""
    classes = [node for _, tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return frozenset(node.id for one in classes for node in ast.walk(one) if isinstance(node, ast.Name))


def _texts(statements: Iterable[ast.stmt], used: frozenset[str]) -> Iterator[str]:
    for node in statements:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                module = node.module if isinstance(node, ast.ImportFrom) else alias.name
                name = (alias.asname or alias.name).partition(".")[0]
                if (module or "").partition(".")[0] not in _ONLY_WHERE_USED or name in used:
                    yield ast.unparse(_with_one(node, alias))
            continue
        try:
            yield ast.unparse(node)
        except RecursionError:
            continue


def _with_one(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    """Each name on its own, so that one that is missing costs no other."""
    if isinstance(node, ast.Import):
        return ast.Import([alias])
    return ast.ImportFrom(node.module, [alias], node.level)


def _within(definitions: Sequence[Definition]) -> Iterator[Definition]:
    left = _ALL_CHARACTERS
    for definition in definitions:
        size = len(definition.source)
        if size <= min(left, _STATEMENT_CHARACTERS):
            left -= size
            yield definition


def _free(expression: ast.expr) -> set[str]:
    named = [node for node in ast.walk(expression) if isinstance(node, ast.Name)]
    inner = {node.id for node in named if not isinstance(node.ctx, ast.Load)}
    inner |= {node.arg for node in ast.walk(expression) if isinstance(node, ast.arg)}
    return {node.id for node in named} - inner
