"""What lies below a page's first window waits until that is drawn, at the first run of the page alone."""

from __future__ import annotations

import time

import pytest
from page_reading import OpenPage

from stockcast.ui import first_window
from stockcast.workspace import Workspace


def test_what_lies_below_waits_at_the_first_run_of_a_page_alone(
    sample: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    sleep = time.sleep

    def slept(seconds: float) -> None:
        if seconds == first_window.MOMENT:
            waits.append(seconds)
        else:
            sleep(seconds)

    monkeypatch.setattr(first_window, "MOMENT", 0.7654321)
    monkeypatch.setattr(time, "sleep", slept)
    app = open_page("forecast")
    assert len(waits) == 1
    app.run()
    assert len(waits) == 1
    app.switch_page("pages/data.py").run()
    assert len(waits) == 2
