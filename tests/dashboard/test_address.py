"""What is written into the address, and what a link, the way back or a late message asks for."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from stockcast.ui import address


def page() -> None:
    """A page that shows a ticker, and keeps it in the address."""
    import streamlit as st

    from stockcast.ui import address

    wanted = address.asked("ticker")
    if wanted is not None:
        st.session_state["shown"] = wanted
    chosen = st.text_input("Ticker", key="shown")
    address.write("ticker", chosen or None)
    st.caption(f"{address.standing('ticker')} {address.changed('ticker')}")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that pages see; whoever appends to it lets time pass."""
    times = [100.0]
    monkeypatch.setattr(address, "monotonic", lambda: times[-1])
    return times


def say(app: AppTest, ticker: str | None) -> str:
    """The page runs with this in the address; what it shows then."""
    app.query_params.clear()
    if ticker is not None:
        app.query_params["ticker"] = ticker
    return str(app.run().text_input(key="shown").value)


def test_a_link_is_followed_and_the_way_back_too(clock: list[float]) -> None:
    app = AppTest.from_function(page)
    assert say(app, "IBM") == "IBM"
    assert app.text_input(key="shown").set_value("AAPL").run().query_params["ticker"] == "AAPL"
    clock.append(clock[-1] + address.STALE)
    assert say(app, "IBM") == "IBM", "the way back"
    assert say(app, "MSFT") == "MSFT", "a link, however soon"
    assert say(app, None) == "MSFT", "an empty address asks for nothing"
    assert app.query_params["ticker"] == "MSFT"


def test_an_address_that_was_written_over_a_moment_ago_is_no_wish(clock: list[float]) -> None:
    app = AppTest.from_function(page)
    say(app, "IBM")
    for ticker in ("AAPL", "MSFT", "MMM"):
        app.text_input(key="shown").set_value(ticker).run()
        clock.append(clock[-1] + address.STALE / 4)
    for late in ("AAPL", "IBM", "MSFT"):
        assert say(app, late) == "MMM"
        assert app.query_params["ticker"] == "MMM", "it is written again"
        assert app.caption[0].value == "MMM False"


def test_an_address_without_a_value_is_late_as_well_and_meant_when_time_has_passed(clock: list[float]) -> None:
    app = AppTest.from_function(page)
    say(app, None)
    app.text_input(key="shown").set_value("IBM").run()
    app.text_input(key="shown").set_value("").run()
    assert "ticker" not in app.query_params
    assert say(app, "IBM") == ""
    clock.append(clock[-1] + address.STALE)
    assert say(app, "IBM") == "IBM"
