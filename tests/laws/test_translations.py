"""Every sentence of the pages is in every language, with the same figures and marks in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message

from stockcast.ui.domain_words import ROOMS
from translations.literals import unmarked
from translations.messages import catalogue_of, faces, languages, needed
from translations.reading import PACKAGE, called, templates
from translations.rooms import rooms_templates

_MARKS = re.compile(r":material/\w+:|\*\*|`[^`]*`|\n|<[^>]+>|%\{{1,2}[^}]*\}{1,2}|\]\([^)]*\)")


@pytest.fixture(scope="module", params=languages())
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return catalogue_of(request.param)


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _gaps(text: str) -> set[str]:
    """Names in braces; those that Plotly fills in have no name but a mark of their own."""
    bare = re.sub(r"%\{{1,2}[^}]*\}{1,2}", "", text)
    return {gap for _literal, gap, _spec, _conversion in Formatter().parse(bare) if gap}


def _pairs(message: Message) -> list[tuple[str, str]]:
    """English and translation of each form."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    return [(message.id[0], message.string[0]), *((message.id[1], string) for string in message.string[1:])]


def test_every_sentence_is_translated_and_nothing_else_is(catalogue: Catalog) -> None:
    wanted = {(message if isinstance(message, str) else message[0], context) for message, context in needed()}
    held = {(pair[0][0], message.context) for message in _messages(catalogue) for pair in [_pairs(message)]}
    assert wanted - held == set(), "run `make words` and translate these"
    assert held - wanted == set(), "run `make words`: these are no longer said"
    assert [message.id for message in _messages(catalogue) if not all(said for _, said in _pairs(message))] == []


def test_no_translation_is_a_guess_of_a_tool(catalogue: Catalog) -> None:
    assert [message.id for message in _messages(catalogue) if message.fuzzy] == []


def test_what_is_counted_has_every_form_of_the_language(catalogue: Catalog) -> None:
    counted = [message for message in _messages(catalogue) if not isinstance(message.id, str)]
    assert len(counted) > 20
    assert [message.id for message in counted if len(message.string) != catalogue.num_plurals] == []
    plain = {message for message, _ in needed() if isinstance(message, str)}
    assert [message.id for message in counted if message.id[0] in plain] == []


def test_translations_hold_the_same_figures_and_names(catalogue: Catalog) -> None:
    unlike = [
        (english, said)
        for message in _messages(catalogue)
        for english, said in _pairs(message)
        if _gaps(english) != _gaps(said)
    ]
    assert unlike == []


def test_translations_hold_the_same_icons_and_emphasis(catalogue: Catalog) -> None:
    unlike = [
        (english, said)
        for message in _messages(catalogue)
        for english, said in _pairs(message)
        if sorted(_MARKS.findall(english)) != sorted(_MARKS.findall(said))
    ]
    assert unlike == []


def test_the_pages_speak_through_the_catalogues() -> None:
    found = [f"{each.place}: {each.words[:80]!r}" for file in faces() for each in unmarked(file)]
    assert found == [], "mark these with _, N_, ngettext or count"


def test_figures_are_written_as_the_visitor_does() -> None:
    bare = [
        f"{file.name}:{node.lineno}: {ast.unparse(node)}"
        for file in faces()
        for node, around in _tree(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FormattedValue)
        and node.format_spec is not None
        and re.search(r",|\.[1-9]\d*[f%]", ast.unparse(node.format_spec))
        and not any(called(each) == "figures" for each in around)
    ]
    assert bare == [], "write these through stockcast.ui.format"


def _tree(node: ast.AST, around: tuple[ast.AST, ...] = ()) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    yield node, around
    for child in ast.iter_child_nodes(node):
        yield from _tree(child, (*around, node))


@pytest.mark.parametrize(
    "line",
    [
        'st.caption("These words were forgotten.")',
        'st.caption(f"{n} words were forgotten.")',
        'st.button("Forgotten")',
        'figure.update_yaxes(title_text="Forgotten")',
        'st.text_input(_("Name"), help="Forgotten words of help")',
        'st.dataframe(pd.DataFrame([{"Forgotten": 1}]))',
        'st.tabs(["Forgotten", _("Known")])',
        'go.Scatter(hovertemplate=f"%{{y:.2f}} of {name}, forgotten words<extra></extra>")',
        'words = "No word of it" if n else ""',
        'count_words = n + " forgotten words"',
    ],
)
def test_a_sentence_that_nobody_marked_is_found(line: str, tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text(f"def show(n, name):\n    {line}\n")
    assert [each for each in unmarked(page) if "orgotten" in each.words or "No word" in each.words]


@pytest.mark.parametrize(
    "line",
    [
        'st.caption(_("These words are known."))',
        'st.button(_("Known"), key="known button", icon=":material/check:")',
        'raise ValueError("what a programmer reads")',
        '_log.info("what a log reads")',
        'words = count(n, "word", "words")',
        'st.markdown(_("{n} words").format(n=n))',
        'table["some column"] = 1',
    ],
)
def test_what_is_marked_or_for_programs_is_left_alone(line: str, tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text(f'def show(n):\n    """What it does, in words."""\n    {line}\n')
    assert [each.words for each in unmarked(page)] == []


def test_sentences_of_the_rooms_are_read_from_the_source() -> None:
    found = rooms_templates()
    assert "{ticker} is up to date: nothing after {last_session}." in found
    assert "No session of the exchange is missing." in found
    assert len(found) == len(set(found)) > 500


def test_a_sentence_with_a_choice_in_it_is_spelled_out_both_ways() -> None:
    node = ast.parse("f\"{n} row{'' if n == 1 else 's'} of {frame.ticker}\"", mode="eval").body
    assert templates(node) == ["{n} row of {ticker}", "{n} rows of {ticker}"]


def test_room_sentences_are_marked_as_such(catalogue: Catalog) -> None:
    contexts = {message.context for message in _messages(catalogue)}
    assert contexts == {None, ROOMS}
    assert (PACKAGE / "ui" / "locales").is_dir()
