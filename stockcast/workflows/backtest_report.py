"""A backtest as a file: one self-contained HTML page for people, or one CSV row a ticker for spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

from stockcast.errors import InvalidRequest
from stockcast.evaluation.diagnose import spoken
from stockcast.evaluation.diagnosis import Diagnosis
from stockcast.evaluation.significance import p_text
from stockcast.workflows.backtest_charts import CALIBRATION, INTERVALS, OVER_TIME, Charts
from stockcast.workflows.backtest_tables import measure_rows, ticker_table
from stockcast.workflows.chart_palette import HISTORY, translucent
from stockcast.workflows.write_file import write_whole

_TEXT, _DARK_TEXT = "#1B2430", "#E8ECF2"  # as on the pages
_STYLE = """
:root { color-scheme: light dark; --text: #1B2430; --page: #FFFFFF; --line: #D5DBE3; --card: #F3F5F8; }
@media (prefers-color-scheme: dark) {
  :root { --text: #E8ECF2; --page: #10161F; --line: #303C4D; --card: #1A2330; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 1100px;
  margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; }
h2 { font-size: 1.2rem; margin-top: 2rem; }
h3 { font-size: 1rem; margin-bottom: 0; }
.verdict { background: var(--card); border-left: 4px solid #2E8BD8; padding: .8rem 1rem; font-size: 1.1rem; }
.small { opacity: .75; font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 1rem; }
.pair > div { min-width: 0; }
"""
# Each chart was drawn before its neighbour was there, so it takes its place again. The charts have no colour for
# text of their own: they take the page's, now and when the reader changes it.
_PAINT = f"""
document.querySelectorAll(".js-plotly-plot").forEach(chart => Plotly.Plots.resize(chart));
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.querySelectorAll(".js-plotly-plot").forEach(
  chart => Plotly.relayout(chart, {{"font.color": dark.matches ? "{_DARK_TEXT}" : "{_TEXT}"}}));
paint();
dark.addEventListener("change", paint);
"""


def write_report(diagnosis: Diagnosis, file: Path) -> None:
    """Writes HTML or CSV, as the name ends. Raises InvalidRequest for another ending or a file that cannot be."""
    require_report_name(file)
    write_whole(file, ticker_csv(diagnosis) if file.suffix.lower() == ".csv" else report_html(diagnosis))


def require_report_name(file: Path) -> None:
    """Raises InvalidRequest when no report can have that name."""
    if file.suffix.lower() not in (".html", ".csv"):
        raise InvalidRequest(
            f"A report cannot be written as {file.name}.", "Let its name end in .html, or in .csv for the tickers."
        )


def ticker_csv(diagnosis: Diagnosis) -> bytes:
    """The tickers one by one, with full precision."""
    return ticker_table(diagnosis).to_csv(index=False).encode()


def report_html(diagnosis: Diagnosis) -> bytes:
    """The whole report as one page that needs no network."""
    card = diagnosis.scorecard
    title = f"Backtest of {diagnosis.label}"
    body = [
        f"<h1>{escape(title)}</h1>",
        _small(f"{card.first_session} to {card.last_session}, one session ahead, data {card.fingerprint[:12]}."),
        f'<p class="verdict">{escape(diagnosis.verdict)}</p>',
        "<h2>Figures beside the naive forecast</h2>",
        _table(("Measure", diagnosis.label, "Naive", "How to read it"), measure_rows(diagnosis)),
        _small(f"Over {card.count:,} forecasts."),
        "<h2>Against each opponent</h2>",
        _table(("Opponent", "Skill", "Diebold-Mariano", "Sessions", "Tickers won"), _duel_rows(diagnosis)),
        _small("Skill is 1 - CRPS / CRPS of the opponent; the p-value is that of means per session."),
        "<h2>Over time</h2>",
        _pair(diagnosis, OVER_TIME),
        "<h2>Did the probabilities hold?</h2>",
        f"<p>{escape(diagnosis.pit.sentence)}</p>",
        _pair(diagnosis, CALIBRATION),
        _small("The grey bands are 95 % of chance for independent forecasts; tickers move together."),
        _pair(diagnosis, INTERVALS),
        "<h2>The sessions that it foresaw least</h2>",
        _table(("Session", "Ticker", "Return", "95 % interval", "CRPS", "Naive CRPS"), _worst_rows(diagnosis)),
        "<h2>Ticker by ticker</h2>",
        _table(*_ticker_rows(diagnosis)),
        _small("Made by stockcast. Not investment advice."),
    ]
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
        f"<script>{get_plotlyjs()}</script></head><body>\n" + "\n".join(body) + f"\n<script>{_PAINT}</script>"
        "</body></html>\n"
    )
    return page.encode()


def _duel_rows(diagnosis: Diagnosis) -> list[Sequence[str]]:
    return [
        (
            spoken(duel.opponent),
            f"{100 * duel.skill:+.2f} %",
            p_text(duel.p_value),
            f"{duel.sessions:,}",
            f"{duel.won} of {len(duel.tickers)}",
        )
        for duel in diagnosis.duels
    ]


def _worst_rows(diagnosis: Diagnosis) -> list[Sequence[str]]:
    return [
        (
            each.session.isoformat(),
            each.ticker,
            f"{each.actual:+.2f} %",
            f"{each.low_95:+.2f} % to {each.high_95:+.2f} %",
            f"{each.crps:.3f}",
            f"{each.naive_crps:.3f}",
        )
        for each in diagnosis.worst
    ]


def _ticker_rows(diagnosis: Diagnosis) -> tuple[list[str], list[list[str]]]:
    titles = ["Ticker", "Forecasts"]
    titles += [title for duel in diagnosis.duels for title in (f"Skill over {spoken(duel.opponent)}", "p")]
    titles += ["80 % held", "Naive", "95 % held", "Naive", "MAPE", "Naive MAPE"]
    rows = []
    for number, score in enumerate(diagnosis.scorecard.tickers):
        duels = [duel.tickers[number] for duel in diagnosis.duels]
        shares = (score.coverage_80, score.naive_coverage_80, score.coverage_95, score.naive_coverage_95)
        rows.append(
            [
                score.ticker,
                f"{score.count:,}",
                *(text for each in duels for text in (f"{100 * each.skill:+.2f} %", f"{each.p_value:.3f}")),
                *(f"{100 * share:.1f} %" for share in shares),
                f"{score.mape:.3f} %",
                f"{score.naive_mape:.3f} %",
            ]
        )
    return titles, rows


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _chart(title: str, figure: go.Figure) -> str:
    """A chart without a background, whose text takes the colour of the page."""
    figure.update_layout(paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font={"color": _TEXT})
    figure.update_yaxes(gridcolor=translucent(HISTORY, 0.25), automargin=True)
    figure.update_xaxes(automargin=True)
    made: str = plotly.io.to_html(
        figure, full_html=False, include_plotlyjs=False, config={"displaylogo": False, "responsive": True}
    )
    return f"<h3>{escape(title)}</h3>{made}"


def _pair(diagnosis: Diagnosis, charts: Charts) -> str:
    drawn = "".join(f"<div>{_chart(title, draw(diagnosis))}</div>" for title, draw in charts)
    return f'<div class="pair">{drawn}</div>'


def _small(text: str) -> str:
    return f'<p class="small">{escape(text)}</p>'
