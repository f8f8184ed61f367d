"""Overview: what do we expect next, how sure are we, and what needs attention?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.champion_card import champion_line, reasons, skill_metrics
from stockcast.ui.drift_overview import attention
from stockcast.ui.error_boundary import boundary, tell
from stockcast.ui.expectations import gather, show_expectations
from stockcast.ui.freshness import SAMPLE, freshness_note
from stockcast.ui.next_steps import next_steps, show_steps
from stockcast.ui.selection import histories_of, universe
from stockcast.ui.shared import champion, workspace
from stockcast.ui.welcome import tell_missing, welcome

router.require_frame()

st.title("What do we expect next?")
histories = histories_of(universe())
if not workspace().prices.list():
    welcome()
    st.stop()
tell_missing(universe())
if not histories:
    st.stop()

speaks = champion(universe())
expectations, failed = gather(universe(), histories, speaks)
champion_line(speaks)
with boundary():
    attention(universe(), (each.drift for each in expectations))
show_expectations(expectations)
for problem in failed.values():
    tell(problem)
freshness_note([each.answer for each in expectations], [each.history.source for each in expectations])

card = next((each.answer.speaker.scorecard for each in expectations), None)
if card is not None:
    st.subheader("Can it be trusted?")
    skill_metrics(card)
    with st.expander("Why this model speaks", icon=":material/gavel:"):
        reasons(speaks)

st.subheader("What next?")
only_sample = all(history.source == SAMPLE for history in histories)
stale = any(each.answer.stale for each in expectations)
show_steps(next_steps(speaks, only_sample, stale))
