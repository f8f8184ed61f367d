"""How long each page takes to show its content, beside a bare Streamlit page with one candlestick, in one run.

python -m benchmarks.page_speed [--rounds 7] [--tickers 50] [--years 15]

Fifty tickers of fifteen years are stored (their prices are made up, seeded, with volatility that clusters). One
browser visits each page in turns with the bare one, after some visits of both that do not count: of a page that
is asked for more often it would have more code at hand. Measured is when what stands in the window (1440 x 900)
has come to rest, whether or not there is more below it; and beside it, when the run of the page has ended with
all that is below. The bare page draws 500 bars.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.screenshots import APP_STATE, answers, free_port
from stockcast.database import Database
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import all_sessions
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.prices.store import PriceStore
from stockcast.settings import Settings

LIMIT = 1.5  # of the bare page
PATIENCE = 180  # seconds
WARM = 3  # visits after which a browser has kept the code of a page compiled
PAGES = ("", "forecast", "backtest", "monitor", "data", "train", "runs", "configuration", "api")
BARE = """
import numpy as np, plotly.graph_objects as go, streamlit as st
st.set_page_config(layout="wide")
st.title("Bars")
close = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, 500)))
bars = go.Candlestick(x=list(range(500)), open=close, high=close * 1.01, low=close * 0.99, close=close)
st.plotly_chart(go.Figure(bars))
"""
# Notes when anything in the window last changed: what is there, where, how large, whether a chart has its lines.
WATCH = """() => {
    let before = '';
    window.rested = 0;
    const look = () => {
        const now = [...document.querySelectorAll('h1, [data-testid=stElementContainer]')]
            .map(each => [each, each.getBoundingClientRect()])
            .filter(([each, where]) => where.top < innerHeight && where.height > 0)
            .map(([each, where]) => [
                Math.round(where.top), Math.round(where.height), each.dataset.stale, each.innerText.length,
                each.querySelectorAll('.main-svg, canvas').length])
            .join(';');
        if (now !== before) { before = now; window.rested = performance.now(); }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
DRAWN = f"() => {APP_STATE} === 'notRunning' && document.querySelector('h1')"
QUIET = 700  # milliseconds, after which what is there stays


def main() -> None:
    """Prints each page's median beside the bare one's."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=7)
    asked.add_argument("--tickers", type=int, default=50)
    asked.add_argument("--years", type=int, default=15)
    options = asked.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No chromium is installed.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as playwright:
        home, bare = Path(folder) / "home", Path(folder) / "bare.py"
        store_histories(home, options.tickers, options.years)
        bare.write_text(BARE)
        ours = [sys.executable, "-m", "stockcast.ui.server"]
        plain = [sys.executable, "-m", "streamlit", "run", str(bare), "--browser.gatherUsageStats", "false"]
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        with served(ours, home) as our_address, served(plain, home) as bare_address:
            compare(browser, our_address, bare_address, options.rounds)
        browser.close()


def compare(browser: Browser, ours: str, bare: str, rounds: int) -> None:
    """Visits the pages in turns with the bare one."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(1000 * PATIENCE)
    page.add_init_script(f"({WATCH})()")
    for path in PAGES:
        print(f"first visit of /{path}: {visit(page, f'{ours}/{path}')[0]:.2f} s")
    for path in PAGES:
        for address in (bare, f"{ours}/{path}") * WARM:
            visit(page, address)
        beside, took = [], []
        for _ in range(rounds):
            beside.append(visit(page, bare)[0])
            took.append(visit(page, f"{ours}/{path}"))
        seen, ended = zip(*took, strict=True)
        ratio = statistics.median(seen) / statistics.median(beside)
        print(
            f"/{path}: {spread(seen)}, {ratio:.2f} of the bare page's {spread(beside)} (limit {LIMIT}); "
            f"whole page {statistics.median(ended):.2f} s"
        )


def visit(page: Page, address: str) -> tuple[float, float]:
    """Seconds from asking for an address until the window is at rest, and until the run has ended."""
    page.goto(address, wait_until="commit")
    page.wait_for_function(DRAWN, polling=20)
    ended = page.evaluate("performance.now()")
    page.wait_for_timeout(QUIET)
    return page.evaluate("window.rested") / 1000, ended / 1000


def spread(seconds: Sequence[float]) -> str:
    """Median and range of what was measured."""
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}, {len(seconds)} visits)"


def store_histories(home: Path, tickers: int, years: int) -> None:
    """As many histories of sessions up to the last one that has closed."""
    now, database = datetime.now(UTC), Database(Settings(home=home).database)
    days = all_sessions("XNYS")
    days = days[days < np.datetime64(now.date(), "D")][-252 * years :]
    store = PriceStore(database)
    for number in range(tickers):
        frame = made_up(f"T{number:02d}", days, number, now)
        store.save(FetchedPrices(frame, PriceReport(len(frame))))
    database.close()


def made_up(ticker: str, days: np.ndarray, seed: int, now: datetime) -> PriceFrame:
    """Bars whose volatility clusters."""
    random, count = np.random.default_rng(seed), len(days)
    volatility = 0.01 * np.exp(0.5 * pd.Series(random.normal(0, 1, count)).ewm(span=60).mean().to_numpy())
    close = 50 * np.exp(np.cumsum(volatility * random.standard_t(5, count)))
    swing = volatility * np.abs(random.normal(0, 1, count))
    bars = pd.DataFrame(
        {"open": close, "high": close * (1 + swing), "low": close * (1 - swing), "close": close, "volume": 1e6},
        index=pd.DatetimeIndex(days.astype("datetime64[ns]"), name="session"),
    )
    return PriceFrame.from_dataframe(bars, ticker=ticker, source="made up", as_of=now)


@contextlib.contextmanager
def served(command: Sequence[str], home: Path) -> Iterator[str]:
    """A Streamlit server over a home; its address."""
    port = free_port()
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    environment = {**os.environ, "STOCKCAST_HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen(
        [*command, *options], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(f"{address}/_stcore/health"):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit("The server does not start.")
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
