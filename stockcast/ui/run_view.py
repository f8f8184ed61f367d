"""One run: what it came to, why it was judged so, how it learnt, and what was unusual about its configuration."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.evaluation.significance import p_text
from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import CHAMPION, ModelVersion
from stockcast.ui.champion_card import note, reasons
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.column_titles import headed
from stockcast.ui.config_changes import parameter_changes
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import count, figures, moment, percent, seconds, signed_percent
from stockcast.ui.language import N_, _
from stockcast.ui.loss_chart import Losses, loss_chart
from stockcast.ui.mlflow_links import open_link, run_address
from stockcast.ui.registry_reads import card_of, curve_of
from stockcast.ui.report_button import offer_run_report
from stockcast.ui.run_comparison import shown_parameter
from stockcast.ui.run_comparison_view import pin
from stockcast.ui.run_deletion import offer_deletion
from stockcast.ui.run_notes import edit_notes, show_notes
from stockcast.ui.run_words import by_run, figure, outcome, role_badges, roles, run_label

_ENDINGS = {"failed": "red", "interrupted": "orange", "running": "green"}


def show_run(run: RunSummary, runs: Sequence[RunSummary], versions: Sequence[ModelVersion]) -> None:
    """The run that was selected in the table."""
    st.subheader(plain(run.name))
    made = by_run(versions).get(run.run_id)
    ended = outcome(run, made)
    badges = (
        f":red-badge[:material/delete: {_('Deleted')}]" if run.deleted else "",
        role_badges(roles(versions).get(run.run_id, ())),
        f":{_ENDINGS.get(ended, 'gray')}-badge[{_(ended).capitalize()}]",
    )
    said = _("**{run}**, started {when}.") if run.seconds is None else _("**{run}**, started {when}, took {took}.")
    told_of = said.format(
        run=plain(run_label(run)),
        when=moment(run.started_at),
        took="" if run.seconds is None else plain(seconds(run.seconds)),
    )
    st.markdown(" ".join(filter(None, (*badges, told_of))))
    show_notes(run)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        edit_notes(run, runs)
        st.button(
            _("Pin as the baseline"),
            icon=":material/keep:",
            key="pin",
            on_click=pin,
            args=(run,),
            help=_("It stays in every comparison; select another run to compare."),
        )
        offer_run_report(run)
        offer_deletion([run], versions)
        open_link(run_address(run), _("Open the run in MLflow"))
    if run.scores:
        _figures(run)
    if made is not None:
        note(made)
        reasons(made)
    _learnt(run, made is not None and CHAMPION in made.aliases)
    show_card(run, "run")


def show_card(run: RunSummary, key: str) -> None:
    """The model card, folded, and as a download."""
    card = card_of(run.run_id)
    if card is None:
        st.caption(_("It has no model card: only a training that came to a verdict writes one."))
        return
    with st.expander(_("Model card: what it learnt from, where it fails, what it cost"), icon=":material/badge:"):
        # Its headings are made small enough to stand inside a page.
        st.markdown(card.replace("\n## ", "\n#### ").split("\n", 1)[1])
        st.download_button(
            _("Download the card"),
            card,
            f"model_card_{run.run_id[:8]}.md",
            "text/markdown",
            icon=":material/download:",
            key=f"card_{key}",
            on_click="ignore",
            help=_("The same as Markdown."),
        )


def _figures(run: RunSummary) -> None:
    with st.grid(4, min_column_width=150, gap="medium"):
        figure_card(
            _("Skill over naive"),
            signed_percent(figure(run, "skill")),
            told(p_text(figure(run, "dm_p_value"))),
            _(
                "1 - CRPS / naive CRPS, one session ahead. The p-value (Diebold-Mariano) says how "
                "easily chance alone would do that."
            ),
        )
        figure_card(
            "MAPE",
            percent(figure(run, "mape", 0.01), 3),
            _("naive {figure}").format(figure=percent(figure(run, "naive_mape", 0.01), 3)),
            _("Mean absolute error of the median in percent. On closes the naive forecast is nearly optimal."),
        )
        figure_card(
            _("80 % interval held"),
            percent(figure(run, "coverage_80")),
            _("naive {figure}").format(figure=percent(figure(run, "naive_coverage_80"))),
            _("Share of actual closes inside the 80 % interval; 80 % is right."),
        )
        figure_card(
            _("Forecasts judged"),
            figures(f"{figure(run, 'count'):,.0f}"),
            count(len(run.tickers), "ticker", "tickers"),
            _("On sessions that the model had not seen."),
        )


def _learnt(run: RunSummary, speaks: bool) -> None:
    losses = Losses(curve_of(run, "train_loss"), curve_of(run, "validation_loss"))
    left, right = st.columns([2, 1])
    with left:
        if losses.validation:
            st.plotly_chart(
                loss_chart(losses, speaks=speaks),
                width="stretch",
                key="run_loss",
                config=TOOL_BAR,
                alt=_("Loss by epoch"),
            )
        else:
            st.caption(_("It has no loss curve: nothing was learnt step by step."))
    with right:
        st.markdown(_("**Differs from the defaults**"))
        changes = parameter_changes(run.parameters)
        if not changes:
            st.caption(_("Nothing does."))
            return
        rows = [
            {
                N_("Field"): each.field,
                N_("Default"): shown_parameter(each.before),
                N_("Run"): shown_parameter(each.after),
            }
            for each in changes
        ]
        st.table(headed(pd.DataFrame(rows)), border="horizontal", hide_index=True)
