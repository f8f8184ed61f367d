"""The Forecast page in a real Chromium: a link on a fresh server, the keyboard, a picture, a paste, a phone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect
from price_payloads import days_until
from real_browser import dashboard_over, drawn, watched_page
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

QUESTION = "How will it close?"
ADDRESS = "page_info_changed"  # Streamlit's name for it
VIEW = "/forecast?ticker=IBM&h=2&also=challenger,garch&level=178&what_if=170"
PASTED = "Data\tFechamento\n" + "\n".join(
    f"{'/'.join(reversed(day.split('-')))}\t1.0{10 + at * 7919 % 17},{at:02d}"
    for at, day in enumerate(days_until("2024-05-15", 60))
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(trained_sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over the sample with a challenger; its address."""
    folder = tmp_path_factory.mktemp("forecast_browser")
    shutil.copytree(trained_sample_home, folder / "home")
    with dashboard_over(folder / "home", folder) as address:
        yield address


@pytest.fixture
def page(server: str) -> Iterator[Page]:
    """A browser page before the server, in English."""
    with watched_page(server, locale="en-US") as page:
        yield page


def test_a_link_shows_the_whole_view_and_so_does_a_refresh(page: Page) -> None:
    for visit in (lambda: page.goto(VIEW), page.reload):
        visit()
        drawn(page, QUESTION)
        expect(page.get_by_role("columnheader", name="GARCH 80 %").first).to_be_visible()
        expect(page.get_by_text("The chance that IBM closes above 178.00")).to_be_visible()
        expect(page.get_by_text("If IBM had closed at 170.00")).to_be_visible()
    page.get_by_role("button", name="Link to this view").click()
    link = page.get_by_test_id("stCode").first
    expect(link).to_contain_text(
        "/forecast?universe=default&ticker=IBM&h=2&also=challenger,garch&level=178&what_if=170"
    )


def test_the_level_moves_by_keyboard_and_the_chart_is_saved_as_a_picture(page: Page, tmp_path: Path) -> None:
    page.goto("/forecast?ticker=IBM")
    drawn(page, QUESTION)
    page.get_by_text("Choose the level", exact=True).click()
    slider = page.get_by_role("slider", name="Drag the level")
    slider.focus()
    for _press in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_url("**level=**")
    expect(page.get_by_text("from the last close) is")).to_be_visible()
    with page.expect_download() as download:
        page.locator(".modebar-btn").first.click()
    assert download.value.suggested_filename == "forecast-IBM-2013-03-01.png"
    picture = tmp_path / "chart.png"
    download.value.save_as(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


class SlowAnswers:
    """Between a page and its server: keeps what the server says until it is let go."""

    def __init__(self, page: Page) -> None:
        self._kept: list[bytes] = []
        self._keeping = False
        self._asked = 0
        self._page = page
        page.route_web_socket("**/_stcore/stream", self._between)

    def _between(self, browser: WebSocketRoute) -> None:
        self._browser, self._server = browser, browser.connect_to_server()
        browser.on_message(self._ask)
        self._server.on_message(self._tell)

    def _ask(self, message: str | bytes) -> None:
        self._asked += 1
        self._server.send(message)

    def _tell(self, message: str | bytes) -> None:
        if self._keeping and isinstance(message, bytes):
            self._kept.append(message)
        else:
            self._browser.send(message)

    def keep(self) -> None:
        self._keeping = True

    def wait_for_an_address(self) -> None:
        """Until the server has said what the address shall be."""
        while not any(ForwardMsg.FromString(each).WhichOneof("type") == ADDRESS for each in self._kept):
            self._page.wait_for_timeout(10)

    def press(self, button: Locator, key: str) -> None:
        """Presses a key and waits until the server has been asked, by a page that knows nothing new."""
        before = self._asked
        button.press(key)
        while self._asked == before:
            self._page.wait_for_timeout(10)

    def let_go(self) -> None:
        self._keeping = False
        for each in self._kept:
            self._browser.send(each)


def test_over_a_slow_connection_a_dragged_level_is_not_taken_back_by_the_field_or_the_address(page: Page) -> None:
    answers = SlowAnswers(page)
    page.goto("/forecast?ticker=IBM&level=178")
    drawn(page, QUESTION)
    expect(page.get_by_text("The chance that IBM closes above 178.00")).to_be_visible()
    slider = page.get_by_role("slider", name="Drag the level")
    answers.keep()
    slider.press("ArrowRight")
    answers.wait_for_an_address()
    answers.press(page.get_by_role("switch", name="GARCH"), "Space")
    answers.let_go()
    expect(page.get_by_role("columnheader", name="GARCH 80 %").first).to_be_visible()
    expect(page.get_by_text("The chance that IBM closes above 178.10")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Level (USD)")).to_have_value("178.10")
    expect(slider).to_have_value("178.1")
    expect(page).to_have_url(re.compile("level=178.1(&|$)"))


def test_a_paste_is_read_shown_and_forecast(page: Page) -> None:
    page.goto("/forecast?ticker=IBM")
    drawn(page, QUESTION)
    page.get_by_text("Forecast your own window", exact=True).click()
    page.get_by_text("Paste from a spreadsheet").click()
    field = page.get_by_role("textbox", name="Closes, or dates and closes")
    field.fill(PASTED)
    field.press("Control+Enter")
    expect(page.get_by_text("This is how I read it.")).to_be_visible()
    page.get_by_role("button", name="Forecast these closes").click()
    expect(page.get_by_role("heading", name="What comes after your window")).to_be_visible()
    expect(page.get_by_text("The chance that the price closes above its last close")).to_be_visible()


def test_on_a_phone_nothing_but_the_tables_is_wider_than_the_screen(server: str) -> None:
    with watched_page(server, locale="pt-BR", viewport={"width": 390, "height": 844}) as page:
        page.goto(VIEW)
        drawn(page, "Como vai fechar?")
        expect(page.get_by_role("columnheader", name="GARCH").first).to_be_attached()
        assert page.evaluate(
            "() => { const main = document.querySelector('[data-testid=stMain]');"
            " return main.scrollWidth - main.clientWidth; }"
        ) <= 1  # fmt: skip
        shown = page.get_by_test_id("stMetricValue").first
        assert shown.evaluate("card => card.scrollWidth <= card.clientWidth + 1"), "a figure is cut off"
