"""Is the API up, how is it, and does it serve the version that the pages show?"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import streamlit as st

from stockcast.client.schemas import Health
from stockcast.registry.versions import ModelVersion
from stockcast.ui.api_talk import Failed, ask
from stockcast.ui.domain_words import told
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import MISSING, count, figures, seconds
from stockcast.ui.language import _
from stockcast.ui.shared import workspace

_EVERY = timedelta(seconds=5)


@st.fragment(run_every=_EVERY)
def show_status(universe: str, speaks: ModelVersion | None) -> None:
    """Asks /health, again and again. `speaks`: whom the pages show; None where that is not known."""
    with boundary():
        address = workspace().settings.api_url
        found = ask(address, lambda api: api.health())
        if isinstance(found, Failed):
            _silent(address, found)
        else:
            _verdict(address, found.said)
            _figures(found.said, universe, speaks, found.seconds)


def start_command(address: str) -> str:
    """The command that makes it answer at that address."""
    port = urlsplit(address).port or 8000
    return "stockcast serve api" + ("" if port == 8000 else f" --port {port}")


def _silent(address: str, why: Failed) -> None:
    st.warning(
        _(
            "{message} The address is **{address}**; `STOCKCAST_API_URL` names another one. "
            "`stockcast up` starts the API beside the pages; alone it starts with `{command}`."
        ).format(message=plain(why.message), address=plain(address), command=start_command(address)),
        title=_("Not yet: {reason}").format(reason=f"{why.title[0].lower()}{why.title[1:]}"),
        icon=":material/power_off:",
    )


def _verdict(address: str, health: Health) -> None:
    show, title, icon = {
        "healthy": (st.success, _("Yes: the API is healthy"), ":material/check_circle:"),
        "degraded": (st.warning, _("Yes, but not all is well"), ":material/warning:"),
        "unhealthy": (st.error, _("No: it is up and cannot forecast"), ":material/error:"),
    }[health.status]
    said = _("It answers at **{address}**; [its own documentation]({link}) has every route.").format(
        address=plain(address), link=f"{address}/docs"
    )
    show("\n\n".join(filter(None, (said, bullets(map(told, health.reasons))))), title=title, icon=icon)


def _figures(health: Health, universe: str, speaks: ModelVersion | None, took: float) -> None:
    with st.grid(4, min_column_width=150, gap="medium"):
        figure_card(
            _("Serves {universe}").format(universe=plain(universe)), *served_words(health, universe, speaks)
        )
        figure_card(
            _("Asks for a key"),
            _("yes") if health.asks_for_key else _("no"),
            _("all but health") if health.asks_for_key else _("this machine only"),
            _(
                "It asks as soon as there is a key, below or in STOCKCAST_API_KEYS. Until then it "
                "listens to its own machine alone, and whoever is there may do everything."
            ),
        )
        figure_card(
            _("Up for"),
            uptime(health.uptime_seconds),
            _("{memory} MiB of memory").format(memory=figures(f"{health.resources.memory:.0f}")),
        )
        figure_card(_("Health answered in"), f"{figures(f'{took * 1000:,.0f}')} ms", _("new connection"))


def served_words(health: Health, universe: str, speaks: ModelVersion | None) -> tuple[str, str, str]:
    """The version that answers for a universe, how it stands to the pages' champion, and what that means."""
    explained = _(
        "Beside it, whom these pages show. A promotion is served within a second on this "
        "home, elsewhere after STOCKCAST_API_LOOK seconds."
    )
    served = health.models.get(universe)
    if served is None:
        return MISSING, _("nobody yet"), explained
    shown = f"{served.kind} v{served.version}"
    if speaks is None:
        return shown, _("not compared"), explained
    if served.run_id == speaks.run_id:
        return shown, _("the champion"), explained
    return shown, _("pages: {model}").format(model=speaks.label), explained


def uptime(duration: float) -> str:
    """For how long it has been up, in seconds, as a person says it."""
    hours = duration / 3600
    if hours < 1.5:
        return seconds(duration)
    return count(round(hours), "hour", "hours") if hours < 48 else count(int(hours // 24), "day", "days")
