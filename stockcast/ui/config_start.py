"""Where to start from: a preset, or a file. Both fill the form, and neither saves anything."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from stockcast.config_versions import ConfigVersion
from stockcast.presets import PRESETS, SECTIONS, preset
from stockcast.ui.config_changes import show_changes
from stockcast.ui.config_draft import Draft, Values, entered, fill, plain_values
from stockcast.ui.config_words import PRESETS as WORDS
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import plain
from stockcast.ui.format import MISSING, count
from stockcast.ui.language import _
from stockcast.workflows.compare_configs import compare_configs
from stockcast.workflows.export_config import export_config, file_name
from stockcast.workflows.import_config import MOST_BYTES, Problem, import_config


def offer_starts(draft: Draft, current: ConfigVersion) -> None:
    """Presets side by side, and the file."""
    with st.expander(_("Start from a preset"), icon=":material/tune:", expanded=current.version == 0):
        st.caption(
            _(
                "A preset fills in the kind of model, the network and its training. Tickers, windows, drift, "
                "alerts and schedule stay as they are, and nothing is saved before you say so."
            )
        )
        with st.grid(4, min_column_width=200, gap="medium"):
            for name in PRESETS:
                _preset(draft, current, name)
    with st.expander(_("Export or import a file"), icon=":material/description:"):
        _file(draft, current)


def _preset(draft: Draft, current: ConfigVersion, name: str) -> None:
    label, changes, cost = map(_, WORDS[name])
    wanted = _with_preset(draft, name)
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{label}**\n\n{changes}\n\n:small[:gray[{cost}]]")  # one element, as there are four
        filled = wanted == draft.values
        st.button(
            _("In the form") if filled else _("Fill in"), key=f"preset_{name}", disabled=filled,
            icon=":material/check:" if filled else ":material/edit:", on_click=_use,
            args=(current, name), help=_("Fills the form; nothing is saved yet."),
        )  # fmt: skip


def _use(current: ConfigVersion, name: str) -> None:
    draft = entered(current)
    fill(draft, _with_preset(draft, name))


def _with_preset(draft: Draft, name: str) -> Values:
    """What was entered, with the sections of a preset in the place of its own; also where it is not valid yet."""
    wanted = plain_values(preset(name))
    return {**draft.values, **{section: wanted[section] for section in SECTIONS}}


def _file(draft: Draft, current: ConfigVersion) -> None:
    st.download_button(
        _("Download version {number} as YAML").format(number=current.version), export_config(current),
        file_name(current), "application/yaml", key="export_config", icon=":material/download:", on_click="ignore",
        help=_("Every field with its meaning. The command line reads it, too: stockcast config import."),
    )  # fmt: skip
    upload = st.file_uploader(
        _("A configuration as YAML"), ["yaml", "yml"], key=f"import_config_{current.universe}",
        help=_("It may name some fields only; the others stay as they are. Nothing is saved before you say so."),
        max_upload_size=1,
    )  # fmt: skip
    if upload is None:
        return
    imported = import_config(upload.getvalue()[: MOST_BYTES + 1], current.config)
    if imported.config is None:
        st.error(
            _("{name} was not read. Nothing was changed.").format(name=plain(upload.name)),
            title=_("The file is no configuration"),
            icon=":material/error:",
        )
        _problems(imported.problems)
        return
    changes = compare_configs(current.config, imported.config)
    if not changes:
        st.info(_("The file says what is in force already."), icon=":material/info:")
        return
    st.markdown(
        _("**{changes}** by {name}").format(
            changes=count(len(changes), "field changes", "fields change"), name=plain(upload.name)
        )
    )
    show_changes(changes, before=_("In force"), after=_("File"))
    st.button(
        _("Put it into the form"), type="primary", icon=":material/edit:", key="fill_import", on_click=fill,
        args=(draft, plain_values(imported.config), current), help=_("Nothing is saved yet."),
    )  # fmt: skip


def _problems(problems: tuple[Problem, ...]) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                _("Line"): [MISSING if each.line is None else str(each.line) for each in problems],
                _("Field"): [each.field or MISSING for each in problems],
                _("What is wrong"): [told(each.message) for each in problems],
            }
        ),
        hide_index=True,
        height="content",
        key="import_problems",
        column_config={_("What is wrong"): st.column_config.TextColumn(width="large")},
        alt=_("What is wrong with the file"),
    )
