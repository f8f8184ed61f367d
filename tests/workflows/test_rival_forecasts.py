"""Forecasts that nobody issues: of other models, and of closes that did not happen. They leave no trace."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.errors import InvalidRequest, TooShortHistory, UnknownModel
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.monitoring.adaptations import Adaptations, adapted, forecast_adapted
from stockcast.prices.frame import PriceFrame
from stockcast.settings import Settings
from stockcast.tables import adaptations, journal
from stockcast.workflows.compare_forecasts import forecast_quietly
from stockcast.workflows.suppose_close import _closing_at
from stockcast.workspace import Workspace

MakeFrame = Callable[..., PriceFrame]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with the baseline as its champion and a GARCH that challenges it."""
    home = tmp_path_factory.mktemp("rivals") / "home"
    workspace = Workspace(Settings(home=home, threads=1))
    workspace.ingest_sample()
    workspace.champion(DEFAULT_UNIVERSE)
    workspace.train(DEFAULT_UNIVERSE, ["AAPL"], overrides=["model.kind=garch"])
    versions = workspace.versions
    first = versions.read("stockcast-default", "1")
    if "champion" not in first.aliases:
        second = versions.champion(DEFAULT_UNIVERSE)
        assert second is not None
        versions.crown(first)
        with versions.server.told("making a challenger") as client:
            client.set_registered_model_alias(second.name, "challenger", second.version)
    workspace.database.close()
    return home


@pytest.fixture
def workspace(home: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(home, tmp_path / "home")
    return Workspace(Settings(home=tmp_path / "home", threads=1))


def rows(workspace: Workspace) -> tuple[int, int]:
    """How many rows the journal and the adaptations have."""
    with workspace.database.read() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(each)).scalar_one()
            for each in (journal, adaptations)
        ]
    return counts[0], counts[1]


def test_comparisons_and_suppositions_leave_no_trace(workspace: Workspace) -> None:
    workspace.forecast("AAPL", DEFAULT_UNIVERSE, "page")
    before = rows(workspace)
    assert before[0] == 1
    for rival in ("challenger", "garch"):
        workspace.rivals.beside("AAPL", DEFAULT_UNIVERSE, rival)  # type: ignore[arg-type]
    workspace.rivals.suppose("AAPL", DEFAULT_UNIVERSE, 50.0)
    assert rows(workspace) == before


def test_a_challenger_says_what_it_would_say_as_champion(workspace: Workspace) -> None:
    found = workspace.rivals.beside("AAPL", DEFAULT_UNIVERSE, "challenger")
    assert found.label == "garch v2"
    challenger = workspace.versions.resolve(DEFAULT_UNIVERSE, "challenger")
    workspace.promote(DEFAULT_UNIVERSE, challenger.version, "To compare")
    said = workspace.forecast("AAPL", DEFAULT_UNIVERSE, "page")
    np.testing.assert_array_equal(found.forecast.log_returns, said.forecast.log_returns)
    with pytest.raises(UnknownModel, match="challenger"):
        workspace.rivals.beside("AAPL", DEFAULT_UNIVERSE, "challenger")


def test_a_garch_is_fitted_to_the_ticker_alone_and_centred_on_its_last_close(workspace: Workspace) -> None:
    found = workspace.rivals.beside("IBM", DEFAULT_UNIVERSE, "garch")
    frame = workspace.prices.load("IBM")
    assert (found.label, found.forecast.context.cutoff) == ("GARCH", frame.last_session)
    np.testing.assert_allclose(found.forecast.median, frame.close[-1])
    low, high = found.forecast.interval(0.8)
    assert (np.diff(high - low) > 0).all()


def test_a_history_that_is_too_short_for_a_garch_says_how_long_it_must_be(workspace: Workspace) -> None:
    with pytest.raises(TooShortHistory, match="at least 200 are needed"):
        workspace.rivals.beside("FB", DEFAULT_UNIVERSE, "garch")


def test_supposing_what_happened_says_what_is_said(workspace: Workspace) -> None:
    said = workspace.forecast("AAPL", DEFAULT_UNIVERSE, "page")
    supposed = workspace.rivals.suppose("AAPL", DEFAULT_UNIVERSE, said.forecast.context.last_close)
    np.testing.assert_allclose(supposed.forecast.log_returns, said.forecast.log_returns, atol=1e-12)
    assert supposed.change == pytest.approx(0.0)


def test_a_supposed_fall_moves_the_forecast_and_widens_it(workspace: Workspace) -> None:
    said = workspace.forecast("AAPL", DEFAULT_UNIVERSE, "page").forecast
    supposed = workspace.rivals.suppose("AAPL", DEFAULT_UNIVERSE, 0.7 * said.context.last_close)
    assert supposed.naive.median[0] == pytest.approx(0.7 * said.context.last_close)
    width, actual = (np.ptp(each.log_returns[0, [3, -4]]) for each in (supposed.forecast, said))
    assert width > 2 * actual
    assert supposed.drift.warning, "a fall of 30 % would itself be doubted"


@pytest.mark.parametrize("close", [0.0, -3.0, float("nan"), float("inf")])
def test_what_can_be_no_close_is_not_supposed(close: float, workspace: Workspace) -> None:
    with pytest.raises(InvalidRequest, match="can be no close"):
        workspace.rivals.suppose("AAPL", DEFAULT_UNIVERSE, close)


def test_the_range_of_the_session_holds_the_supposed_close(make_bars: MakeFrame) -> None:
    frame = make_bars(count=100)
    for close in (frame.close[-1] / 2, frame.close[-1] * 2):
        supposed = _closing_at(frame, close)
        assert supposed.low[-1] <= supposed.close[-1] == close <= supposed.high[-1]
        np.testing.assert_array_equal(supposed.close[:-1], frame.close[:-1])
        np.testing.assert_array_equal(supposed.high[:-1], frame.high[:-1])
        assert supposed.content_hash != frame.content_hash


def test_a_quiet_forecast_is_the_issued_one_without_keeping_its_state(
    make_frame: MakeFrame, workspace: Workspace
) -> None:
    adapting = EwmaForecaster(adaptation=0.01)
    known, frame = Adaptations(workspace.database), make_frame(count=500)
    quiet = forecast_quietly(adapting, frame, None, None)
    assert known.find("run", frame.ticker) is None
    issued = forecast_adapted(adapting, frame, None, known, "run")
    np.testing.assert_array_equal(quiet.log_returns, issued.log_returns)
    kept = known.find("run", frame.ticker)
    assert kept is not None
    again, reached = adapted(adapting, frame, None, kept)
    np.testing.assert_allclose(again.log_returns, issued.log_returns)
    assert reached is None, "nothing has come true since"
