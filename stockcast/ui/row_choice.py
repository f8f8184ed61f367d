"""Rows of a table that are selected, kept in the address.

A table knows its selection by place, and places change with every filter, page and new run. So the address holds
ids, the table is a new one whenever its rows are others, and it begins with what the address says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from stockcast.ui.address import changed, standing, write
from stockcast.ui.column_titles import localised

_BETWEEN = "-"  # no address has to escape it


def asked_ids(parameter: str) -> list[str]:
    """The ids that the address names, in order."""
    return [each for each in (standing(parameter) or "").split(_BETWEEN) if each]


def ask(parameter: str, ids: Sequence[str]) -> None:
    """Makes the address name these, and every table begin with them; followed by a rerun."""
    _write(parameter, ids)
    st.session_state[_round(parameter)] = st.session_state.get(_round(parameter), 0) + 1


def choose_rows(
    table: pd.DataFrame,
    ids: Sequence[str],
    *,
    parameter: str,
    mode: Literal["multi-row", "single-row"],
    columns: dict[str, ColumnConfig],
    shown: Sequence[str],
    alt: str,
) -> list[str]:
    """Draws the table and returns the ids that are selected.

    Ids that are not among these rows stay selected where several can be.
    """
    if changed(parameter):
        ask(parameter, asked_ids(parameter))
    asked = asked_ids(parameter)
    data, known = localised(table, columns)
    state = st.dataframe(
        data,
        hide_index=True,
        height="content",
        column_order=shown,
        column_config=known,
        placeholder="–",
        on_select="rerun",
        selection_mode=mode,
        selection_default={"selection": {"rows": [at for at, each in enumerate(ids) if each in asked]}},
        key=f"{parameter}_{st.session_state.get(_round(parameter), 0)}_{hash(tuple(ids)):x}",
        alt=alt,
    )
    rows = [ids[row] for row in state.selection.rows if row < len(ids)]
    elsewhere = [each for each in asked if each not in ids] if mode == "multi-row" else []
    chosen = [*elsewhere, *rows]
    _write(parameter, chosen)
    return chosen


def _write(parameter: str, ids: Sequence[str]) -> None:
    write(parameter, _BETWEEN.join(ids) or None)


def _round(parameter: str) -> str:
    return f"{parameter}_round"
