"""The look as config.toml has it: what is written can be read in both themes, and our font is ours to serve."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from stockcast.ui.wordmark import FAVICON, WORDMARK

ROOT = Path(__file__).parents[2]
LOOK = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
THEME = LOOK["theme"]

TEXT, GRAPHIC = 4.5, 3.0  # the least contrast that WCAG 2 AA asks for
# How far Streamlit 1.67 fades the colour of text: captions, and the names of pages that are not open.
FADES = {"text": 1.0, "menu": 0.75, "caption": 0.6}


def contrast(one: str, other: str) -> float:
    """That of WCAG 2, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def faded(colour: str, ground: str, opacity: float) -> str:
    """A colour as it looks when it lies on a ground and lets some of it through."""
    mixed = (
        round(above * opacity + below * (1 - opacity))
        for above, below in zip(_channels(colour), _channels(ground), strict=True)
    )
    return "#" + "".join(f"{each:02X}" for each in mixed)


def grounds(theme: str) -> list[str]:
    """Every colour on which text stands."""
    page, side = THEME[theme], THEME[theme]["sidebar"]
    return [each[f"{name}ackgroundColor"] for each in (page, side) for name in ("b", "secondaryB")]


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    shares = (each / 255 for each in _channels(colour))
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)  # the well-known grey that just fails
    assert faded("#000000", "#FFFFFF", 0.6) == "#666666"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", FADES)
def test_text_can_be_read_on_every_ground(theme: str, name: str) -> None:
    for ground in grounds(theme):
        assert contrast(faded(THEME[theme]["textColor"], ground, FADES[name]), ground) >= TEXT


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_links_and_buttons_can_be_read(theme: str) -> None:
    assert all(contrast(THEME[theme]["linkColor"], ground) >= TEXT for ground in grounds(theme))
    assert contrast("#FFFFFF", THEME[theme]["primaryColor"]) >= TEXT
    assert contrast(THEME[theme]["primaryColor"], THEME[theme]["backgroundColor"]) >= GRAPHIC


def test_our_font_is_served_by_ourselves_with_its_licence_beside() -> None:
    assert LOOK["server"]["enableStaticServing"] is True
    faces = THEME["fontFaces"]
    assert {face["family"] for face in faces} == {THEME["font"].split(",")[0]}
    for face in faces:
        path = face["url"].removeprefix("app/")
        assert path.startswith("static/")
        assert (ROOT / path).read_bytes()[:4] == b"wOF2"
        assert "SIL Open Font License" in next((ROOT / path).parent.glob("LICENSE*")).read_text()


@pytest.mark.parametrize("mark", [FAVICON, WORDMARK])
def test_our_marks_need_no_font_and_no_other_server(mark: str) -> None:
    assert "<text" not in mark
    assert "href" not in mark
    assert mark.count("http") == 1  # the name of the format
