"""The dashboard's server tells in one form, whoever of it tells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit import logger as streamlit_logger

from stockcast.ui.server import log_as_we_do


@pytest.fixture
def as_before() -> Iterator[None]:
    """Puts Streamlit's own way back."""
    kept = streamlit_logger.setup_formatter
    yield
    streamlit_logger.setup_formatter = kept
    for logger in streamlit_logger._loggers.values():
        logger.propagate = False
    streamlit_logger.update_formatter()


@pytest.mark.usefixtures("as_before")
def test_what_streamlit_logs_comes_out_where_ours_does(caplog: pytest.LogCaptureFixture) -> None:
    before = streamlit_logger.get_logger("streamlit.asked_before")
    assert before.handlers
    log_as_we_do()
    after = streamlit_logger.get_logger("streamlit.asked_after")
    streamlit_logger.update_formatter()  # as Streamlit does when it has read its configuration
    for logger in (before, after):
        assert logger.handlers == []
        logger.warning("told by %s", logger.name)
    assert [record.name for record in caplog.records] == ["streamlit.asked_before", "streamlit.asked_after"]
