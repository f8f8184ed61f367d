"""The model versions of a universe: who speaks and since when, what each promised, and who may speak instead."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import CHAMPION, ModelVersion
from stockcast.ui.champion_card import note
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import MISSING, count, moment, signed_percent
from stockcast.ui.language import N_, _
from stockcast.ui.mlflow_links import open_link, version_address
from stockcast.ui.registry_reads import run_of
from stockcast.ui.row_choice import choose_rows
from stockcast.ui.run_view import show_card
from stockcast.ui.run_words import ROLES, decided_by, figure, role_badges, role_words, roles
from stockcast.ui.version_decisions import offer_promotion, offer_rollback

VERSION = "version"  # the query parameter that holds the selected one


def show_versions(versions: Sequence[ModelVersion], runs: Sequence[RunSummary]) -> None:
    """The table, and the version that is selected in it, else the champion. `versions`: of one universe."""
    made_by = {version.run_id: run_of(version, runs) for version in versions}
    speaks = next((version for version in versions if CHAMPION in version.aliases), None)
    if speaks is not None:
        said = _("**{model}** speaks.") if speaks.promoted_at is None else _("**{model}** speaks since {when}.")
        when = "" if speaks.promoted_at is None else moment(speaks.promoted_at)
        st.markdown(f"{said.format(model=plain(speaks.label), when=when)} {_promise(made_by[speaks.run_id])}")
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
        alt=_("Model versions, newest first"),
    )
    if not chosen:
        st.caption(_("Select a version to read why the gate judged it so, and to let it speak."))
    selected = next((version for version in versions if version.version in chosen), speaks)
    if selected is not None:
        _show_version(selected, speaks, versions, made_by[selected.run_id])


def version_rows(versions: Sequence[ModelVersion], made_by: dict[str, RunSummary]) -> pd.DataFrame:
    """One row a version, in the given order."""
    played = roles(versions)
    return pd.DataFrame(
        [
            {
                N_("Version"): version.label,
                N_("Role"): [role_words(role) for role in played[version.run_id]],
                N_("Skill"): figure(made_by[version.run_id], "skill", 100),
                N_("Forecasts"): figure(made_by[version.run_id], "count"),
                N_("Gate"): _("promoted") if version.promoted else _("not promoted"),
                N_("Registered"): version.created_at,
                N_("Promoted"): version.promoted_at,
                N_("By"): decided_by(version),
                N_("Note"): " · ".join(version.note.splitlines()) or MISSING,
                N_("Trained until"): version.trained_until,
                N_("Tickers"): ", ".join(version.tickers) or MISSING,
                "MLflow": version_address(version),
            }
            for version in versions
        ]
    )


def _show_version(
    version: ModelVersion, speaks: ModelVersion | None, versions: Sequence[ModelVersion], run: RunSummary
) -> None:
    with st.container(border=True):
        said = (
            _("**{model}**, registered {when}, trained on sessions up to {session}.")
            if version.trained_until
            else _("**{model}**, registered {when}.")
        ).format(model=plain(version.label), when=moment(version.created_at), session=version.trained_until)
        st.markdown(f"{role_badges(roles(versions)[version.run_id])} {said} {_promise(run)}")
        if version.promoted_at is not None:
            st.markdown(
                _("Promoted {promoted_at} by {decided_by}.").format(
                    promoted_at=moment(version.promoted_at), decided_by=decided_by(version)
                )
            )
        if version != speaks:  # what was said of the one that speaks stands above already
            note(version)
        if version.reasons:
            st.markdown(f"**{_('What the gate said')}**\n{bullets(map(told, version.reasons))}")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if version != speaks:
                offer_promotion(version, speaks, run)
            open_link(version_address(version), _("Open the version in MLflow"))
        show_card(run, "version")


def _promise(run: RunSummary) -> str:
    """What a version promised when it was judged, with the count behind it."""
    if "skill" not in run.scores:
        return _("Nothing is known of its skill.")
    return _("It promised a skill over naive of {figure} ({forecasts}).").format(
        figure=signed_percent(figure(run, "skill")),
        forecasts=count(int(figure(run, "count")), "forecast", "forecasts"),
    )


def _columns() -> dict[str, ColumnConfig]:
    number, when = st.column_config.NumberColumn, st.column_config.DatetimeColumn
    return {
        "Version": st.column_config.TextColumn(pinned=True),
        "Role": st.column_config.MultiselectColumn(
            width=110,
            options=[role_words(role) for role in ROLES],
            color=[colour for colour, _ in ROLES.values()],
            help=_("Champion: speaks. Challenger: asks to. Previous: speaks again after a rollback."),
        ),
        "Skill": number(
            _("Promised skill"),
            format="%+.2f %%",
            help=_("1 - CRPS / naive CRPS on the sessions that it was judged on."),
        ),
        "Forecasts": number(format="localized", help=_("How many forecasts that rests on.")),
        "Gate": st.column_config.TextColumn(help=_("What the gate said when it was trained.")),
        "Registered": when(_("Registered (UTC)"), format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "Promoted": when(
            _("Promoted (UTC)"), format="YYYY-MM-DD HH:mm", timezone="UTC", help=_("When it was last let speak.")
        ),
        "By": st.column_config.TextColumn(help=_("Who let it speak.")),
        "Note": st.column_config.TextColumn(width="medium", help=_("What people said who decided it.")),
        "Trained until": st.column_config.DateColumn(
            format="YYYY-MM-DD", help=_("The last session it learnt from.")
        ),
        "MLflow": st.column_config.LinkColumn(
            display_text=_("open"), help=_("The version in MLflow's own pages.")
        ),
    }
