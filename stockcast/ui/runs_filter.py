"""Which runs are looked at, and in which order; the choice stands in the address."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import ModelVersion
from stockcast.ui.address_choice import choose_one
from stockcast.ui.language import N_, _
from stockcast.ui.run_words import OUTCOMES, figure, outcome, run_label

ALL = N_("All")
_KINDS = ("lstm", "linear", "garch", "ewma", "naive")


def _end(run: RunSummary) -> float:
    """When it ended; what still runs is the newest of all. A training may open the run of its baseline later."""
    return math.inf if run.ended_at is None else run.ended_at.timestamp()


ORDERS: dict[str, Callable[[RunSummary], float]] = {
    N_("Newest"): lambda run: -_end(run),
    N_("Oldest"): _end,
    N_("Best skill"): lambda run: -figure(run, "skill"),
    N_("Lowest MAPE beside naive"): lambda run: figure(run, "mape_ratio"),
    N_("Surest (p)"): lambda run: figure(run, "dm_p_value"),
    N_("Longest"): lambda run: -(math.nan if run.seconds is None else run.seconds),
}


@dataclass(frozen=True)
class RunFilter:
    """What a visitor wants to see of the runs."""

    words: str = ""
    kind: str = ALL
    outcome: str = ALL
    order: str = "Newest"

    def chosen(self, runs: Sequence[RunSummary], made: Mapping[str, ModelVersion]) -> list[RunSummary]:
        """Those that fit, in order; runs without the figure that is sorted by come last."""
        words = self.words.casefold().split()
        found = [
            run
            for run in runs
            if self.kind in (ALL, run.kind)
            and self.outcome in (ALL, outcome(run, made.get(run.run_id)))
            and (not words or all(word in _text(run) for word in words))
        ]
        place = ORDERS.get(self.order, ORDERS["Newest"])
        return sorted(found, key=lambda run: (math.isnan(place(run)), place(run)))


def wants_deleted() -> bool:
    """Whether deleted runs are to be listed, before the switch is drawn."""
    return _switched("deleted")


def wants_all_universes() -> bool:
    """Whether the runs of every universe are to be listed, before the switch is drawn."""
    return _switched("everywhere")


def choose_filter(*, several_universes: bool) -> RunFilter:
    """Draws the search, and the filters and switches that open beside it."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        words = st.text_input(
            _("Search"),
            key="find",
            type="search",
            bind="query-params",
            width=260,
            icon=":material/search:",
            placeholder="momentum hidden_size=16",
            help=_(
                "Every word must occur in the name, id, kind, tickers, tags, note or in a parameter, "
                "written as name=value."
            ),
        )
        with st.popover(_filters_title(), icon=":material/filter_alt:"):
            kind = choose_one(
                _("Kind of model"),
                "kind",
                [ALL, *_KINDS],
                width=150,
                help=_("What was trained: the LSTM or a simpler rung."),
            )
            wanted = choose_one(
                _("Outcome"),
                "outcome",
                [ALL, *OUTCOMES],
                width=160,
                help=_(
                    "Promoted: its version was let speak, by the gate or by a person. Interrupted: it "
                    "was cancelled, or cut off."
                ),
            )
            order = choose_one(
                _("Sort by"),
                "order",
                list(ORDERS),
                width=220,
                help=_("Runs that have no such figure come last. A click on a head of the table sorts one page."),
            )
            if several_universes:
                st.toggle(
                    _("All universes"),
                    key="everywhere",
                    bind="query-params",
                    help=_("Otherwise those of the universe that is chosen at the left."),
                )
            st.toggle(
                _("Show deleted"), key="deleted", bind="query-params", help=_("Deleted runs can be restored.")
            )
    return RunFilter(words or "", kind, wanted, order)


def _filters_title() -> str:
    """Tells how many are set, since they stand folded."""
    usual = {"kind": ALL, "outcome": ALL, "order": "Newest"}
    chosen = sum(
        st.session_state.get(name, st.query_params.get(name, value)) != value for name, value in usual.items()
    )
    chosen += wants_deleted() + wants_all_universes()
    return _("Filter and sort ({number} set)").format(number=chosen) if chosen else _("Filter and sort")


def _switched(name: str) -> bool:
    return bool(st.session_state.get(name, st.query_params.get(name, "").lower() == "true"))


def _text(run: RunSummary) -> str:
    parameters = (f"{name}={value}" for name, value in run.parameters.items())
    parts = (run.name, run.run_id, run_label(run), run.universe, run.note, *run.labels, *run.tickers, *parameters)
    return "\n".join(parts).casefold()
