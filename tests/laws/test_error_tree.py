"""The error tree: drawn in its docstring, mapped by every face."""

from __future__ import annotations

import inspect

import pytest

from stockcast import errors
from stockcast.api.problems import Refused, code_of, status_of
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


@pytest.mark.parametrize("kind", LEAVES)
def test_every_leaf_has_a_status_and_a_code_of_its_own_and_tells_no_address(
    kind: type[errors.StockcastError],
) -> None:
    message, hint = "The thing at postgresql://user@host/x failed.", "Mend it."
    more = ("job1",) if kind is errors.TrainingActive else ()
    problem = kind(message, hint, *more)
    assert status_of(problem) in (400, 404, 409, 422, 503)
    assert code_of(problem).replace("_", "") == kind.__name__.lower()
    body = Refused.of(problem).body("id1").decode()
    assert ("postgresql" in body) == (not issubclass(kind, errors.StateError))
    if status_of(problem) == 503:
        assert (b"retry-after", b"5") in Refused.of(problem).head()


def test_an_error_reads_as_what_is_wrong_and_how_to_mend_it() -> None:
    problem = errors.InvalidTicker("'?' is not a ticker.", "Use letters.")
    assert (str(problem), problem.hint) == ("'?' is not a ticker. Use letters.", "Use letters.")
