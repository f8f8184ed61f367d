"""What a search for better settings has found: the best beside the settings in force, how it went, every trial."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from stockcast.config_versions import ConfigVersion
from stockcast.jobs.tuning import Search
from stockcast.ui.access import acting, author, may_act
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.column_titles import localised
from stockcast.ui.config_changes import config_changes, show_changes
from stockcast.ui.config_words import label_of
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import MISSING, count, figures, seconds
from stockcast.ui.language import N_, _
from stockcast.ui.tuning_charts import history_chart, importance_chart, slice_chart
from stockcast.workflows.tune_space import ENOUGH, Parameters, with_parameters

FEWEST_POINTS = 5  # of a chart over the values of a setting
_STATES = {"complete": N_("whole"), "pruned": N_("ended early"), "failed": N_("failed")}


def show_search(search: Search, current: ConfigVersion) -> None:
    """A search that is over, whatever became of it."""
    if search.job.state != "succeeded":
        _show_ending(search)
    if search.found.best is not None:
        _show_best(search, current)
    show_trials(search)


def show_trials(search: Search) -> None:
    """How it went so far: the charts and every trial."""
    found = search.found
    st.plotly_chart(
        history_chart(found, search.asked.trials),
        width="stretch",
        key="search_history",
        config=TOOL_BAR,
        alt=_("Validation loss of each trial, and the best so far"),
    )
    st.caption(
        _("Each point is a training; lower is better. A trial ends early when most others were better by then.")
    )
    if found.importances:
        st.markdown(_("**What the loss depends on**"))
        st.plotly_chart(
            importance_chart(found.importances),
            width="stretch",
            key="search_importances",
            config=TOOL_BAR,
            alt=_("How much each setting weighs"),
        )
        st.caption(_("A rough guide from these trials alone; one that ended early counts with its loss by then."))
    elif not search.job.active and found.trials:
        st.caption(_("Which setting matters is told from {enough} trials on.").format(enough=ENOUGH))
    if found.count("complete") >= FEWEST_POINTS:
        st.markdown(_("**Loss by setting**"))
        with st.grid(2, min_column_width=300, gap="small"):
            for each in search.asked.space:
                st.plotly_chart(
                    slice_chart(found, each),
                    width="stretch",
                    key=f"search_{each.field}",
                    config=TOOL_BAR,
                    alt=_("Validation loss over {setting}").format(setting=label_of(each.field)),
                )
        st.caption(_("Whole trials; the diamond is the setting in force."))
    _show_table(search)


def trial_table(search: Search) -> pd.DataFrame:
    """One row a trial, the best first, and those at work below."""
    best = search.found.best
    ended = sorted(
        search.found.trials, key=lambda each: (each.state != "complete", each.value is None, each.value or 0)
    )
    rows: list[dict[str, object]] = [
        {
            N_("Trial"): _name(trial.number),
            N_("Best"): "★" if trial is best else "",
            N_("State"): _(_STATES[trial.state]),
            N_("Loss"): trial.value,
            **_tried(search, trial.parameters),
            N_("Epochs"): trial.epochs,
            N_("Seconds"): trial.seconds,
            N_("Remark"): told(trial.reason),
        }
        for trial in ended
    ]
    rows += [
        {
            "Trial": _name(each.number),
            "Best": "",
            "State": told(each.part.phase) if each.part.phase else _("Running"),
            **_tried(search, each.parameters),
            "Remark": "",
        }
        for each in search.at_work
    ]
    table = pd.DataFrame(rows)
    return table if table.empty or table["Remark"].any() else table.drop(columns="Remark")


def _tried(search: Search, parameters: Parameters) -> dict[str, object]:
    """The settings of a trial, by the names that a person reads."""
    return {label_of(each.field): parameters.get(each.field) for each in search.asked.space}


def _name(number: int) -> str:
    return str(number) if number else _("In force")


def _show_table(search: Search) -> None:
    table = trial_table(search)
    if table.empty:
        return
    plain_figures = {
        label_of(each.field): st.column_config.NumberColumn(format="%.3g") for each in search.asked.space
    }
    data, columns = localised(
        table,
        {
            "Loss": st.column_config.NumberColumn(format="%.4f"),
            "Epochs": st.column_config.NumberColumn(format="%.0f"),
            "Seconds": st.column_config.NumberColumn(format="%.1f"),
            **plain_figures,
        },
    )
    st.dataframe(
        data,
        hide_index=True,
        key="search_trials_table",
        column_config=columns,
        placeholder="",
        alt=_("Every trial"),
    )
    took = sum(trial.seconds for trial in search.found.trials)
    st.caption(
        _("{trials} in {took} of training; job {id}.").format(
            trials=count(search.done, "trial", "trials"), took=plain(seconds(took)), id=search.job.id
        )
    )


def _show_best(search: Search, current: ConfigVersion) -> None:
    found, best, present = search.found, search.found.best, search.found.present
    assert best is not None
    with st.grid(3, min_column_width=150, gap="medium"):
        figure_card(_("Best loss"), _loss(best.value), _("In force") if best.present else _trial(best.number))
        figure_card(_("Loss in force"), _loss(None if present is None else present.value), _("The same sessions"))
        figure_card(
            _("Trials"),
            figures(f"{len(found.trials):,}"),
            _("{early} ended early, {failed} failed").format(
                early=found.count("pruned"), failed=found.count("failed")
            ),
        )
    if best.present:
        st.info(
            _("None of the other settings had a lower validation loss."),
            title=_("What is in force did best"),
            icon=":material/check:",
        )
        return
    st.caption(
        _(
            ":material/info: It is the best of {trials} on the very sessions that chose it, so expect less of it. "
            "The gate decides on sessions that no trial has seen."
        ).format(trials=count(len(found.trials), "trial", "trials"))
    )
    if not found.one_data:
        st.caption(_("Prices changed while it ran, so trials before and after are not quite comparable."))
    wanted = with_parameters(search.asked.config, best.parameters)
    show_changes(config_changes(search.asked.config, wanted), before=_("In force then"), after=_("Best"))
    if current.config == wanted:
        st.success(
            _("Retrain to see whether they hold on sessions that no trial has seen."),
            title=_("These settings are in force as version {version}").format(version=current.version),
            icon=":material/check_circle:",
        )
    elif current.version != search.asked.config_version:
        st.warning(
            _(
                "The search was based on version {before}, and version {now} is in force. Search again, or enter "
                "the values on the Configuration page."
            ).format(before=search.asked.config_version, now=current.version),
            title=_("The configuration has changed since"),
            icon=":material/sync_problem:",
        )
    else:
        _offer(search)


def _offer(search: Search) -> None:
    use = st.button(
        _("Use these settings"),
        type="primary",
        icon=":material/check:",
        key="adopt_settings",
        disabled=not may_act(),
        help=_("Saves them as a version of the configuration. Nothing is trained or promoted."),
    )
    if use:
        saved = acting().desk.adopt(search.job.id, author=author())
        st.toast(
            _("Saved as version {version} of {universe}.").format(
                version=saved.version, universe=plain(saved.universe)
            ),
            icon=":material/check:",
        )
        st.rerun()


def _show_ending(search: Search) -> None:
    job = search.job
    show = st.info if job.state == "cancelled" else st.error
    title = _("The search was cancelled") if job.state == "cancelled" else _("The search did not come to its end")
    show(f"{plain(told(job.error or ''))}  \n{plain(told(job.hint or ''))}", title=title, icon=":material/cancel:")
    again = st.button(
        _("Go on with it"),
        icon=":material/replay:",
        key="retry_search",
        help=_("What was found stays; the trials that are left are made."),
    )
    if again:
        acting().desk.retry(job.id)
        st.rerun()


def _loss(value: float | None) -> str:
    return MISSING if value is None else figures(f"{value:.4f}")


def _trial(number: int) -> str:
    return _("Trial {number}").format(number=number)
