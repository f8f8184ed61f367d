"""How runs are spoken of: what came of them, which role they play, and how long they took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import CHALLENGER, CHAMPION, ModelVersion
from stockcast.ui.chart_style import CHALLENGER_BADGE, CHAMPION_BADGE
from stockcast.ui.format import MISSING
from stockcast.ui.language import N_, _

PREVIOUS = "previous"  # who a rollback would let speak again
ROLES = {  # with their colours and icons in badges
    CHAMPION: (CHAMPION_BADGE, ":material/campaign:"),
    CHALLENGER: (CHALLENGER_BADGE, ":material/front_hand:"),
    PREVIOUS: ("gray", ":material/undo:"),
}
PROMOTED, NOT_PROMOTED, FAILED, INTERRUPTED, RUNNING = OUTCOMES = (
    N_("promoted"),
    N_("not promoted"),
    N_("failed"),
    N_("interrupted"),
    N_("running"),
)
_ENDINGS = {"FAILED": FAILED, "KILLED": INTERRUPTED, "RUNNING": RUNNING}
_DECIDED = {"gate": N_("the gate"), "person": N_("a person"), "first": N_("nobody: it was the first")}
_ROLE_WORDS = {CHAMPION: N_("Champion"), CHALLENGER: N_("Challenger"), PREVIOUS: N_("Previous")}


def outcome(run: RunSummary, made: ModelVersion | None) -> str:
    """What came of a run: one of OUTCOMES. A version that a person promoted later counts as promoted."""
    ended = _ENDINGS.get(run.status)
    if ended is not None:
        return ended
    spoke = run.promoted or (made is not None and made.promoted_at is not None)
    return PROMOTED if spoke else NOT_PROMOTED


def roles(versions: Sequence[ModelVersion]) -> dict[str, list[str]]:
    """Which roles the versions play, by the id of their run."""
    before = {(each.name, each.previous) for each in versions if CHAMPION in each.aliases}
    return {
        each.run_id: [
            role
            for role in ROLES
            if role in each.aliases or (role == PREVIOUS and (each.name, each.version) in before)
        ]
        for each in versions
    }


def role_words(role: str) -> str:
    """A role as a person names it."""
    return _(_ROLE_WORDS[role])


def role_badges(played: Sequence[str]) -> str:
    """Markdown badges in the colours of the charts."""
    return " ".join(f":{ROLES[role][0]}-badge[{ROLES[role][1]} {role_words(role)}]" for role in played)


def run_label(run: RunSummary) -> str:
    """A short name that no other run of its universe has."""
    return f"{run.kind} v{run.version}" if run.version else f"{run.kind or 'run'} {run.run_id[:6]}"


def run_labels(runs: Sequence[RunSummary]) -> list[str]:
    """The same for runs side by side, with their universes where these differ."""
    several = len({run.universe for run in runs}) > 1
    return [f"{run.universe}: {run_label(run)}" if several else run_label(run) for run in runs]


def decided_by(version: ModelVersion) -> str:
    """Who let a version speak."""
    return _(_DECIDED.get(version.promoted_by, MISSING))


def figure(run: RunSummary, name: str, scale: float = 1.0) -> float:
    """A figure of the scorecard; NaN where there is none, which every table shows as a dash."""
    return scale * run.scores.get(name, float("nan"))


def by_run(versions: Sequence[ModelVersion]) -> Mapping[str, ModelVersion]:
    """The versions by the id of their run."""
    return {version.run_id: version for version in versions}
