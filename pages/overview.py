"""Overview: what do we expect next, how sure are we, and what needs attention?"""

import streamlit as st

from stockcast.errors import StockcastError
from stockcast.monitoring.record import LATELY
from stockcast.ui import router
from stockcast.ui.champion_card import champion_line, reasons
from stockcast.ui.drift_overview import attention, attention_notes
from stockcast.ui.error_boundary import boundary
from stockcast.ui.expectations import gather, show_cards
from stockcast.ui.freshness import SAMPLE, freshness_note
from stockcast.ui.language import _
from stockcast.ui.next_steps import next_steps, show_steps
from stockcast.ui.overview_answer import show_answer, tell_failed
from stockcast.ui.overview_lately import lately, show_lately
from stockcast.ui.overview_rows import by_attention
from stockcast.ui.overview_table import show_universe
from stockcast.ui.selection import histories_of, universe
from stockcast.ui.shared import champion, workspace
from stockcast.ui.track_reads import live_record, mark
from stockcast.ui.welcome import tell_missing, welcome

router.require_frame()

st.title(_("What do we expect next?"))
histories = histories_of(universe())
if not workspace().prices.list():
    welcome()
    st.stop()
tell_missing(universe())
if not histories:
    st.stop()

speaks = champion(universe())
expectations, failed = gather(universe(), histories, speaks)
rows = by_attention(histories, expectations, failed)
show_answer(rows)
champion_line(speaks)
with boundary():
    attention(universe(), [each.drift for each in expectations])
show_cards([row.expectation for row in rows if row.expectation is not None])

try:
    record = live_record(mark(), universe(), 1, last=LATELY)
except StockcastError:  # told by the Monitor page; the forecasts stand without it
    record = None
card = next((each.answer.speaker.scorecard for each in expectations), None)
with boundary():
    show_universe(rows, {row.ticker: lately(row.ticker, record, card) for row in rows})
tell_failed(failed)
freshness_note([each.answer for each in expectations], [each.history.source for each in expectations])
attention_notes([each.drift for each in expectations])

if expectations:
    st.subheader(_("How well did it do lately?"))
    show_lately(record, card)
    with st.expander(_("Why this model speaks"), icon=":material/gavel:"):
        reasons(speaks)

st.subheader(_("What next?"))
only_sample = all(history.source == SAMPLE for history in histories)
stale = any(each.answer.stale for each in expectations)
show_steps(next_steps(speaks, only_sample, stale))
