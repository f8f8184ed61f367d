"""Asks for trainings: of the universe that is looked at, or of all of them."""

from __future__ import annotations

import streamlit as st

from stockcast.errors import StockcastError, TrainingActive
from stockcast.jobs.job import TRAIN
from stockcast.ui.access import acting
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import plain
from stockcast.ui.format import weekday
from stockcast.ui.language import _
from stockcast.ui.router import CONFIGURATION
from stockcast.ui.shared import workspace
from stockcast.ui.training_watch import JOB


def offer_training(universe: str) -> None:
    """The buttons; while the universe is in training there is nothing to start."""
    ws = workspace()
    active = {job.universe: job.id for job in ws.jobs.active(TRAIN)}
    with st.container(horizontal=True, vertical_alignment="center"):
        one = st.button(
            _("Retrain"),
            type="primary",
            icon=":material/model_training:",
            key="retrain",
            disabled=universe in active,
            help=_("In a process of its own: you may close the page and come back."),
        )
        others = ws.universes()
        every = len(others) > 1 and st.button(
            _("Retrain all {others} universes").format(others=len(others)),
            icon=":material/playlist_add:",
            key="retrain_all",
            disabled=all(name in active for name in others),
            help=_("They queue up and are trained one after another."),
        )
        _schedule(universe)
    if one:
        _train(universe)
    if every:
        _train_all([universe, *(name for name in others if name != universe)])
    if universe in active and st.query_params.get(JOB) not in (None, active[universe]):
        st.caption(_("A training of {universe} is running.").format(universe=plain(universe)))
        if st.button(_("Watch it"), icon=":material/visibility:", key="watch_active"):
            st.query_params[JOB] = active[universe]
            st.rerun()


def _train(universe: str) -> None:
    try:
        st.query_params[JOB] = acting().desk.submit_training(universe).id
    except TrainingActive as already:  # started elsewhere since this page was drawn
        st.query_params[JOB] = already.job_id
        st.toast(_("A training is running already; here it is."), icon=":material/visibility:")
    st.rerun()


def _train_all(universes: list[str]) -> None:
    first: str | None = None
    for name in universes:
        try:
            first = acting().desk.submit_training(name).id if first is None else _queue(name, first)
        except TrainingActive as already:
            first = first or already.job_id
        except StockcastError as problem:
            st.toast(plain(f"{name}: {told(problem.message)}"), icon=":material/warning:")
    if first is not None:
        st.query_params[JOB] = first
        st.rerun()


def _queue(name: str, first: str) -> str:
    acting().desk.submit_training(name)
    return first


def _schedule(universe: str) -> None:
    ws = workspace()
    plan = ws.desk.plan(universe)
    if plan is None:
        st.page_link(CONFIGURATION, label=_("No schedule: set one"), icon=":material/schedule:", width="content")
        return
    following = plan.following(ws.clock())
    st.caption(
        _(
            ":material/schedule: Trains by itself: {words} ({timezone}), next {following}, while a worker runs."
        ).format(
            words=plain(told(plan.words)),
            timezone=plain(plan.rule.timezone),
            following=f"{weekday(following)} {following:%Y-%m-%d %H:%M}",
        ),
        width="content",
    )
