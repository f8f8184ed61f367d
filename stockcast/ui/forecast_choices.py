"""The two choices above the fan: how many sessions ahead, and whose forecasts stand beside the champion's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from stockcast.errors import StockcastError
from stockcast.prices.store import StoredHistory
from stockcast.registry.versions import CHALLENGER, ModelVersion
from stockcast.ui.address import asked, write
from stockcast.ui.domain_words import told
from stockcast.ui.error_boundary import tell
from stockcast.ui.forecast_address import ALSO, HORIZON, PAST, joined, names_of, number_of
from stockcast.ui.format import count
from stockcast.ui.language import _
from stockcast.ui.shared import versions, workspace
from stockcast.workflows.compare_forecasts import RIVALS, Beside, Rival
from stockcast.workflows.forecast import Answer

_AHEAD, _BESIDE, _PAST = (
    "forecast_ahead",
    "forecast_beside",
    "forecast_past",
)  # in the session: a widget that is not drawn forgets

_FEW = 20  # sessions before the fan, so that it has a fifth of the chart


@dataclass(frozen=True)
class Offer:
    """A forecast that may stand beside; `lacking` says why it cannot."""

    rival: Rival
    label: str
    explained: str
    run_id: str = ""
    lacking: str | None = None


def choose_ahead(most: int) -> int:
    """Draws the choice of the horizon, 1 to `most` sessions, and returns it."""
    linked = number_of(asked(HORIZON))
    options = list(range(1, most + 1))
    wanted = linked or st.session_state.get(_AHEAD)
    chosen: int = next((option for option in options if option == wanted), most)
    st.session_state[_AHEAD] = st.session_state[f"{_AHEAD}_choice"] = chosen
    write(HORIZON, str(chosen))
    st.segmented_control(
        _("Sessions ahead"),
        options,
        key=f"{_AHEAD}_choice",
        required=True,
        on_change=_keep_ahead,
        help=_("How far the chart and the table reach. The further, the wider the intervals."),
    )
    return chosen


def choose_past(answer: Answer) -> int:
    """Draws the choice of the sessions before the fan, and returns it: few of them, or all that was read.

    All of them from the start where the drift check names one that would not be seen.
    """
    read = len(answer.window.closes)
    options = [_FEW, read] if read > _FEW else [read]
    named = any(place < read - _FEW for finding in answer.drift.findings for place in finding.positions)
    wanted = number_of(asked(PAST)) or st.session_state.get(_PAST)
    chosen: int = next((option for option in options if option == wanted), read if named else options[0])
    st.session_state[f"{_PAST}_choice"] = chosen
    write(PAST, str(chosen) if wanted == chosen else None)
    st.segmented_control(
        _("Sessions before"),
        options,
        key=f"{_PAST}_choice",
        required=True,
        on_change=_keep_past,
        help=_("How much of what was read is drawn before the fan."),
    )
    return chosen


def shortened(answer: Answer, ahead: int) -> Answer:
    """The first sessions of an answer."""
    forecast, naive = answer.forecast, answer.naive
    return replace(
        answer,
        forecast=replace(forecast, log_returns=forecast.log_returns[:ahead]),
        naive=replace(naive, log_returns=naive.log_returns[:ahead]),
    )


def choose_beside(universe: str) -> list[Offer]:
    """Draws a switch for each forecast that may stand beside the champion's, and returns those that shall."""
    linked = asked(ALSO)
    if linked is not None:
        st.session_state[_BESIDE] = names_of(linked, RIVALS)
    wanted = st.session_state.get(_BESIDE, [])
    offers = [_challenger(universe), _garch()]
    for offer in offers:
        key = f"{_BESIDE}_{offer.rival}"
        st.session_state[key] = offer.rival in wanted and offer.lacking is None
        st.toggle(
            offer.label,
            key=key,
            on_change=_keep_beside,
            args=(offer.rival,),
            disabled=offer.lacking is not None,
            help=offer.lacking or offer.explained,
        )
    write(ALSO, joined(wanted))
    return [offer for offer in offers if offer.rival in wanted and offer.lacking is None]


def read_beside(offers: list[Offer], universe: str, history: StoredHistory, speaks: ModelVersion) -> list[Beside]:
    """Their forecasts; one that cannot be made is told, and the others are shown."""
    found = []
    for offer in offers:
        try:
            found.append(_read(offer, universe, history, speaks))
        except StockcastError as problem:
            tell(problem)
    return found


def _read(offer: Offer, universe: str, history: StoredHistory, speaks: ModelVersion) -> Beside:
    ws = workspace()
    key = (str(ws.settings.home), universe, history.ticker, history.content_hash, speaks.run_id, offer.run_id)
    waiting = (
        _("Fitting a GARCH to {sessions} of {ticker} …")
        if offer.rival == "garch"
        else _("Asking the challenger about {sessions} of {ticker} …")
    )
    sessions = count(history.sessions, "session", "sessions")
    with st.spinner(waiting.format(sessions=sessions, ticker=history.ticker)):
        return _beside(key, offer.rival, universe, history.ticker)


@st.cache_resource(max_entries=200, show_spinner=False)
def _beside(key: tuple[str, ...], rival: Rival, _universe: str, _ticker: str) -> Beside:
    return workspace().rivals.beside(_ticker, _universe, rival)


def _challenger(universe: str) -> Offer:
    label = _("Challenger")
    explained = _(
        "The version that asked to speak and was not let: drawn as a line with the outline of its 80 % interval. "
        "It is a comparison, not what we say, and no journal holds it."
    )
    try:
        found = next((each for each in versions(universe) if CHALLENGER in each.aliases), None)
    except StockcastError as problem:
        return Offer("challenger", label, explained, lacking=told(problem.message))
    if found is None:
        lacking = _("No version challenges the champion: train one, and it stands here until it is promoted.")
        return Offer("challenger", label, explained, lacking=lacking)
    named = _("Challenger ({version})").format(version=found.label)
    return Offer("challenger", named, explained, run_id=found.run_id)


def _garch() -> Offer:
    explained = _(
        "GARCH(1,1) with a Student-t, fitted now to this ticker alone: the textbook opponent. The first time "
        "takes a second or two. It is a comparison, not what we say, and no journal holds it."
    )
    return Offer("garch", "GARCH", explained)


def _keep_ahead() -> None:
    st.session_state[_AHEAD] = st.session_state[f"{_AHEAD}_choice"]


def _keep_past() -> None:
    st.session_state[_PAST] = st.session_state[f"{_PAST}_choice"]


def _keep_beside(rival: Rival) -> None:
    wanted = set(st.session_state.get(_BESIDE, ())) - {rival}
    if st.session_state[f"{_BESIDE}_{rival}"]:
        wanted.add(rival)
    st.session_state[_BESIDE] = [each for each in RIVALS if each in wanted]
