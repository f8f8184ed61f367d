"""The error tree: drawn in its docstring, mapped by every face."""

from __future__ import annotations

import inspect

import pytest

from stockcast import errors
from stockcast.cli.exit_codes import exit_code

TREE = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.StockcastError) and kind.__module__ == errors.__name__
]
LEAVES = [kind for kind in TREE if not kind.__subclasses__()]


@pytest.mark.parametrize("kind", TREE)
def test_every_error_is_drawn_in_the_tree(kind: type[errors.StockcastError]) -> None:
    assert errors.__doc__ is not None
    assert f" {kind.__name__} " in errors.__doc__.replace("\n", " ")


@pytest.mark.parametrize("kind", LEAVES)
def test_every_leaf_has_an_exit_code_of_its_own_family(kind: type[errors.StockcastError]) -> None:
    assert 2 <= exit_code(kind.__new__(kind)) <= 8


def test_an_error_reads_as_what_is_wrong_and_how_to_mend_it() -> None:
    problem = errors.InvalidTicker("'?' is not a ticker.", "Use letters.")
    assert (str(problem), problem.hint) == ("'?' is not a ticker. Use letters.", "Use letters.")
