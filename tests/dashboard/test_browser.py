"""The dashboard in a real Chromium on a real server: deep links, and the walk from prices to runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from real_browser import PATIENCE, dashboard_over, drawn, watched_page

from stockcast.config import DEFAULT_UNIVERSE, Config
from stockcast.settings import Settings
from stockcast.workspace import Workspace

# Points of the validation curve, as Plotly holds them.
EPOCHS_DRAWN = """((document.querySelector('.js-plotly-plot')?.data ?? [])
    .find(curve => curve.name === 'Validation')?.x?.length ?? 0)"""
QUESTIONS = {
    "Data": "Which prices do we have?",
    "Configuration": "What will the next training use?",
    "Train": "Does a new model do better?",
    "Forecast": "How will it close?",
    "Runs": "What was tried?",
}
VERDICT = re.compile(r"^lstm v2 .*naive.* forecasts\): (not )?promoted\.$")

pytestmark = pytest.mark.browser


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A fresh server over a fresh home; its address."""
    more = {"STOCKCAST_WORKER_LINGER": "30", "STOCKCAST_MLFLOW_UI_URL": "http://127.0.0.1:5000"}
    with dashboard_over(tmp_path / "home", tmp_path, **more) as address:
        yield address


@pytest.fixture
def long_training_there(sample_home: Path, tmp_path: Path) -> None:
    """The fresh server finds the sample and a configuration that trains for minutes; named before `page`."""
    shutil.copytree(sample_home, tmp_path / "home")
    workspace = Workspace(Settings(home=tmp_path / "home"))
    slow = Config().with_overrides(["training.max_epochs=1000", "training.patience=200"])
    workspace.configs.save(DEFAULT_UNIVERSE, slow, "", workspace.clock())
    workspace.database.close()


@pytest.fixture
def played_there(played_home: Path, tmp_path: Path) -> None:
    """The fresh server finds a live record; named before `page`, which starts it."""
    shutil.copytree(played_home, tmp_path / "home")


@pytest.fixture
def page(server: str) -> Iterator[Page]:
    """A browser page before the fresh server."""
    with watched_page(server) as page:
        yield page


def _open(page: Page, name: str) -> None:
    """Follows the menu and waits until the other page has been drawn whole."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    drawn(page, QUESTIONS[name])


def _back(page: Page, name: str) -> None:
    """Presses the back button until another page has been drawn whole.

    Streamlit notes `/runs` and `/runs?ticker=AAPL` as two entries when its messages come apart. The button of a
    browser skips an entry that nobody's click has made; the driver's `go_back` does not.
    """
    here = page.evaluate("location.pathname")
    page.go_back()
    if page.evaluate("location.pathname") == here:
        page.go_back()
    expect(page.get_by_role("heading", name=QUESTIONS[name])).to_be_visible()


def _progress(page: Page) -> Locator:
    """The bar of the job that is watched, with its words."""
    return page.get_by_test_id("stMain").get_by_test_id("stProgress")


def _ticker(page: Page) -> str:
    return page.get_by_test_id("stMain").get_by_role("combobox", name="Ticker", exact=True).input_value()


def test_a_deep_link_on_a_fresh_server_shows_the_framed_page(page: Page) -> None:
    page.goto("/forecast")
    expect(page.get_by_role("heading", name=QUESTIONS["Forecast"])).to_be_visible()
    menu = page.get_by_test_id("stSidebarNav")
    expect(menu).to_contain_text("Answers")
    expect(menu.get_by_role("link")).to_have_count(9)
    expect(menu.get_by_role("link", name="Forecast")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("button", name="Load the bundled sample")).to_be_visible()
    expect(page).to_have_title("Forecast · stockcast")


def test_a_deep_link_to_a_part_of_the_live_record_shows_it_and_can_be_passed_on(
    played_there: None, page: Page
) -> None:
    page.goto("/monitor?of=IBM&last=20")
    expect(page.get_by_role("heading", name="Has it kept its word?")).to_be_visible()
    expect(page.get_by_text(re.compile("Over 20 sessions and 20 forecasts")).first).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(5)
    main = page.get_by_test_id("stMain")
    main.get_by_role("radio", name="60").click()
    expect(page).to_have_url(re.compile("last=60"))
    expect(page.get_by_text(re.compile("Over 29 sessions and 29 forecasts")).first).to_be_visible()
    assert "of=IBM" in page.url
    page.reload()
    expect(page.get_by_text(re.compile("Over 29 sessions and 29 forecasts")).first).to_be_visible()
    assert main.evaluate("each => each.scrollWidth - each.clientWidth") == 0
    expect(page.get_by_text("Something went wrong")).to_have_count(0)


def test_the_walk_from_prices_to_a_forecast_and_its_run(page: Page) -> None:
    page.goto("/data")
    page.get_by_role("button", name="Load the bundled sample").click()
    expect(page.get_by_role("heading", name="How good are the prices of AAPL?")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_be_visible()

    _open(page, "Configuration")
    # Long enough to be watched, and no longer.
    for field, figure in {"Max epochs": 35, "Patience": 35, "Units": 8, "Networks": 1}.items():
        page.get_by_role("spinbutton", name=field).fill(str(figure))
    page.get_by_role("button", name="Save as a version").click()
    expect(page.get_by_text("Version 1 of the universe default.")).to_be_visible()

    _open(page, "Train")
    page.get_by_role("button", name="Retrain").click()
    expect(page).to_have_url(re.compile(r"job=[0-9a-f]{12}"))
    expect(_progress(page)).to_contain_text(re.compile(r"Epoch \d+ of 35"))
    job = page.url
    first = page.evaluate(EPOCHS_DRAWN)
    page.wait_for_function(f"{EPOCHS_DRAWN} > {first}")
    page.reload()
    expect(_progress(page)).to_contain_text(re.compile(r"Epoch \d+ of 35"))
    assert page.url == job
    expect(page.get_by_text(VERDICT)).to_be_visible(timeout=3 * PATIENCE)
    expect(page.get_by_role("heading", name="Against the naive forecast")).to_be_visible()
    page.wait_for_function(f"{EPOCHS_DRAWN} === 35")

    page.get_by_role("link", name="Read the forecast").click()
    drawn(page, QUESTIONS["Forecast"])
    expect(page.locator(".js-plotly-plot").filter(visible=True)).to_be_visible()  # a banner folds up its evidence
    page.get_by_test_id("stMain").get_by_role("combobox", name="Ticker", exact=True).click()
    page.get_by_role("option", name="IBM").click()
    expect(page).to_have_url(re.compile("ticker=IBM"))
    expect(page.get_by_test_id("stMain")).to_contain_text("2013-03-04")
    _open(page, "Data")
    assert _ticker(page) == "IBM"

    _open(page, "Runs")
    expect(page.get_by_role("heading", name="LSTM AAPL, GOOG, IBM")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    link = page.get_by_test_id("stMain").get_by_role("link", name="Open the run in MLflow")
    expect(link).to_have_attribute(
        "href", re.compile(r"http://127\.0\.0\.1:5000/#/experiments/\d+/runs/[0-9a-f]{32}")
    )
    page.reload()
    expect(page).to_have_url(re.compile("ticker=IBM"))
    _open(page, "Forecast")
    assert _ticker(page) == "IBM"
    expect(page.get_by_text("Something went wrong")).to_have_count(0)


def test_one_training_is_seen_by_every_tab_and_browser_until_somebody_cancels_it(
    long_training_there: None, page: Page, server: str
) -> None:
    page.goto("/train")
    page.get_by_role("button", name="Retrain").click()
    epochs = re.compile(r"Epoch \d+ of 1000")
    expect(_progress(page)).to_contain_text(epochs)
    job = page.url.rsplit("job=", 1)[1][:12]

    tab = page.context.new_page()
    tab.goto("/train")  # without the job's address
    expect(_progress(tab)).to_contain_text(epochs)
    expect(tab.get_by_text(f"Log of job {job}")).to_be_visible()
    expect(tab.get_by_role("button", name="Retrain", exact=True)).to_be_disabled()

    _open(page, "Runs")  # tells of it, and leads back
    expect(page.get_by_test_id("stSidebar").get_by_text("Training of default: Epoch")).to_be_visible()
    _back(page, "Train")
    expect(_progress(page)).to_contain_text(epochs)
    page.wait_for_function(f"{EPOCHS_DRAWN} > 1")

    assert page.context.browser is not None
    other = page.context.browser.new_context(base_url=server).new_page()
    other.goto(f"/train?job={job}")
    expect(_progress(other)).to_contain_text(epochs, timeout=PATIENCE)

    _open(page, "Runs")
    other.get_by_role("button", name="Cancel", exact=True).click()
    expect(other.get_by_role("button", name="Try again")).to_be_visible(timeout=PATIENCE)
    expect(tab.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_test_id("stToast")).to_contain_text("The training of default was cancelled.")
