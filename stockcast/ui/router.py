"""Which pages there are, and how a visitor gets to them.

Streamlit runs a file of a folder `pages/` on its own when a fresh server is asked for it by its address. Such a
visit would miss the frame and the error boundary of app.py, so every page begins with `require_frame()`.
"""

from __future__ import annotations

from contextvars import ContextVar

import streamlit as st
from streamlit.navigation.page import Page

from stockcast import __version__
from stockcast.ui.language import _
from stockcast.ui.wordmark import FAVICON, WORDMARK

_framed: ContextVar[bool] = ContextVar("framed", default=False)

OVERVIEW = "pages/overview.py"
FORECAST = "pages/forecast.py"
BACKTEST = "pages/backtest.py"
MONITOR = "pages/monitor.py"
DATA = "pages/data.py"
TRAIN = "pages/train.py"
RUNS = "pages/runs.py"
CONFIGURATION = "pages/configuration.py"
API = "pages/api.py"


def navigate() -> Page:
    """Draws the menu and returns the page that the visitor asked for.

    The page's own settings come first: without them Streamlit would fetch an icon from another server.
    """
    st.set_page_config(
        page_title="stockcast",
        page_icon=FAVICON,
        layout="wide",
        menu_items={
            "About": _("**stockcast {version}**: honest stock price forecasts. Not investment advice.").format(
                version=__version__
            )
        },
    )
    st.logo(WORDMARK, size="large")
    page = st.navigation(
        {
            _("Answers"): [
                st.Page(
                    OVERVIEW,
                    title=_("Overview"),
                    icon=":material/insights:",
                    default=True,
                    help=_("What we expect next, how sure we are and what needs attention."),
                ),
                st.Page(
                    FORECAST,
                    title=_("Forecast"),
                    icon=":material/show_chart:",
                    url_path="forecast",
                    help=_("The coming sessions of one ticker as a distribution, beside the naive forecast."),
                ),
                st.Page(
                    BACKTEST,
                    title=_("Backtest"),
                    icon=":material/fact_check:",
                    url_path="backtest",
                    help=_("How good a model's forecasts were, beside the naive ones and those of other models."),
                ),
                st.Page(
                    MONITOR,
                    title=_("Monitor"),
                    icon=":material/monitor_heart:",
                    url_path="monitor",
                    help=_("What live forecasts have been worth, drift over time, alerts and open forecasts."),
                ),
            ],
            _("Work"): [
                st.Page(
                    DATA,
                    title=_("Data"),
                    icon=":material/candlestick_chart:",
                    url_path="data",
                    help=_("Stored price histories, their quality, and how to get more."),
                ),
                st.Page(
                    TRAIN,
                    title=_("Train"),
                    icon=":material/model_training:",
                    url_path="train",
                    help=_("Train the model, watch its loss, and read how it does against the naive forecast."),
                ),
            ],
            _("Records"): [
                st.Page(
                    RUNS,
                    title=_("Runs"),
                    icon=":material/history:",
                    url_path="runs",
                    help=_("Every training and every model version, with its figures and reasons."),
                ),
                st.Page(
                    CONFIGURATION,
                    title=_("Configuration"),
                    icon=":material/tune:",
                    url_path="configuration",
                    help=_("What the next training will use; each change is kept as a version."),
                ),
            ],
            _("Programs"): [
                st.Page(
                    API,
                    title=_("API"),
                    icon=":material/api:",
                    url_path="api",
                    help=_("Whether programs can ask for forecasts, how they do it, and with which keys."),
                ),
            ],
        },
    )
    st.set_page_config(page_title=f"{page.title} · stockcast")
    return page


def run(page: Page) -> None:
    """Runs a page inside the frame of app.py."""
    token = _framed.set(True)
    try:
        page.run()
    finally:
        _framed.reset(token)


def require_frame() -> None:
    """The first line of every page: starts over through app.py when the page was run without it."""
    if not _framed.get():
        navigate()
        st.rerun()
