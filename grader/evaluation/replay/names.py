"""Which names a notebook binds, and which of its calls build models. Syntax trees only."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def dotted(node: ast.expr) -> str:
    """``torch.nn.Linear`` of such an expression; what is no plain chain of names counts as "?"."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(node.id if isinstance(node, ast.Name) else "?")
    return ".".join(reversed(parts))


def bound_names(sources: Iterable[str]) -> frozenset[str]:
    """What these statements bind at the top, and Python's own names."""
    bound = set(dir(builtins))
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                    bound.add(name)
                case ast.alias(name=name, asname=asname):
                    bound.add(asname or name.partition(".")[0])
        for top in ast.parse(source).body:
            if not isinstance(top, ast.ClassDef | ast.FunctionDef):
                bound |= _stored(top)
    return frozenset(bound)


def _stored(node: ast.AST) -> set[str]:
    """Names that it binds; those of comprehensions live only within."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    inner = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.comprehension)]
    return {name for child in inner for name in _stored(child)}


class CallsMeet:
    """The notebook's own classes and functions, and the calls that meet them."""

    def __init__(self, trees: Sequence[ast.Module]) -> None:
        nodes = [node for tree in trees for node in ast.walk(tree)]
        self.classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
        self.functions = {node.name: node for node in nodes if isinstance(node, _FunctionNode)}

    def is_builder(self, name: str) -> bool:
        """Whether calling it makes something and trains nothing, as far as its code tells."""
        function = self.functions.get(name)
        return name in self.classes or (function is not None and not _trains(function))

    def builds(self, tree: ast.AST, *, inside_class: bool = False) -> Iterator[tuple[str, ast.Call]]:
        """Every call, at whatever depth, that may make a model: outer ones first."""
        for node in ast.iter_child_nodes(tree):
            if isinstance(node, ast.Call):
                name = dotted(node.func)
                own = name in self.classes or (self.is_builder(name) and self._returns_something(name))
                torchs = name.startswith(("nn.", "torch.nn.")) and not inside_class
                if own or torchs or name.endswith("Sequential"):
                    yield name, node
            yield from self.builds(node, inside_class=inside_class or isinstance(node, ast.ClassDef))

    def parameters(self, name: str) -> list[ast.arg]:
        """The parameters of a class's ``__init__`` (without self) or of a function."""
        node: ast.AST | None = self.functions.get(name)
        if name in self.classes:
            inits = [
                n for n in self.classes[name].body if isinstance(n, _FunctionNode) and n.name == "__init__"
            ]
            node = inits[0] if inits else None
        if not isinstance(node, _FunctionNode):
            return []
        arguments = [*node.args.posonlyargs, *node.args.args]
        return arguments[1:] if name in self.classes else arguments

    def _returns_something(self, name: str) -> bool:
        nodes = ast.walk(self.functions[name])
        return any(isinstance(node, ast.Return) and node.value is not None for node in nodes)


def _trains(function: ast.AST) -> bool:
    names = (node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute))
    return any(name in ("backward", "step", "savefig", "show") for name in names)
