"""Errors of the tree survive the way from a worker process to the page that waits for it."""

from __future__ import annotations

import pickle

import pytest

from stockcast import errors
from stockcast.errors import StockcastError, TrainingActive


def leaves(kind: type[StockcastError]) -> list[type[StockcastError]]:
    return [leaf for child in kind.__subclasses__() for leaf in leaves(child)] or [kind]


@pytest.mark.parametrize("kind", leaves(StockcastError), ids=lambda kind: kind.__name__)
def test_an_error_arrives_as_it_was_raised(kind: type[StockcastError]) -> None:
    extra = ("abc123",) if kind is TrainingActive else ()
    sent = kind("What is wrong.", "How to mend it.", *extra)
    arrived = pickle.loads(pickle.dumps(sent))
    assert type(arrived) is kind
    assert (arrived.message, arrived.hint, str(arrived)) == (sent.message, sent.hint, str(sent))
    assert str(arrived) == "What is wrong. How to mend it."
    assert getattr(arrived, "job_id", None) == getattr(sent, "job_id", None)


def test_the_docstring_draws_every_error() -> None:
    assert errors.__doc__ is not None
    for kind in leaves(StockcastError):
        assert f"── {kind.__name__} " in errors.__doc__
