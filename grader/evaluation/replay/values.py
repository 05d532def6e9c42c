"""What a notebook's names may stand for, wherever some line gives them a value. Syntax trees only."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from grader.evaluation.replay.names import CallsMeet, dotted

_MOST_VALUES = 24
_VALUE_CHARACTERS = 400
_DEPTH = 4  # of names that stand for names


def gather_values(trees: Sequence[ast.Module], meet: CallsMeet) -> dict[str, tuple[str, ...]]:
    """Every expression without a call that a name gets: by assignment, loop, default or argument."""
    gathered = _Gathered(_constants(trees), meet)
    for tree in trees:
        for node in ast.walk(tree):
            gathered.take(node)
    return {name: tuple(values) for name, values in gathered.given.items()}


class _Gathered:
    def __init__(self, constants: Mapping[str, ast.expr], meet: CallsMeet) -> None:
        self.given: dict[str, dict[str, None]] = {}
        self._constants = constants
        self._meet = meet

    def take(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._give(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._give(target, value)
            case ast.For(target=target, iter=iterable) | ast.comprehension(target=target, iter=iterable):
                for value in _elements(iterable, self._constants):
                    self._give(target, value)
            case ast.Call():
                self._take_call(node)
            case ast.arguments():
                for name, value in _defaults(node):
                    self._give(name, value)

    def _take_call(self, call: ast.Call) -> None:
        parameters = self._meet.parameters(dotted(call.func))
        for parameter, value in zip(parameters, call.args, strict=False):
            self._give(parameter.arg, value)
        for keyword in call.keywords if parameters else ():
            if keyword.arg:
                self._give(keyword.arg, keyword.value)

    def _give(self, target: ast.expr | str, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, ast.Tuple | ast.List):
                for one, its in zip(target.elts, value.elts, strict=False):
                    self._give(one, its)
            return
        name = target.id if isinstance(target, ast.Name) else target
        if isinstance(name, str) and not any(isinstance(node, ast.Call) for node in ast.walk(value)):
            text = ast.unparse(value)
            values = self.given.setdefault(name, {})
            if len(text) <= _VALUE_CHARACTERS and len(values) < _MOST_VALUES:
                values[text] = None


def _constants(trees: Sequence[ast.Module]) -> dict[str, ast.expr]:
    assigned = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Assign))
    return {t.id: node.value for node in assigned for t in node.targets if isinstance(t, ast.Name)}


def _elements(iterable: ast.expr, constants: Mapping[str, ast.expr], depth: int = 0) -> Sequence[ast.expr]:
    """What a loop goes through, where the tree tells."""
    found: Sequence[ast.expr] = ()
    match iterable:
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            found = elements
        case ast.Dict(keys=keys):
            found = [key for key in keys if key is not None]
        case ast.Name(id=name) if name in constants and depth < _DEPTH:
            found = _elements(constants[name], constants, depth + 1)
        case ast.Call(func=ast.Attribute(attr="items", value=inner)):
            inner = constants.get(inner.id, inner) if isinstance(inner, ast.Name) else inner
            if isinstance(inner, ast.Dict):
                pairs = zip(inner.keys, inner.values, strict=True)
                found = [_pair(key, value) for key, value in pairs if key is not None]
        case ast.Call(func=ast.Name(id=name), args=arguments) if depth < _DEPTH:
            found = _elements_of_call(name, arguments, constants, depth + 1)
    return found[:_MOST_VALUES]


def _elements_of_call(
    name: str, arguments: Sequence[ast.expr], constants: Mapping[str, ast.expr], depth: int
) -> Sequence[ast.expr]:
    columns = [_elements(one, constants, depth) for one in arguments]
    match name:
        case "enumerate" if columns:
            return [_pair(ast.Constant(0), one) for one in columns[0]]
        case "tqdm" | "list" | "sorted" | "reversed" if columns:
            return columns[0]
        case "zip":
            return [ast.Tuple(list(row)) for row in zip(*columns, strict=False)]
        case "range":
            bounds = [n.value for n in arguments if isinstance(n, ast.Constant) and isinstance(n.value, int)]
            if bounds and len(bounds) == len(arguments) <= 3 and 0 not in bounds[2:]:
                return [ast.Constant(number) for number in range(*bounds)[:_MOST_VALUES]]
    return ()


def _pair(first: ast.expr, second: ast.expr) -> ast.expr:
    return ast.Tuple([first, second])


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    late = positional[len(positional) - len(arguments.defaults) :]
    yield from ((one.arg, value) for one, value in zip(late, arguments.defaults, strict=True))
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield one.arg, default
