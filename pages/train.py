"""Train: does a newly trained model deserve to speak?"""

import streamlit as st

from stockcast.jobs.job import TUNE
from stockcast.ui import router
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.job_result import show_ended, work_of
from stockcast.ui.language import _
from stockcast.ui.selection import universe
from stockcast.ui.shared import workspace
from stockcast.ui.training_plan import show_plan
from stockcast.ui.training_start import offer_training
from stockcast.ui.training_watch import job_to_watch, watch
from stockcast.ui.tuning_section import tuning_section
from stockcast.ui.welcome import welcome

router.require_frame()

st.title(_("Does a new model do better?"))
ws = workspace()
if not ws.prices.list():
    welcome()
    st.stop()

show_plan(ws.configs.current(universe()), ws.tickers(universe()))
with boundary():
    offer_training(universe())

with boundary():
    job = job_to_watch(universe())
    searches = job is not None and job.kind == TUNE
    tuning_section(ws.configs.current(universe()), job if searches else None)
    if job is None:
        st.info(
            _(
                "No training was asked for yet. It takes some seconds to minutes; the model that "
                "speaks goes on speaking until a new one proves itself better."
            )
        )
    elif searches:
        pass  # it is shown in its section
    elif job.active:
        st.subheader(_("The {work} of {universe}").format(work=work_of(job), universe=plain(job.universe)))
        watch(job)
    else:
        show_ended(job)
