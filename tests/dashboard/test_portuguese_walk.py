"""A walk through every page on a phone, in Portuguese: from a Brazilian file to a forecast and a setting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from price_payloads import days_until
from real_browser import dashboard_over, drawn, watched_page

PHONE = {"width": 400, "height": 860}
QUESTIONS = {
    "": "O que esperamos agora?",
    "forecast": "Como vai fechar?",
    "backtest": "Quão boas são as previsões dele?",
    "monitor": "Ele cumpriu a palavra?",
    "data": "Que preços temos?",
    "train": "Um modelo novo faz melhor?",
    "runs": "O que já foi tentado?",
    "configuration": "O que o próximo treinamento vai usar?",
    "api": "Um programa pode perguntar?",
}

pytestmark = pytest.mark.browser


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A phone of somebody in Brazil before a fresh server over an empty home."""
    with (
        dashboard_over(tmp_path / "home", tmp_path) as server,
        watched_page(server, locale="pt-BR", viewport=PHONE) as page,
    ):
        yield page


def brazilian_file() -> bytes:
    """700 sessions as a Brazilian spreadsheet writes them: semicolons, day first, points for thousands."""

    def figure(close: float) -> str:
        return f"{close:,.2f}".translate({ord(","): ".", ord("."): ","})

    closes = 1000 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.01, 700)))
    rows = [
        f"{day[8:]}/{day[5:7]}/{day[:4]};{figure(close)}"
        for day, close in zip(days_until("2024-05-15", len(closes), "BVMF"), closes, strict=True)
    ]
    return "\n".join(["Data;Fechamento", *rows, ""]).encode("cp1252")


def test_a_phone_in_portuguese_goes_from_a_file_to_a_forecast_and_through_every_page(page: Page) -> None:
    page.goto("/data")
    drawn(page, QUESTIONS["data"])
    page.get_by_text("De um arquivo", exact=True).click()
    page.locator("input[type=file]").set_input_files(
        {"name": "CMIG4.SA.csv", "mimeType": "text/csv", "buffer": brazilian_file()}
    )
    expect(
        page.get_by_text(re.compile("É assim|Foi assim|Leio assim|Li assim", re.IGNORECASE)).first
    ).to_be_visible()
    expect(
        page.get_by_text(re.compile("Nada está guardado|Ainda não há nada", re.IGNORECASE)).first
    ).to_be_visible()
    page.get_by_role("button", name="Guardar estes preços").click()
    expect(page.get_by_role("heading", name=re.compile("CMIG4.SA"))).to_be_visible()

    page.goto("/forecast?ticker=CMIG4.SA&h=5")
    drawn(page, QUESTIONS["forecast"])
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("Ingênua: sem variação", exact=True).first).to_be_visible()
    expect(main.get_by_text(re.compile(r"^\d{1,3}(\.\d{3})*,\d\d.BRL$")).first).to_be_visible()

    for path, question in QUESTIONS.items():
        page.goto(f"/{path}")
        drawn(page, question)
        assert main.evaluate("each => each.scrollWidth - each.clientWidth") == 0, (
            f"/{path} is wider than the phone"
        )
        expect(page.get_by_text("Algo deu errado")).to_have_count(0)
        assert "lang=" not in page.url, "the browser's own language is in no address"

    page.goto("/configuration")
    drawn(page, QUESTIONS["configuration"])
    page.get_by_role("spinbutton", name="Janela de leitura").fill("40")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Salvar como versão").click()
    expect(page.get_by_text(re.compile("Versão 1")).first).to_be_visible()
    page.reload()
    drawn(page, QUESTIONS["configuration"])
    expect(page.get_by_role("spinbutton", name="Janela de leitura")).to_have_value("40")

    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_test_id("stSidebar").get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="What will the next training use?")).to_be_visible()
    expect(page).to_have_url(re.compile("lang=en"))
    page.reload()
    expect(page.get_by_role("heading", name="What will the next training use?")).to_be_visible()
