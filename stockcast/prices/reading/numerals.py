"""Numbers as people write them: 1234.56, 1,234.56, 1.234,56, R$ 12,50, 1,23M, n/a."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.grid import Cell

DecimalMark = Literal[".", ","]
LineCell = tuple[int, Cell]  # a cell and the line it stands in

_MISSING = {
    "", "-", "--", "—", "–", ".", "n/a", "na", "nan", "null", "none", "n/d", "nd", "s/d",
    "#n/a", "#value!", "#div/0!",
}  # fmt: skip
_MULTIPLES = {"k": 1e3, "mil": 1e3, "m": 1e6, "mi": 1e6, "b": 1e9, "bi": 1e9, "t": 1e12}
# A currency before, a multiple or a percent sign after; blanks and apostrophes group digits.
_NUMBER = re.compile(r"(?:R\$|US\$|\$|€|£|¥)?([+-]?[\d.,]+(?:e[+-]?\d+)?)(k|mil|mi|m|bi|b|t|%)?", re.IGNORECASE)
_BLANKS = re.compile(r"[\s'’]+")
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
_LONGEST = 60


def decide_mark(
    cells: Iterable[LineCell], others: Iterable[LineCell], separator: str | None, portuguese: bool
) -> DecimalMark:
    """The decimal mark of a file, as an unmistakable number of `cells`, else of the `others`, shows it.

    Where all numbers could be read in both ways, a Portuguese file groups thousands with points, a comma that is
    also the separator groups thousands, and a comma beside semicolons is a decimal mark. Raises UnreadableFile
    when not even that tells, or when the `cells` contradict one another.
    """
    shown = _examples(cells)
    if "." in shown and "," in shown:
        raise UnreadableFile(
            f"The file mixes decimal points and decimal commas: {shown['.']} and {shown[',']}.",
            "Write all numbers in the same way, or say which mark is meant (--decimal-mark).",
        )
    doubtful = {"1.234", "1,234"} & shown.keys()
    hints = shown if {".", ","} & shown.keys() else _examples(others)
    if ("," in hints) != ("." in hints):
        return "," if "," in hints else "."
    if doubtful and portuguese:
        return ","
    if "1,234" not in doubtful or separator == ",":
        return "."
    if separator == ";":
        return ","
    raise UnreadableFile(
        f"{shown['1,234']} may have three decimals or be in the thousands; nothing in the file tells.",
        "Say which mark is the decimal one (--decimal-mark), or leave the separators of thousands out.",
    )


def parse_numbers(cells: Sequence[Cell], mark: DecimalMark) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The values, NaN where there is none, and a mask of cells that hold something else than a number. [T]"""
    values = np.full(len(cells), math.nan)
    unreadable = np.zeros(len(cells), dtype=bool)
    for position, cell in enumerate(cells):
        value = _value(cell, mark)
        if value is None:
            unreadable[position] = True
        else:
            values[position] = value
    return values, unreadable


def is_number(cell: Cell) -> bool:
    """Whether a cell reads as a number, in whatever style."""
    if isinstance(cell, str):
        return _digits(cell) is not None
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _value(cell: Cell, mark: DecimalMark) -> float | None:
    """The number of a cell, NaN when it is empty, None when it is something else."""
    if cell is None:
        return math.nan
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell)
    if not isinstance(cell, str):
        return None
    if cell.casefold() in _MISSING:
        return math.nan
    found = _NUMBER.fullmatch(_unblanked(cell)) if len(cell) <= _LONGEST else None
    if found is None:
        return None
    digits, multiple = found.groups()
    if multiple == "%":
        return None
    plain = _without_groups(digits, mark)
    if plain is None:
        return None
    value = float(plain)
    return value if multiple is None else round(value * _MULTIPLES[multiple.casefold()], 6)


def _digits(cell: str) -> str | None:
    found = _NUMBER.fullmatch(_unblanked(cell)) if len(cell) <= _LONGEST else None
    return found[1] if found else None


def _unblanked(cell: str) -> str:
    return _BLANKS.sub("", cell).replace("−", "-")


def _examples(cells: Iterable[LineCell]) -> dict[str, str]:
    """The first number of each kind, with its line: ".", ",", and the doubtful "1.234" and "1,234"."""
    found: dict[str, str] = {}
    for line, cell in cells:
        digits = _digits(cell) if isinstance(cell, str) else None
        mark = _mark_of(digits) if digits else None
        if mark and mark not in found:
            found[mark] = f"'{digits}' (line {line})"
    return found


def _mark_of(digits: str) -> str | None:
    """The decimal mark that a number shows, "1,234" or "1.234" for a doubtful one, None when it shows none."""
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        return "." if digits.rindex(".") > digits.rindex(",") else ","
    if points + commas == 1:
        mark = "." if points else ","
        return f"1{mark}234" if re.fullmatch(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", digits) else mark
    if points + commas and re.fullmatch(r"[+-]?\d{1,3}([.,]\d{3})+", digits):
        return "," if points else "."  # only separators of thousands repeat
    return None


def _without_groups(digits: str, mark: DecimalMark) -> str | None:
    """The digits with a decimal point and no groups; None when a group has not three digits."""
    group = "," if mark == "." else "."
    if group in digits:
        whole = digits.partition(mark)[0]
        if group in digits.partition(mark)[2] or not re.fullmatch(
            rf"[+-]?\d{{1,3}}(?:{re.escape(group)}\d{{3}})+", whole
        ):
            return None
        digits = digits.replace(group, "")
    plain = digits.replace(mark, ".")
    return plain if _PLAIN.fullmatch(plain) else None
