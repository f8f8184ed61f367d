"""Backtest: how good are a model's forecasts?"""

import streamlit as st

from stockcast.jobs.job import BACKTEST, EVALUATE
from stockcast.ui import router
from stockcast.ui.backtest_start import back_to_this, backtest_form, invite, job_to_show
from stockcast.ui.backtest_view import show_backtest
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.job_result import show_ended, work_of
from stockcast.ui.language import _
from stockcast.ui.selection import histories_of, universe
from stockcast.ui.shared import workspace
from stockcast.ui.training_watch import watch
from stockcast.ui.welcome import tell_missing, welcome

router.require_frame()

st.title(_("How good are its forecasts?"))
if not workspace().prices.list():
    welcome()
    st.stop()
tell_missing(universe())
if not histories_of(universe()):
    st.stop()

job = None
with boundary():
    job = job_to_show(universe())
with boundary():
    backtest_form(universe(), expanded=job is None)

with boundary():
    if job is None:
        invite()
    elif job.active:
        st.subheader(_("The {work} of {universe}").format(work=work_of(job), universe=plain(job.universe)))
        watch(job)
    elif job.state == "succeeded" and "diagnosis" in (job.result or {}):
        show_backtest(job)
    else:
        show_ended(job)
        if job.kind not in (BACKTEST, EVALUATE):
            back_to_this()
