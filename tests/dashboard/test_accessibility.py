"""axe-core finds nothing serious in our own content, in both themes; and our own font is there, with its figures.

axe-core stands in vendor/, so that this needs no network.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from page_reading import PAGES
from played_record import play
from playwright.sync_api import Browser, Page, expect, sync_playwright
from real_browser import CHROMIUM, FLAGS, PATIENCE, dashboard_over

from stockcast.settings import Settings
from stockcast.workspace import Workspace

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
DRAWN = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"

# What Streamlit 1.67 itself draws and we cannot mend: the rule, within what, and why.
STREAMLITS_OWN = (
    # Groups of the menu are <div>s between the <ul> and its <li>s.
    ("list", "[data-testid=stSidebarNav]"),
    ("listitem", "[data-testid=stSidebarNav]"),
    # The point under the pointer in the sparkline of st.metric is a mark without a title; the figure stands above.
    ("svg-img-alt", "[data-testid=stMetric]"),
    # The chosen part of a segmented control is written in the theme's first colour on a tint of it, and a primary
    # button in white on that same colour. On a dark page no colour is far enough from both; ours serves buttons.
    ("color-contrast", "[role=radiogroup] [data-selected=true]"),
    # The colours of code are fixed.
    ("color-contrast", "[data-testid=stCode] .token"),
)

# A theme changes colours and nothing else, so that after the first one the rules of colours are asked alone.
FIND = """async ([known, colours]) => {
    const only = colours ? {runOnly: ['color-contrast', 'link-in-text-block']} : {};
    const found = await axe.run(document, {...only, resultTypes: ['violations'], elementRef: true});
    return found.violations
        .filter(rule => ['serious', 'critical'].includes(rule.impact))
        .flatMap(rule => rule.nodes
            .filter(node => !known.some(([id, within]) => id === rule.id && node.element?.closest(within)))
            .map(node => [rule.id, node.target.join(' '), node.html.slice(0, 200), node.failureSummary])
            .map(each => each.join(' | ')));
}"""
WIDTHS = """() => {
    const pen = document.createElement('canvas').getContext('2d');
    return ['400', '600', '700'].map(weight => {
        pen.font = `${weight} 20px "IBM Plex Sans"`;
        return [...'0123456789'].map(digit => pen.measureText(digit).width);
    });
}"""
# What fades in reads as a weak contrast.
AT_ONCE = "*, *::before, *::after { transition: none !important; animation: none !important; }"
CHART_FONT = """() => [...document.querySelectorAll('.js-plotly-plot .xtick text')]
    .some(each => getComputedStyle(each).fontFamily.startsWith('"IBM Plex Sans"'))"""
FONTS = """() => [...document.fonts].filter(face => face.status === 'loaded').map(face => face.family)"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def furnished_home(trained_sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which every page has something to show: prices, a training, a live record."""
    home = tmp_path_factory.mktemp("furnished") / "home"
    shutil.copytree(trained_sample_home, home)
    workspace = Workspace(Settings(home=home, threads=1))
    play(workspace, ("AAPL", "IBM"), date(2013, 1, 17))
    workspace.database.close()
    return home


BOTH: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Whether the page is drawn on a dark ground, as is asked.
BACKGROUND = """(dark) => {
    const [red] = getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor.match(/\\d+/g);
    return (Number(red) < 128) === dark;
}"""


@pytest.fixture(scope="module")
def server(furnished_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all of it, started from another folder; its address."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with dashboard_over(furnished_home, folder, cwd=folder) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser; each test opens a page of its own."""
    assert CHROMIUM is not None, "CI needs chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        expect.set_options(timeout=PATIENCE)
        yield opened
        opened.close()


def _opened(browser: Browser, address: str, width: int = 1440) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_function(DRAWN)
    page.add_style_tag(content=AT_ONCE)
    return page


def _turn(page: Page, theme: Literal["light", "dark"]) -> None:
    """As when the visitor's system turns: the page follows it."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_function(BACKGROUND, arg=theme == "dark")
    page.wait_for_timeout(300)  # charts follow


def _assert_sound(page: Page) -> None:
    """Nothing serious is found in either theme."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for theme in BOTH:
        _turn(page, theme)
        found = page.evaluate(FIND, [[list(each) for each in STREAMLITS_OWN], theme != BOTH[0]])
        assert found == [], theme


@pytest.mark.parametrize("name", PAGES)
def test_nothing_serious_is_found_in_our_own_content(name: str, server: str, browser: Browser) -> None:
    page = _opened(browser, f"{server}/{'' if name == 'overview' else name}")
    try:
        expect(page.get_by_text("Something went wrong on our side")).to_have_count(0)
        _assert_sound(page)
    finally:
        page.context.close()


def test_the_tour_is_walked_by_keyboard_alone_and_is_sound(server: str, browser: Browser) -> None:
    page = _opened(browser, server)
    try:
        asked = page.get_by_role("button", name="What is what?")
        asked.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("Step 1 of 5")).to_be_visible()
        _assert_sound(page)
        dialog.get_by_role("button", name="Next").focus()
        for step in range(2, 6):
            page.keyboard.press("Enter")
            expect(dialog.get_by_text(f"Step {step} of 5")).to_be_visible()
        expect(dialog.get_by_role("button", name="Done")).to_be_focused()  # it is the same button to the end
        expect(dialog.get_by_role("link", name="Open the page Runs")).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_function(DRAWN)
        expect(dialog).to_have_count(0)
    finally:
        page.context.close()


def test_our_font_comes_from_our_own_server_and_all_figures_are_of_one_width(
    server: str, browser: Browser
) -> None:
    page = _opened(browser, f"{server}/forecast?ticker=IBM")
    try:
        assert "IBM Plex Sans" in page.evaluate(FONTS)
        page.wait_for_function(CHART_FONT)
        for widths in page.evaluate(WIDTHS):
            assert max(widths) - min(widths) < 0.01
    finally:
        page.context.close()


def test_a_click_on_a_ticker_of_the_table_opens_its_forecast(server: str, browser: Browser) -> None:
    page = _opened(browser, server)
    try:
        table = page.get_by_test_id("stDataFrame").first
        table.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        place = table.bounding_box()
        assert place is not None
        page.mouse.click(place["x"] + 30, place["y"] + 52)  # the first row; the table is a picture
        expect(page.get_by_role("heading", name="How will it close?")).to_be_visible()
        assert "ticker=" in page.url
    finally:
        page.context.close()
