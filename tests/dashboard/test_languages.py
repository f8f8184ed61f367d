"""The pages in another language: words, figures, and what two visitors see of one another."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.io.formats.style import Styler
from streamlit.column_config import NumberColumn
from streamlit.testing.v1 import AppTest

from stockcast.ui import column_titles, domain_words, format
from stockcast.ui.domain_words import told as told_there
from stockcast.workspace import Workspace
from tests.dashboard.page_reading import OpenPage, assert_sound, told

TITLES = {
    "overview": ("What do we expect next?", "O que esperamos agora?"),
    "forecast": ("How will it close?", "Como vai fechar?"),
    "backtest": ("How good are its forecasts?", "Quão boas são as previsões dele?"),
    "monitor": ("Has it kept its word?", "Ele cumpriu a palavra?"),
    "data": ("Which prices do we have?", "Que preços temos?"),
    "train": ("Does a new model do better?", "Um modelo novo faz melhor?"),
    "runs": ("What was tried?", "O que já foi tentado?"),
    "configuration": ("What will the next training use?", "O que o próximo treinamento vai usar?"),
    "api": ("Can a program ask?", "Um programa pode perguntar?"),
}


PIECES = (
    "The close ", "on 2024-01-02 ", "at row 3 of 60", " is ", "1,234.5", "{", "}", "%", " (", ")", ", and ",
    "; ", ": ", ". ",
    "Volatility is 2.1x ", "beats naive by ", "p = 0.012", " over ", " forecasts", "None of ", "lstm v3 ",
)  # fmt: skip


def titles(app: AppTest) -> list[str]:
    return [each.value for each in app.title]


def charts(app: AppTest) -> list[dict[str, dict[str, object]]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


@pytest.mark.parametrize("page", TITLES)
def test_each_page_reads_in_portuguese(page: str, played: Workspace, open_page: OpenPage) -> None:
    app = open_page(page, lang="pt-BR")
    assert_sound(app)
    assert titles(app) == [TITLES[page][1]]
    assert TITLES[page][0] not in told(app)


@pytest.mark.parametrize("page", ["forecast", "monitor", "data"])
def test_charts_write_figures_as_the_visitor_does(page: str, played: Workspace, open_page: OpenPage) -> None:
    portuguese, english = charts(open_page(page, lang="pt-BR")), charts(open_page(page, lang="en"))
    assert len(portuguese) == len(english) > 0
    assert {chart["layout"]["separators"] for chart in portuguese} == {",."}
    assert {chart["layout"]["separators"] for chart in english} == {".,"}


def test_cards_write_a_decimal_comma(played: Workspace, open_page: OpenPage) -> None:
    values = " ".join(str(metric.value) for metric in open_page("monitor", lang="pt-BR").metric)
    assert "," in values
    assert "." not in values


def test_two_visitors_do_not_hear_one_anothers_language(played: Workspace, open_page: OpenPage) -> None:
    for page in ("overview", "monitor", "data"):
        english, portuguese = TITLES[page]
        for lang, title, other in (("pt-BR", portuguese, english), ("en", english, portuguese)) * 2:
            app = open_page(page, lang=lang)
            assert titles(app) == [title]
            assert other not in told(app)
    assert "ainda" not in told(open_page("monitor", lang="en"))


def test_an_address_holds_a_choice_by_its_own_name(trained_sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("runs", lang="pt-BR", order="Oldest")
    assert_sound(app)
    order = app.selectbox(key="order")
    assert order.value == "Oldest"
    assert order.options[:2] == ["Mais recentes", "Mais antigas"]
    order.set_value("Longest").run()
    assert app.query_params["order"] == "Longest"
    app.selectbox(key="order").set_value("Newest").run()
    assert "order" not in app.query_params


def test_an_unknown_choice_in_an_address_is_the_first_one(trained_sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("runs", order="Mais antigas")
    assert_sound(app)
    assert app.selectbox(key="order").value == "Newest"


@pytest.fixture
def portuguese(monkeypatch: pytest.MonkeyPatch) -> None:
    from babel import Locale

    monkeypatch.setattr(domain_words, "language", lambda: "pt-BR")
    monkeypatch.setattr(format, "locale", lambda: Locale("pt", "BR"))
    domain_words._told.cache_clear()


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("No session of the exchange is missing.", "Nenhum pregão da bolsa está faltando."),
        (
            "FB has 1,198 sessions; training with a lookback of 60 needs at least 1,300.",
            "FB tem 1.198 pregões; um treinamento com janela de leitura de 60 precisa de ao menos 1.300.",
        ),
        (
            "lstm v3 beats naive by 2.10 % (p = 0.012, 1,234 forecasts): promoted.",
            "lstm v3 supera a ingênua em 2,10 % (p = 0,012, 1.234 previsões): promovido.",
        ),
        (
            "Close fell 50.1 % at row 34 of 60: this looks like a 2:1 split that was not adjusted.",
            "Fechamento caiu 50,1 % na linha 34 de 60: parece um desdobramento de 2:1 que não foi ajustado.",
        ),
        (
            "2 rows without a readable date were left out (lines 4, 17).",
            "2 linhas sem data legível ficaram de fora (linhas 4, 17).",
        ),
        (
            "ewma v1 beats naive by 2.1 % (p = 0.012) and EWMA by 1.0 % (p = 0.040), and cannot be told from "
            "GARCH (+0.10 %, p = 0.600) over 1,234 forecasts; its 80 % interval held 79.5 %.",
            "ewma v1 supera a ingênua em 2,1 % (p = 0,012) e EWMA em 1,0 % (p = 0,040), e não se distingue de "
            "GARCH (+0,10 %, p = 0,600) em 1.234 previsões; o intervalo de 80 % acertou 79,5 %.",
        ),
        ("Nobody has translated this.", "Nobody has translated this."),
        ("", ""),
    ],
)
def test_a_sentence_of_the_rooms_below_is_known_by_its_shape(said: str, read: str, portuguese: None) -> None:
    assert told_there(said) == read


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=12).map("".join))
def test_any_text_whatever_is_told(text: str) -> None:
    assert isinstance(domain_words._told("pt-BR", text), str)


def test_a_long_text_is_left_as_it_is(portuguese: None) -> None:
    text = "The close " * 400
    assert told_there(text) == text


def test_a_table_is_written_with_a_comma_and_still_holds_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    from babel import Locale

    monkeypatch.setattr(format, "locale", lambda: Locale("pt", "BR"))
    table = pd.DataFrame({"Skill": [1.5, float("nan")], "Ticker": ["AAPL", "IBM"]})
    data, columns = column_titles.localised(table, {"Skill": NumberColumn(format="%+.2f %%", help="Why.")})
    assert isinstance(data, Styler)
    assert data.data["Skill"].tolist()[0] == 1.5
    assert "+1,50 %" in data.to_html()
    assert columns["Skill"]["type_config"]["format"] is None
    assert columns["Skill"]["help"] == "Why."


def test_a_table_in_english_is_left_to_the_browser() -> None:
    table = pd.DataFrame({"Skill": [1.5]})
    data, columns = column_titles.localised(table, {"Skill": NumberColumn(format="%+.2f %%")})
    assert data is table
    assert columns["Skill"]["type_config"]["format"] == "%+.2f %%"
    assert columns["Skill"]["label"] == "Skill"


def test_a_p_value_is_never_nought_in_a_table_and_still_sorts_as_a_figure() -> None:
    table = pd.DataFrame({"p": [0.0004, 0.0121, float("nan")], "Skill": [1.5, 1.0, 2.0]})
    columns = {"p": NumberColumn(format=column_titles.P_VALUE), "Skill": NumberColumn(format="%+.2f %%")}
    data, known = column_titles.localised(table, columns)
    assert isinstance(data, Styler)
    assert data.data["p"].tolist()[0] == 0.0004
    cells = re.findall(r'col0" >(.+)</td>', data.to_html())
    assert cells == ["< 0.001", "0.012", "–"]
    assert known["p"]["type_config"]["format"] is None
    assert known["Skill"]["type_config"]["format"] == "%+.2f %%"


def test_outside_a_page_sentences_stay_english() -> None:
    assert told_there("No session of the exchange is missing.") == "No session of the exchange is missing."
