"""The configuration as a form that is made from its schema, validated whole and saved as a version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import streamlit as st

from stockcast.config import PRESETS, Config, parse_config, preset
from stockcast.config_versions import ConfigVersion
from stockcast.ui.config_changes import config_changes
from stockcast.ui.config_fields import ConfigField, config_fields
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.shared import workspace

IN_FORCE = "in force"
SECTION_TITLES = {
    "universe": "Universe: which tickers share the model",
    "windows": "Windows: what the network reads, how far it looks",
    "split": "Split: how the history is cut",
    "model": "Model: which rung of the ladder is trained",
    "network": "Network: the size of the LSTM",
    "training": "Training: how it is fitted",
    "calibration": "Calibration: how intervals keep their promise",
    "drift": "Drift: when the input is called unusual",
    "promotion": "Promotion: what a new version must show",
    "alerts": "Alerts: when the track record raises an alarm, and what comes of it",
    "schedule": "Schedule: when it is downloaded and trained by itself",
}


def config_form(current: ConfigVersion, stored: Sequence[str]) -> None:
    """Edits the configuration in force; `stored` are the tickers that can be chosen."""
    chosen = st.segmented_control(
        "Start from",
        [IN_FORCE, *PRESETS],
        default=IN_FORCE,
        required=True,
        key=f"preset_{current.universe}_{current.version}",
        help="Fills the form; nothing is saved before you say so. Presets keep the tickers of the universe.",
    )
    base = current.config if chosen == IN_FORCE else _preset(chosen, current.config)
    # Other keys for another starting point: the form shows its values, not what was typed before.
    key = f"config_{current.universe}_{current.version}_{chosen}"
    with st.form(key):
        entered = _sections(base, stored, key)
        note = st.text_input(
            "Note", key=f"{key}_note", max_chars=200, placeholder="Why this change?", help="Stands in the history."
        )
        save = st.form_submit_button("Save as a version", type="primary", icon=":material/save:")
    if save:
        with boundary():
            _save(current, entered, note)


def _preset(name: str, present: Config) -> Config:
    return preset(name, Config(universe=present.universe))


def _sections(base: Config, stored: Sequence[str], key: str) -> dict[str, dict[str, object]]:
    values = base.model_dump()
    entered: dict[str, dict[str, object]] = {}
    for section, fields in groupby(config_fields(), lambda field: field.section):
        st.markdown(f"**{SECTION_TITLES.get(section, section.capitalize())}**")
        entered[section] = {}
        grid = st.grid(4, min_column_width=200, gap="medium")
        for field in fields:
            with grid.cell(column_span="all" if field.kind == "tickers" else 1):
                entered[section][field.name] = _widget(
                    field, values[section][field.name], stored, f"{key}_{section}_{field.name}"
                )
    return entered


def _widget(field: ConfigField, value: object, stored: Sequence[str], key: str) -> object:
    if field.kind == "tickers":
        chosen: list[str] = list(value)  # type: ignore[call-overload]
        return st.multiselect(
            field.label,
            sorted({*stored, *chosen}),
            default=chosen,
            key=key,
            help=field.description,
            placeholder="every stored ticker",
        )
    if field.kind == "choice":
        return st.selectbox(
            field.label, field.choices, index=field.choices.index(str(value)), key=key, help=field.description
        )
    if field.kind == "text":
        return st.text_input(
            field.label, str(value), max_chars=int(field.most), key=key, help=field.description, placeholder="none"
        )
    if field.kind == "whole":
        return st.number_input(
            field.label,
            min_value=int(field.least),
            max_value=int(field.most),
            value=int(str(value)),
            step=1,
            key=key,
            help=f"{field.description} From {field.least:,.0f} to {field.most:,.0f}.",
        )
    return st.number_input(
        field.label,
        min_value=field.least,
        max_value=field.most,
        value=float(str(value)),
        step=field.step,
        format="%g",
        key=key,
        help=f"{field.description} From {field.least:g} to {field.most:g}.",
    )


def _save(current: ConfigVersion, entered: Mapping[str, object], note: str) -> None:
    config = parse_config(entered)
    changes = config_changes(current.config, config)
    if not changes:
        st.info("Nothing differs from what is in force, so nothing was saved.", icon=":material/info:")
        return
    words = note.strip() or "; ".join(change.sentence for change in changes)
    ws = workspace()
    saved = ws.configs.save(current.universe, config, words, ws.clock())
    st.toast(plain(f"Saved as version {saved.version} of {saved.universe}."), icon=":material/check:")
    st.rerun()
