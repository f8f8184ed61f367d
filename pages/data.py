"""Data: which prices do we have, and how good are they?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.error_boundary import boundary
from stockcast.ui.language import _
from stockcast.ui.price_download import price_download
from stockcast.ui.price_page import begin_stored, show_stored
from stockcast.ui.price_upload import price_upload
from stockcast.ui.shared import workspace
from stockcast.ui.welcome import offer_sample

router.require_frame()

st.title(_("Which prices do we have?"))
stored = begin_stored()  # filled last, so that it shows what was added just now

st.subheader(_("Get more prices"))
yahoo, file, sample = st.tabs(
    [
        _(":material/download: From Yahoo"),
        _(":material/upload_file: From a file"),
        _(":material/inventory_2: Bundled sample"),
    ]
)
with yahoo, boundary():
    price_download()
with file, boundary():
    price_upload()
with sample, boundary():
    offer_sample()

with stored.container(), boundary():
    show_stored(workspace().prices.list())
