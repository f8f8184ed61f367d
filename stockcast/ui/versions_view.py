"""The model versions of a universe: who speaks and since when, what each promised, and who may speak instead."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import CHAMPION, ModelVersion
from stockcast.ui.champion_card import note
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import MISSING, count, moment, signed_percent
from stockcast.ui.mlflow_links import open_link, version_address
from stockcast.ui.registry_reads import run_of
from stockcast.ui.row_choice import choose_rows
from stockcast.ui.run_view import show_card
from stockcast.ui.run_words import ROLES, decided_by, figure, role_badges, roles
from stockcast.ui.version_decisions import offer_promotion, offer_rollback

VERSION = "version"  # the query parameter that holds the selected one


def show_versions(versions: Sequence[ModelVersion], runs: Sequence[RunSummary]) -> None:
    """The table, and the version that is selected in it, else the champion. `versions`: of one universe."""
    made_by = {version.run_id: run_of(version, runs) for version in versions}
    speaks = next((version for version in versions if CHAMPION in version.aliases), None)
    if speaks is not None:
        since = "" if speaks.promoted_at is None else f" since {moment(speaks.promoted_at)}"
        st.markdown(f"**{plain(speaks.label)}** speaks{since}. {_promise(made_by[speaks.run_id])}")
        note(speaks)
        offer_rollback(speaks, versions, {key: _promise(run) for key, run in made_by.items()})
    table = version_rows(versions, made_by)
    chosen = choose_rows(
        table,
        [version.version for version in versions],
        parameter=VERSION,
        mode="single-row",
        columns=_columns(),
        shown=[name for name in table.columns if name != "MLflow" or table[name].notna().all()],
        alt="Model versions, newest first",
    )
    if not chosen:
        st.caption("Select a version to read why the gate judged it so, and to let it speak.")
    selected = next((version for version in versions if version.version in chosen), speaks)
    if selected is not None:
        _show_version(selected, speaks, versions, made_by[selected.run_id])


def version_rows(versions: Sequence[ModelVersion], made_by: dict[str, RunSummary]) -> pd.DataFrame:
    """One row a version, in the given order."""
    played = roles(versions)
    return pd.DataFrame(
        [
            {
                "Version": version.label,
                "Role": [role.capitalize() for role in played[version.run_id]],
                "Skill": figure(made_by[version.run_id], "skill", 100),
                "Forecasts": figure(made_by[version.run_id], "count"),
                "Gate": "promoted" if version.promoted else "not promoted",
                "Registered": version.created_at,
                "Promoted": version.promoted_at,
                "By": decided_by(version),
                "Note": " · ".join(version.note.splitlines()) or MISSING,
                "Trained until": version.trained_until,
                "Tickers": ", ".join(version.tickers) or MISSING,
                "MLflow": version_address(version),
            }
            for version in versions
        ]
    )


def _show_version(
    version: ModelVersion, speaks: ModelVersion | None, versions: Sequence[ModelVersion], run: RunSummary
) -> None:
    with st.container(border=True):
        trained = f", trained on sessions up to {version.trained_until}" if version.trained_until else ""
        st.markdown(
            f"{role_badges(roles(versions)[version.run_id])} **{plain(version.label)}**, registered "
            f"{moment(version.created_at)}{trained}. {_promise(run)}"
        )
        if version.promoted_at is not None:
            st.markdown(f"Promoted {moment(version.promoted_at)} by {decided_by(version)}.")
        if version != speaks:  # what was said of the one that speaks stands above already
            note(version)
        if version.reasons:
            st.markdown(f"**What the gate said**\n{bullets(version.reasons)}")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if version != speaks:
                offer_promotion(version, speaks, run)
            open_link(version_address(version), "Open the version in MLflow")
        show_card(run, "version")


def _promise(run: RunSummary) -> str:
    """What a version promised when it was judged, with the count behind it."""
    if "skill" not in run.scores:
        return "Nothing is known of its skill."
    return (
        f"It promised a skill over naive of {signed_percent(figure(run, 'skill'))} "
        f"({count(int(figure(run, 'count')), 'forecast', 'forecasts')})."
    )


def _columns() -> dict[str, ColumnConfig]:
    number, when = st.column_config.NumberColumn, st.column_config.DatetimeColumn
    return {
        "Version": st.column_config.TextColumn(pinned=True),
        "Role": st.column_config.MultiselectColumn(
            width=110,
            options=[role.capitalize() for role in ROLES],
            color=[colour for colour, _ in ROLES.values()],
            help="Champion: speaks. Challenger: asks to. Previous: speaks again after a rollback.",
        ),
        "Skill": number(
            "Promised skill",
            format="%+.2f %%",
            help="1 - CRPS / naive CRPS on the sessions that it was judged on.",
        ),
        "Forecasts": number(format="localized", help="How many forecasts that rests on."),
        "Gate": st.column_config.TextColumn(help="What the gate said when it was trained."),
        "Registered": when("Registered (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "Promoted": when(
            "Promoted (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC", help="When it was last let speak."
        ),
        "By": st.column_config.TextColumn(help="Who let it speak."),
        "Note": st.column_config.TextColumn(width="medium", help="What people said who decided it."),
        "Trained until": st.column_config.DateColumn(format="YYYY-MM-DD", help="The last session it learnt from."),
        "MLflow": st.column_config.LinkColumn(display_text="open", help="The version in MLflow's own pages."),
    }
