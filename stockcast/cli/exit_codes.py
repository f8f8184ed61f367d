"""Exit codes of the command line: one table over the error tree."""

from __future__ import annotations

from stockcast import errors

# 1 is left to errors that nobody foresaw, 2 is also what typer uses for wrong options.
EXIT_CODES: dict[type[errors.StockcastError], int] = {
    errors.InputError: 2,
    errors.SourceError: 3,
    errors.StalePrices: 4,
    errors.EvaluationError: 5,
    errors.ModelError: 6,
    errors.JobError: 7,
    errors.StateError: 8,
}


def exit_code(problem: errors.StockcastError) -> int:
    """The exit code of an error: that of its nearest ancestor in the table."""
    for kind in type(problem).__mro__:
        if kind in EXIT_CODES:
            return EXIT_CODES[kind]
    raise KeyError(f"{type(problem).__name__} has no exit code")
