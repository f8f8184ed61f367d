"""The configuration as a form that is made from its schema: checked at each change, saved whole as a version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

import streamlit as st

from stockcast.config import Config
from stockcast.config_versions import ConfigVersion
from stockcast.ui.config_conflict import settle_conflict
from stockcast.ui.config_draft import Draft, draft_of, keep, plain_values
from stockcast.ui.config_fields import ConfigField, config_fields
from stockcast.ui.config_save import offer_save
from stockcast.ui.config_start import offer_starts
from stockcast.ui.config_words import SECTIONS, choice_words
from stockcast.ui.format import count
from stockcast.ui.language import _
from stockcast.ui.universe_schedule import next_times

# The usual knobs, in the order in which somebody would turn them; all others are folded away.
USUAL = (
    "universe.tickers", "model.kind", "windows.lookback", "windows.max_horizon", "network.hidden_size",
    "network.members", "training.max_epochs", "training.patience", "schedule.cron", "schedule.timezone",
)  # fmt: skip


def edit_config(current: ConfigVersion, stored: Sequence[str]) -> None:
    """Edits the configuration in force; `stored` are the tickers that can be chosen."""
    draft = draft_of(current)
    settle_conflict(draft, current)
    starts, answer = st.container(), st.container(border=True)  # filled in when it is known what was entered
    draft = _fields(draft, stored)
    keep(draft)
    with starts:
        offer_starts(draft, current)
    with answer:
        offer_save(draft, current)


def _fields(draft: Draft, stored: Sequence[str]) -> Draft:
    by_name = {field.whole: field for field in config_fields()}
    entered: dict[str, dict[str, object]] = {section: dict(values) for section, values in draft.values.items()}
    _grid(draft, (by_name[name] for name in USUAL), stored, entered)
    next_times(entered["schedule"], _chosen(entered, stored))
    st.caption(_("Everything else. The defaults suit most universes."))
    others = (field for field in config_fields() if field.whole not in USUAL)
    for section, fields in groupby(others, lambda field: field.section):
        folded = st.expander(_folded(draft, section), key=f"{draft.key}_{section}", on_change="rerun")
        if folded.open:  # sixty fields that nobody looks at would double the time to draw the page
            with folded:
                _grid(draft, fields, stored, entered)
    return replace(draft, values=entered)


def _folded(draft: Draft, section: str) -> str:
    """The title of a folded section, with how much of it was set by somebody."""
    default = plain_values(Config())[section]
    usual = {name.split(".")[1] for name in USUAL if name.startswith(f"{section}.")}
    own = [name for name, value in plain_values(draft.base.config)[section].items() if value != default[name]]
    number = len(set(own) - usual)
    if not number:
        return _(SECTIONS[section])
    return _("{section} ({fields} not at the default)").format(
        section=_(SECTIONS[section]), fields=count(number, "field", "fields")
    )


def _chosen(entered: dict[str, dict[str, object]], stored: Sequence[str]) -> list[str]:
    named = entered["universe"]["tickers"]
    return list(named) if isinstance(named, list) and named else list(stored)


def _grid(
    draft: Draft, fields: Iterable[ConfigField], stored: Sequence[str], entered: dict[str, dict[str, object]]
) -> None:
    grid = st.grid(4, min_column_width=200, gap="medium")
    for field in fields:
        with grid.cell(column_span="all" if field.kind == "tickers" else 1):
            key = f"{draft.key}_{field.section}_{field.name}"
            entered[field.section][field.name] = _widget(
                field, draft.values[field.section][field.name], stored, key
            )


def _widget(field: ConfigField, value: object, stored: Sequence[str], key: str) -> object:
    if key not in st.session_state:  # drawn for the first time, or again after another page
        st.session_state[key] = float(str(value)) if field.kind == "number" else value
    if field.kind == "tickers":
        chosen: list[str] = st.session_state[key]
        return st.multiselect(
            field.label, sorted({*stored, *chosen}), key=key, help=field.help, accept_new_options=True,
            placeholder=_("Every stored ticker; choose some, or type one"),
        )  # fmt: skip
    if field.kind == "choice":
        return st.selectbox(
            field.label, field.choices, key=key, help=field.help, format_func=choice_words,
        )  # fmt: skip
    if field.kind == "text":
        return st.text_input(
            field.label, max_chars=int(field.most), key=key, help=field.help, placeholder=_("none"),
        )  # fmt: skip
    whole = field.kind == "whole"
    return st.number_input(
        field.label,
        min_value=int(field.least) if whole else field.least,
        max_value=int(field.most) if whole else field.most,
        step=1 if whole else field.step,
        format=None if whole else "%g",
        key=key,
        help=field.help,
    )
