"""Asks for backtests: which model, which tickers, which sessions, and how often it learns anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from stockcast.jobs.job import BACKTEST, Job
from stockcast.prices.store import StoredHistory
from stockcast.registry.versions import CHALLENGER, CHAMPION
from stockcast.ui.access import acting
from stockcast.ui.language import N_, _
from stockcast.ui.router import BACKTEST as BACKTEST_PAGE
from stockcast.ui.selection import histories_of
from stockcast.ui.shared import champion, versions, workspace
from stockcast.ui.training_watch import JOB
from stockcast.workflows.job_requests import BASELINES, REFITS

_BASELINES = {
    "naive": N_("Naive: no change"),
    "ewma": N_("EWMA: spread of the last weeks"),
    "garch": N_("GARCH: spread by the classic model"),
    "linear": N_("Linear: regression on the same inputs"),
}
_REFITS = {"never": N_("Never"), "yearly": N_("Every year"), "quarterly": N_("Every quarter")}
_NO_CARD_DAYS = 365  # judged where no scorecard says which sessions a version has not seen


@dataclass(frozen=True)
class Span:
    """Sessions that can be chosen, and those that are proposed."""

    earliest: date
    start: date
    end: date


def backtest_form(universe: str, *, expanded: bool) -> None:
    """The form; what it asks for becomes a job whose id stands in the address. Needs a stored history."""
    histories = histories_of(universe)
    proposed = proposed_span(universe, histories)
    models = model_choices(universe)
    with (
        st.expander(_("Choose what is judged"), icon=":material/tune:", expanded=expanded),
        st.form("backtest", border=False),
    ):
        with st.grid(2, min_column_width=260, gap="medium"):
            model = st.selectbox(
                _("Model"),
                list(models),
                format_func=models.__getitem__,
                key="backtest_model",
                help=_("A registered version, or a baseline that every version has to beat."),
            )
            tickers = st.multiselect(
                _("Tickers"),
                [history.ticker for history in histories],
                key="backtest_tickers",
                placeholder=_("All {histories} of the universe").format(histories=len(histories)),
                help=_("Choose none for all of them."),
            )
        with st.grid(3, min_column_width=170, gap="medium"):
            start = _date(
                "first",
                _("First session"),
                proposed.start,
                proposed,
                _("Proposed: the first unseen by the champion."),
            )
            end = _date(
                "last", _("Last session"), proposed.end, proposed, _("Proposed: the newest one that is stored.")
            )
            refit = st.selectbox(
                _("Learn anew"),
                REFITS,
                format_func=lambda policy: _(_REFITS[policy]),
                key="backtest_refit",
                help=_(
                    "Never: the version as it is. Else the model is fitted again before each year or "
                    "quarter, on what was known by then."
                ),
            )
        asked = st.form_submit_button(_("Run the backtest"), type="primary", icon=":material/play_arrow:")
    if asked:
        job = acting().desk.submit_backtest(universe, tickers, model, start, end, refit=refit)
        st.query_params[JOB] = job.id
        st.rerun()


def _date(name: str, label: str, value: date, span: Span, explained: str) -> date:
    return st.date_input(
        label,
        value,
        min_value=span.earliest,
        max_value=span.end,
        format="YYYY-MM-DD",
        key=f"backtest_{name}",
        help=explained,
    )


def model_choices(universe: str) -> dict[str, str]:
    """What can be judged, and how it is told: the aliases first, then every version, then the baselines."""
    champion(universe)  # a new universe is given one
    made = versions(universe)
    spoken = {
        alias: f"{_(role)}: {version.label}"
        for alias, role in ((CHAMPION, N_("Champion")), (CHALLENGER, N_("Challenger")))
        for version in made
        if alias in version.aliases
    }
    return (
        spoken
        | {f"v{version.version}": version.label for version in made}
        | {name: _(_BASELINES[name]) for name in BASELINES}
    )


def proposed_span(universe: str, histories: tuple[StoredHistory, ...]) -> Span:
    """From the first session that the champion had not seen to the newest stored one."""
    speaker = workspace().speaker(universe)
    earliest = min(history.first_session for history in histories)
    newest = max(history.last_session for history in histories)
    if speaker.scorecard is not None:
        start = speaker.scorecard.first_session
    elif speaker.forecaster.trained_until is not None:
        start = speaker.forecaster.trained_until + timedelta(days=1)
    else:
        start = newest - timedelta(days=_NO_CARD_DAYS)
    return Span(earliest, min(max(start, earliest), newest), newest)


def job_to_show(universe: str) -> Job | None:
    """The job that the address names, else the active backtest of the universe, else its last good one."""
    ws = workspace()
    ws.desk.look_after()
    named = st.query_params.get(JOB)
    if named:
        return ws.jobs.get(named)
    active = [job for job in ws.jobs.active(BACKTEST) if job.universe == universe]
    done = ws.jobs.recent(universe, BACKTEST, state="succeeded")
    return next((job for job in (*active, *done) if job.active or "diagnosis" in (job.result or {})), None)


def invite() -> None:
    """What stands where no backtest was asked for yet."""
    st.info(
        _(
            "Choose a model and sessions above. Each session is forecast from the prices before "
            "it alone, and held against the naive forecast and the other baselines; it takes "
            "some seconds."
        ),
        title=_("No backtest yet"),
        icon=":material/fact_check:",
    )


def back_to_this() -> None:
    """The way from a job that is no backtest to those that are."""
    st.page_link(BACKTEST_PAGE, label=_("Show the latest backtest"), icon=":material/arrow_forward:")
