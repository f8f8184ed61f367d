"""Entry point of the dashboard: the router, the frame around every page, and the error boundary."""

from __future__ import annotations

import streamlit as st

from stockcast.ui import router
from stockcast.ui.access import require_login, show_visitor
from stockcast.ui.error_boundary import boundary
from stockcast.ui.job_notice import job_notice
from stockcast.ui.selection import choose_language, choose_universe, restore_selection
from stockcast.ui.tour import offer_tour

restore_selection()
page = router.navigate()
with boundary():
    require_login()
    with st.sidebar:
        choose_universe()
        job_notice(page.url_path)
        choose_language()
        offer_tour("sidebar")
        show_visitor()
    router.run(page)
