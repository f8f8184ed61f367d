"""The Train page in a real browser: from click to first point, how other pages open meanwhile, and memory.

python -m benchmarks.training_page [MINUTES]    MINUTES of a watched training for the memory; 0 leaves that out
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.screenshots import answers, free_port

APP = Path(__file__).parents[1] / "app.py"
PATIENCE = 120  # seconds
# Points of the validation curve of a job other than `old`, once the page shows that job and nothing stale.
NEW_POINTS = """old => {
    const now = new URL(location).searchParams.get('job');
    const logs = [...document.querySelectorAll('[data-testid=stExpander]')];
    if (!now || now === old || !logs.some(log => log.innerText.includes(now))) return 0;
    const chart = document.querySelector('.js-plotly-plot');
    if (!chart || chart.closest('[data-stale=true]')) return 0;
    return chart.data.find(curve => curve.name === 'Validation')?.x?.length ?? 0;
}"""
OTHER_PAGES = {
    "data": "How good are the prices of AAPL?",
    "runs": "Which version speaks, and which could?",
    "configuration": "What changed",
}


def main(minutes: float) -> None:
    """Prints each figure with its limit."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No chromium is installed.")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        served(Path(home)) as (address, server),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = opened(browser, address)
        print(f"click to first point, cold: {click(page):.1f} s (limit 8)")
        warm = [click(page) for _ in range(5)]
        print(f"the same, warm: median {statistics.median(warm):.1f}, most {max(warm):.1f} s (limit 2)")
        idle = opening(browser, address)
        configure(Path(home), "training.max_epochs=1000", "training.patience=200", "network.hidden_size=64")
        click(page, keep=True)
        job = page.url
        page.goto("about:blank")
        compare("while training", idle, opening(browser, address))
        page.goto(job)
        page.get_by_role("button", name="Cancel", exact=True).wait_for()
        compare("while training, and watched in another tab", idle, opening(browser, address))
        if minutes:
            watch(page, server, minutes)
        cancel(page)
        browser.close()


def compare(when: str, idle: Mapping[str, float], busy: Mapping[str, float]) -> None:
    """Prints how much longer pages take to open."""
    for name, at_rest in idle.items():
        ratio = busy[name] / at_rest
        print(f"{name} opens in {busy[name]:.2f} s {when}, {at_rest:.2f} s idle: {ratio:.2f}x (limit 1.5)")


def watch(page: Page, server: psutil.Process, minutes: float) -> None:
    """Memory of server and browser page after the first half minute and after the whole time."""
    devtools = page.context.new_cdp_session(page)

    def used() -> tuple[float, float]:
        devtools.send("HeapProfiler.collectGarbage")
        heap = devtools.send("Runtime.getHeapUsage")["usedSize"]
        return server.memory_info().rss / 2**20, heap / 2**20

    time.sleep(30)
    before, started, ran = used(), time.monotonic(), 0
    while time.monotonic() - started < 60 * minutes:
        time.sleep(1)
        if page.get_by_role("button", name="Retrain", exact=True).is_enabled():  # it has ended: the next one
            ran += 1
            click(page, keep=True)
    after = used()
    for name, first, last in zip(("server", "browser heap"), before, after, strict=True):
        print(
            f"{name} after {minutes:g} min watched: {first:.0f} to {last:.0f} MB, {last - first:+.0f} (limit 50)"
        )
    print(f"trainings watched: {ran + 1}")


def click(page: Page, keep: bool = False) -> float:
    """Seconds from a click on Retrain to the first point; cancels the training unless it is to be kept."""
    page.goto("/train")
    button = page.get_by_role("button", name="Retrain", exact=True)
    expect(button).to_be_enabled()
    page.wait_for_timeout(2000)
    old = page.evaluate("new URL(location).searchParams.get('job')") or shown(page)
    started = time.monotonic()
    button.click()
    page.wait_for_function(NEW_POINTS, arg=old, polling=50)
    seconds = time.monotonic() - started
    if not keep:
        cancel(page)
    return seconds


def shown(page: Page) -> str | None:
    """The job whose log the page offers."""
    log = page.get_by_text("Log of job")
    return log.first.inner_text().split()[-1] if log.count() else None


def cancel(page: Page) -> None:
    """Ends the training that the page shows."""
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Try again").wait_for()


def opening(browser: Browser, address: str) -> dict[str, float]:
    """Seconds until each of the other pages is there, median of five visits."""
    page = opened(browser, address)
    found = {}
    for name, words in OTHER_PAGES.items():
        times = []
        for _ in range(6):
            started = time.monotonic()
            page.goto(f"/{name}")
            page.get_by_text(words).first.wait_for()
            times.append(time.monotonic() - started)
        found[name] = statistics.median(times[1:])
    page.context.close()
    return found


def opened(browser: Browser, address: str) -> Page:
    """A page of a new visitor."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=address).new_page()
    page.set_default_timeout(1000 * PATIENCE)
    expect.set_options(timeout=1000 * PATIENCE)
    return page


def configure(home: Path, *assignments: str) -> None:
    """Sets the configuration."""
    environment = {**os.environ, "STOCKCAST_HOME": str(home)}
    line = [sys.executable, "-m", "stockcast", "config", "set", *assignments]
    subprocess.run(line, env=environment, check=True, capture_output=True)


@contextlib.contextmanager
def served(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A dashboard over a fresh home with the sample, without a worker; its address and process."""
    environment = {**os.environ, "STOCKCAST_HOME": str(home), "STOCKCAST_WORKER_LINGER": "300"}
    for line in (("prices", "sample"), ("forecast", "AAPL")):
        subprocess.run(
            [sys.executable, "-m", "stockcast", *line], env=environment, check=True, capture_output=True
        )
    port = free_port()
    line = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.headless", "true"]
    options = ["--server.address", "127.0.0.1", "--server.port", str(port)]
    process = subprocess.Popen([*line, *options], env=environment, stdout=subprocess.DEVNULL)
    try:
        while not answers(f"http://127.0.0.1:{port}/_stcore/health"):
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if "worker" in each.cmdline() and each.environ().get("STOCKCAST_HOME") == str(home):
                    each.kill()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0)
