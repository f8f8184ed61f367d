"""What the catalogues and their tests read of the source: trees with their parents, and strings as templates."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "stockcast"

_GAP = re.compile(r"(?<!%)\{\{(\w+)\}\}")  # of a sentence that is filled in elsewhere; not Plotly's
Text = ast.Constant | ast.JoinedStr


@dataclass(frozen=True)
class Found:
    """A string of the source and the nodes around it, the nearest last."""

    file: Path
    node: Text
    around: tuple[ast.AST, ...]

    @property
    def parent(self) -> ast.AST:
        """The node that holds it."""
        return self.around[-1]

    @property
    def words(self) -> str:
        """Its text, with a pair of braces for each value."""
        return words_of(self.node)

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.file.relative_to(ROOT)}:{self.node.lineno}"


def strings(file: Path, *, within: bool = False) -> Iterator[Found]:
    """Every string of a file that is no docstring and no part of an f-string; `within` its values, too."""
    yield from _strings(file, ast.parse(file.read_text(encoding="utf-8")), (), within)


def words_of(node: Text) -> str:
    """The text of a string, with a pair of braces for each value."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def called(node: ast.AST) -> str:
    """The bare name of what a call calls; empty for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def templates(node: ast.expr) -> list[str]:
    """The sentences that an expression can make, in the writing of `str.format`, values named after what they are.

    A value that is one of two literals is spelled out both ways.
    """
    return _spelled(node, {})


def _spelled(node: ast.expr, names: dict[str, str]) -> list[str]:
    return ["".join(parts) for parts in product(*_parts(node, names))]


def _strings(file: Path, node: ast.AST, around: tuple[ast.AST, ...], within: bool) -> Iterator[Found]:
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        if not isinstance(around[-1], ast.Expr):  # a docstring
            yield Found(file, node, around)
        values = getattr(node, "values", ())
        children = [each.value for each in values if within and isinstance(each, ast.FormattedValue)]
    for child in children:
        yield from _strings(file, child, (*around, node), within)


def _parts(node: ast.expr, names: dict[str, str]) -> list[Sequence[str]]:
    if isinstance(node, ast.Constant):
        return [[_GAP.sub(r"{\1}", str(node.value).replace("{", "{{").replace("}", "}}"))]]
    if isinstance(node, ast.JoinedStr):
        return [part for value in node.values for part in _parts(value, names)]
    if isinstance(node, ast.FormattedValue):
        return _parts(node.value, names) if _literal(node.value) else [[_placeholder(node, names)]]
    if isinstance(node, ast.IfExp) and _literal(node):
        return [[*_spelled(node.body, names), *_spelled(node.orelse, names)]]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_parts(node.left, names), *_parts(node.right, names)]
    return [[_placeholder(node, names)]]


def _literal(node: ast.expr) -> bool:
    """Whether it is one of two strings."""
    return isinstance(node, ast.IfExp) and all(
        isinstance(each, ast.JoinedStr)
        or (isinstance(each, ast.Constant) and isinstance(each.value, str))
        or _literal(each)
        for each in (node.body, node.orelse)
    )


def _placeholder(node: ast.expr, names: dict[str, str]) -> str:
    source = ast.unparse(node)
    if source not in names:
        value = node.value if isinstance(node, ast.FormattedValue) else node
        wanted = _name(value).strip("_").lower()
        wanted = wanted if wanted.isidentifier() else "value"
        taken = set(names.values())
        names[source] = next(
            name
            for number in range(1, 99)
            if (name := wanted if number == 1 else f"{wanted}{number}") not in taken
        )
    return "{" + names[source] + "}"


def _name(node: ast.expr) -> str:
    """What a value is, in a word or two, for whoever translates."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        known = node.slice
        return (
            known.value if isinstance(known, ast.Constant) and isinstance(known.value, str) else _name(node.value)
        )
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in (
            "len",
            "str",
            "int",
            "float",
            "abs",
            "min",
            "max",
            "repr",
        ):
            return _name(node.args[0]) if node.args else node.func.id
        return called(node)
    if isinstance(node, ast.BinOp):
        return _name(node.right if isinstance(node.left, ast.Constant) else node.left)
    return "value"
