"""What is what: a tour in five steps, which opens when it is asked for and never by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st

from stockcast.ui.language import N_, _
from stockcast.ui.router import BACKTEST, DATA, MONITOR, OVERVIEW, RUNS, TRAIN

_STEP: Final = "tour_step"


@dataclass(frozen=True)
class Stop:
    """One step: what there is to know, and the pages it is about with their names."""

    title: str
    text: str
    pages: tuple[tuple[str, str, str], ...]  # page, name, icon


STOPS: Final = (
    Stop(
        N_("A forecast is a range"),
        N_(
            "Nobody knows tomorrow's close. So you read a **median** and an **80 % interval**: the range that "
            "should hold the close four times in five. Beside it always stands the **naive** forecast, which says "
            "the last close again; it is very hard to beat."
        ),
        ((OVERVIEW, N_("Overview"), ":material/insights:"),),
    ),
    Stop(
        N_("It begins with prices"),
        N_(
            "Daily prices come from the sample, from Yahoo or from your own file (CSV, XLSX, Parquet). Nothing is "
            "stored before you have seen how it was read. What is remarkable in a history is marked on its chart."
        ),
        ((DATA, N_("Data"), ":material/candlestick_chart:"),),
    ),
    Stop(
        N_("One model speaks"),
        N_(
            "The **champion** is the version that speaks. A training makes a new version; it is judged on "
            "sessions that it has not seen, and speaks only if it does better. Otherwise it stays the "
            "**challenger**. You may overrule that with a note."
        ),
        ((TRAIN, N_("Train"), ":material/model_training:"),),
    ),
    Stop(
        N_("Can it be trusted?"),
        N_(
            "**Skill** says how much better than naive it was, **coverage** how often its intervals held: 80 % "
            "should hold 80 times in 100. A backtest tells it of the past, the live record of what was really "
            "said. **Drift** warns when prices look wrong, or like nothing that the model has learnt from."
        ),
        (
            (BACKTEST, N_("Backtest"), ":material/fact_check:"),
            (MONITOR, N_("Monitor"), ":material/monitor_heart:"),
        ),
    ),
    Stop(
        N_("Nothing is lost"),
        N_(
            "Every training, version and configuration is kept. Put two runs side by side, promote another "
            "version, or go back to the one before with a click. What you look at stands in the address: send it "
            "to a colleague."
        ),
        ((RUNS, N_("Runs"), ":material/history:"),),
    ),
)


def offer_tour(place: str) -> None:
    """A quiet button that opens the tour at its beginning; `place` tells two on one page apart."""
    if st.button(_("What is what?"), icon=":material/explore:", type="tertiary", key=f"tour_{place}"):
        st.session_state[_STEP] = 0
        st.dialog(_("What is what?"), icon=":material/explore:", width="medium")(_show)()


def _show() -> None:
    at = min(max(int(st.session_state.get(_STEP, 0)), 0), len(STOPS) - 1)
    stop = STOPS[at]
    st.caption(_("Step {step} of {steps}").format(step=at + 1, steps=len(STOPS)))
    with st.container(height=240, border=False):
        st.header(_(stop.title))
        st.markdown(_(stop.text))
        with st.container(horizontal=True, gap="medium"):
            for page, name, icon in stop.pages:
                st.page_link(page, label=_("Open the page {name}").format(name=_(name)), icon=icon)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.button(_("Back"), key="tour_back", disabled=at == 0, on_click=_go, args=(at - 1,))
        # One button to the end: were it another at the last step, the keyboard's focus would go with the first.
        label = _("Next") if at < len(STOPS) - 1 else _("Done")
        st.button(label, key="tour_next", type="primary", on_click=_go, args=(at + 1,))
    if st.session_state.get(_STEP) == len(STOPS):
        st.rerun()


def _go(step: int) -> None:
    st.session_state[_STEP] = step
