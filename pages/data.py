"""Data: which prices do we have, and how good are they?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.error_boundary import boundary
from stockcast.ui.language import _
from stockcast.ui.price_download import price_download
from stockcast.ui.price_page import adds_prices, show_stored
from stockcast.ui.price_upload import price_upload
from stockcast.ui.shared import workspace
from stockcast.ui.welcome import offer_sample

router.require_frame()

st.title(_("Which prices do we have?"))
stored, adds, histories = st.container(), adds_prices(), workspace().prices.list()
if not adds:
    with stored, boundary():
        show_stored(histories)

st.subheader(_("Get more prices"))
for key, title, icon, show in (
    ("prices_yahoo", _("From Yahoo"), ":material/download:", price_download),
    ("prices_file", _("From a file"), ":material/upload_file:", price_upload),
    ("prices_sample", _("Bundled sample"), ":material/inventory_2:", offer_sample),
):
    first = key == "prices_sample" and not histories  # the shortest way to a first forecast stands open
    place = st.expander(title, icon=icon, key=key, on_change="rerun", expanded=first)
    if place.open:  # what nobody looks at need not be drawn
        with place, boundary():
            show()

if adds:  # last, so that it shows what was added just now
    with stored, boundary():
        show_stored(workspace().prices.list())
