"""Reads of the Data page that are worth keeping for a moment, keyed by what was stored."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from stockcast.prices.frame import PriceFrame
from stockcast.prices.quality import PriceQuality, assess_quality
from stockcast.prices.quality_findings import QualityFinding, list_findings
from stockcast.prices.store import StoredHistory
from stockcast.ui.language import _
from stockcast.ui.shared import workspace


@dataclass(frozen=True, eq=False)
class Looked:
    """A stored history that was looked over."""

    frame: PriceFrame
    quality: PriceQuality
    findings: tuple[QualityFinding, ...]
    mended: tuple[str, ...]  # what the reading of it reported


def look_over(history: StoredHistory) -> Looked:
    """The bars of a stored history, and what is to be said about them."""
    key = (str(workspace().settings.home), history.ticker, history.content_hash, history.as_of.isoformat())
    with st.spinner(_("Reading the prices …")):
        return _look_over(key, history)


@st.cache_resource(max_entries=20, show_spinner=False)
def _look_over(key: tuple[str, ...], _history: StoredHistory) -> Looked:
    frame = workspace().prices.load(_history.ticker)
    found = assess_quality(frame)
    mended = tuple(repair.sentence for repair in _history.report.repairs)
    return Looked(frame, found, list_findings(frame, found, _history.report), mended)
