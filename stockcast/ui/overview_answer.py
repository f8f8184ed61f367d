"""The Overview's answer in a sentence or two: what is expected, how sure, and what to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from stockcast.errors import StockcastError
from stockcast.ui.domain_words import told
from stockcast.ui.error_boundary import tell
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.expectations import Expectation
from stockcast.ui.format import count, figures, interval, money, percent, price, session, signed_percent
from stockcast.ui.language import _, ngettext
from stockcast.ui.overview_rows import TickerRow
from stockcast.ui.router import DATA

_FEW, _MOST = 2, 5  # failures that are told one by one, and named at all


def show_answer(rows: Sequence[TickerRow]) -> None:
    """The sentence, and how many tickers need a look."""
    expected = [row.expectation for row in rows if row.expectation is not None]
    if expected:
        st.markdown(f"{expected_words(expected)} {attention_words(rows)}")


def expected_words(expected: Sequence[Expectation]) -> str:
    """What is expected of one ticker, or the range of what is expected of several, as Markdown."""
    if len(expected) == 1:
        return _one(expected[0])
    days = sorted({str(session(each.answer.forecast.session(1), 1)) for each in expected})
    changes, widths = [each.change for each in expected], [each.width for each in expected]
    lowest, highest = signed_percent(min(changes)), signed_percent(max(changes))
    if lowest == highest:
        said = _(
            "**{tickers}** for **{session}**: medians {lowest} from the last close, 80 % intervals from "
            "{narrowest} to {widest} of it wide."
        )
    else:
        said = _(
            "**{tickers}** for **{session}**: medians from {lowest} to {highest} of the last close, 80 % "
            "intervals from {narrowest} to {widest} of it wide."
        )
    return said.format(
        tickers=count(len(expected), "ticker", "tickers"),
        session=days[0] if len(days) == 1 else _("{first} to {last}").format(first=days[0], last=days[-1]),
        lowest=lowest,
        highest=highest,
        narrowest=percent(min(widths)),
        widest=percent(max(widths)),
    )


def _one(expectation: Expectation) -> str:
    forecast, context = expectation.answer.forecast, expectation.answer.forecast.context
    low, high = forecast.interval(0.8)
    return _(
        "**{ticker}** for **{session}**: a median of {median} ({change}), between {interval} with 80 % "
        "probability; naive says {naive}."
    ).format(
        ticker=plain(expectation.history.ticker),
        session=session(forecast.session(1), 1),
        median=money(forecast.median[0], context.currency),
        change=signed_percent(expectation.change),
        interval=interval(low[0], high[0]),
        naive=price(expectation.answer.naive.median[0]),
    )


def attention_words(rows: Sequence[TickerRow]) -> str:
    """How many tickers a person should look at."""
    wanting = sum(row.wants_a_look for row in rows)
    if not wanting:
        return _("Nothing needs your attention.")
    return ngettext(
        "**{count} ticker needs your attention.**", "**{count} tickers need your attention.**", wanting
    ).format(count=figures(f"{wanting:,}"))


def tell_failed(failed: Mapping[str, StockcastError]) -> None:
    """Why some tickers have no forecast: one by one where they are few, together where they are many."""
    if len(failed) <= _FEW:
        for problem in failed.values():
            tell(problem)
        return
    lines = [f"{ticker}: {told(problem.message)}" for ticker, problem in list(failed.items())[:_MOST]]
    beyond = len(failed) - _MOST
    more = "\n- " + _("and {what}").format(what=count(beyond, "more ticker", "more tickers")) if beyond > 0 else ""
    st.warning(
        bullets(lines) + more,
        title=_("No forecast of {tickers}").format(tickers=count(len(failed), "ticker", "tickers")),
        icon=":material/warning:",
    )
    st.page_link(DATA, label=_("Look at their prices on the Data page"), icon=":material/arrow_forward:")
