"""Tables in the visitor's language; in the code and the data a column keeps its English name and bare figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, cast

import pandas as pd
from pandas.io.formats.style import Styler
from streamlit.elements.lib.column_types import ColumnConfig

from stockcast.ui.format import MISSING, figures, p_figure
from stockcast.ui.language import _

Columns = Mapping[str, ColumnConfig]
P_VALUE: Final = "p"  # the format of a column of p-values; the browser, which has none for them, never sees it


def localised(
    table: pd.DataFrame, columns: Columns | None = None
) -> tuple[pd.DataFrame | Styler, dict[str, ColumnConfig]]:
    """What `st.dataframe` is to draw, and what it is to know of each column.

    The browser writes figures of a format such as "%.2f" with a point in every language. Where the visitor has a
    comma, they are written here instead, and so are p-values everywhere; they still sort as figures.
    """
    known = titled(table, columns)
    comma = figures(".") != "."
    written: dict[Any, str | Callable[[object], str] | None] = {}
    for name, column in known.items():
        kind: dict[str, Any] = {**(column.get("type_config") or {})}
        form = str(kind.get("format") or "") if kind.get("type") == "number" else ""
        if form == P_VALUE or (comma and "%" in form):
            written[name] = partial(_written, form)
            known[name]["type_config"] = cast("Any", kind | {"format": None})
    return (table.style.format(written, na_rep=MISSING) if written else table), known


def titled(table: pd.DataFrame, columns: Columns | None = None) -> dict[str, ColumnConfig]:
    """What `st.dataframe` is to know of each column: `columns` say how it is shown, and may name it otherwise."""
    known = columns or {}
    return {name: _titled(name, known.get(name)) for name in map(str, table.columns)}


def headed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its titles read in the visitor's language, for `st.table`."""
    return table.rename(columns=lambda name: _(name) if name else name)


def _titled(name: str, known: ColumnConfig | None) -> ColumnConfig:
    shown_as: ColumnConfig = known.copy() if known is not None else ColumnConfig()
    if shown_as.get("label") is None:
        shown_as["label"] = _(name) if name else name
    return shown_as


def _written(form: str, value: float) -> str:
    """A figure in a format of the browser, which is Python's, or of a p-value."""
    return p_figure(value) if form == P_VALUE else figures(form % value)
