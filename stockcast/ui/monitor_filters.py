"""Which part of the live record is looked at; the choice stands in the address."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from stockcast.monitoring.open_forecasts import OpenForecast
from stockcast.monitoring.record import TrackRecord
from stockcast.ui.address_choice import choose_one
from stockcast.ui.language import N_, _

ALL = N_("All")
_PERIODS: dict[str, int | None] = {ALL: None, "20": 20, "60": 60, "250": 250}
_HORIZONS = ("1", "2", "3", "4", "5")


@dataclass(frozen=True)
class Chosen:
    """A part of the record; None means all."""

    ticker: str | None
    model_version: str | None
    last: int | None  # sessions

    @property
    def whole(self) -> bool:
        """Whether nothing is filtered."""
        return self == Chosen(None, None, None)

    def holds(self, forecast: OpenForecast) -> bool:
        """Whether an open forecast belongs to this part; a number of sessions says nothing of those to come."""
        return self.ticker in (None, forecast.ticker) and self.model_version in (None, forecast.model_version)


def horizon_in_address() -> int:
    """The horizon that the address names, before its widget is drawn."""
    asked = st.session_state.get("ahead", st.query_params.get("ahead", "1"))
    return int(asked) if asked in _HORIZONS else 1


def _shown(option: str) -> str:
    return _(option) if option == ALL else option


def choose_part(record: TrackRecord) -> Chosen:
    """Draws the filters over a whole record."""
    tickers = [ALL, *(part.name for part in record.tickers)]
    versions = [ALL, *(f"v{part.name}" for part in record.versions)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        # The address holds what is shown, so that nothing is shown otherwise than it is named.
        ticker = choose_one(_("Ticker"), "of", tickers, width=180, shown=_shown)
        version = choose_one(_("Model version"), "by", versions, width=150, shown=_shown)
        last = choose_one(_("Last sessions"), "last", list(_PERIODS), buttons=True, shown=_shown)
        st.segmented_control(
            _("Sessions ahead"),
            _HORIZONS,
            default="1",
            required=True,
            key="ahead",
            bind="query-params",
            help=_("Scorecards of backtests and the rules of alerts look one session ahead."),
        )
    return Chosen(
        None if ticker == ALL else ticker,
        None if version == ALL else version.removeprefix("v"),
        _PERIODS.get(last),
    )
