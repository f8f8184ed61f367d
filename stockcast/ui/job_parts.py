"""Who works on the parts of a job just now, and how many each has done."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.jobs.job import Job
from stockcast.ui.column_titles import headed
from stockcast.ui.domain_words import told
from stockcast.ui.language import N_


def show_parts(parts: Sequence[Job]) -> None:
    """A row for each process; nothing for a job that has no parts."""
    if any(part.started_at for part in parts):
        st.table(headed(parts_table(parts)), border="horizontal", hide_index=True)


def parts_table(parts: Sequence[Job]) -> pd.DataFrame:
    """One row for each process that has taken a part, in the order in which they came."""
    rows: dict[str, dict[str, object]] = {}
    taken = [part for part in parts if part.started_at is not None]
    for part in sorted(taken, key=lambda part: str(part.started_at)):
        row = rows.setdefault(
            f"{part.host} {part.pid}",
            {N_("Process"): f"{part.pid}", N_("Machine"): part.host, N_("At work on"): "", N_("Parts done"): 0},
        )
        if part.state == "running":
            row["At work on"] = told(part.phase) if part.phase else ""
        elif part.state == "succeeded":
            row["Parts done"] = int(str(row["Parts done"])) + 1
    return pd.DataFrame(list(rows.values()), columns=["Process", "Machine", "At work on", "Parts done"])
