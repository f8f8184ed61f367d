"""Data: which prices do we have, and how good are they?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.error_boundary import boundary
from stockcast.ui.history_table import show_histories
from stockcast.ui.history_view import show_history
from stockcast.ui.price_download import price_download
from stockcast.ui.price_upload import price_upload
from stockcast.ui.shared import workspace
from stockcast.ui.welcome import offer_sample

router.require_frame()

st.title("Which prices do we have?")
stored = st.container()  # filled last, so that it shows what was added just now

st.subheader("Get more prices")
yahoo, file, sample = st.tabs(
    [
        ":material/download: From Yahoo",
        ":material/upload_file: From a file",
        ":material/inventory_2: Bundled sample",
    ]
)
with yahoo, boundary():
    price_download()
with file, boundary():
    price_upload()
with sample, boundary():
    offer_sample()

with stored, boundary():
    histories = workspace().prices.list()
    if histories:
        show_histories(histories)
        show_history(histories)
    else:
        st.info("None yet. Load the sample, download from Yahoo or upload a file.", icon=":material/inbox:")
