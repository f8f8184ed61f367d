"""How the tests read a page."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

PAGES = ("overview", "forecast", "backtest", "monitor", "data", "train", "runs", "configuration", "api")
OpenPage = Callable[..., AppTest]


def told(app: AppTest) -> str:
    """Everything that the page says, alerts with their headings."""
    alerts = [*app.error, *app.warning, *app.info, *app.success]
    said = [f"{alert.proto.title} {alert.value}" for alert in alerts]
    said += [each.value for kind in (app.title, app.subheader, app.markdown, app.caption) for each in kind]
    said += [f"{metric.label} {metric.value} {metric.delta}" for metric in app.metric]
    # Escaped punctuation reads as itself, and a space that does not break as a space.
    return "\n".join(said).replace("\\", "").replace("\N{NO-BREAK SPACE}", " ")


def unfold(app: AppTest, key: str) -> AppTest:
    """Opens a folded part by its key, as a click on its title does."""
    app.session_state[key] = True
    return app.run()


def progress_of(app: AppTest) -> str:
    """What the first progress bar says."""
    text: str = app.get("progress")[0].proto.text
    return text.replace("\\", "").replace("\N{NO-BREAK SPACE}", " ")


def assert_sound(app: AppTest) -> None:
    """Nothing went wrong that we had not foreseen."""
    assert not app.exception
    assert "Something went wrong on our side" not in told(app)
