"""Strings of the pages that look like language and that no catalogue would ever see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from translations.reading import Found, called, strings

_MARKS = {"_", "N_", "ngettext", "count", "told"}
# Calls whose strings are read by programs.
_FOR_PROGRAMS = {
    "Path", "Template", "TypeVar", "cast", "code", "compile", "decode", "encode", "endswith", "exception",
    "export_name", "fromisoformat", "fullmatch", "get_logger", "getattr", "insert", "isoformat", "joinpath",
    "partition", "pop", "removeprefix", "removesuffix", "rename", "replace", "search", "select_xaxes",
    "setattr", "setdefault", "split", "startswith", "strftime", "strptime", "with_name",
}  # fmt: skip
_KEYWORDS_FOR_PROGRAMS = {
    "autocomplete", "barmode", "bind", "border", "color", "dash", "data", "dragmode", "encoding", "file_name",
    "fill", "fillcolor", "format", "gap", "height", "horizontal_alignment", "hoverinfo", "hovermode", "icon",
    "initial_sidebar_state", "key", "label_visibility", "language", "layer", "layout", "mime", "mode",
    "on_click", "on_select", "orientation", "parameter", "persist_state", "run_every", "scope",
    "selection_mode", "size", "symbol", "tickformat", "ticksuffix", "timezone", "type", "url_path",
    "vertical_alignment", "width", "xref", "yref",
}  # fmt: skip
_LABELS = {
    "label", "help", "title", "placeholder", "alt", "body", "text", "name", "title_text", "display_text",
    "message",
}  # fmt: skip
_SPOKEN_CALLS = {
    "DateColumn", "DatetimeColumn", "Failed", "LinkColumn", "Measure", "NumberColumn", "ProgressColumn", "Sign",
    "Telling", "TextColumn", "Way", "badge", "button", "caption", "checkbox", "choose_from", "choose_one",
    "date_input", "dialog", "download_button", "error", "expander", "figure_card", "file_uploader",
    "form_submit_button", "header", "info", "link_button", "markdown", "metric", "multiselect", "number_input",
    "open_link", "page_link", "pills", "popover", "radio", "segmented_control", "select_slider", "selectbox",
    "slider", "spinner", "status", "subheader", "success", "tabs", "text_area", "text_input", "title", "toast",
    "toggle", "warning", "write",
}  # fmt: skip
# Which of their arguments are read, where it is not the first.
_SPOKEN_PLACES = {
    "Measure": (1, 4),
    "Telling": (0, 3),
    "Way": (1,),
    "open_link": (1,),
    "Failed": (0, 1, 2),
    "tabs": (),
}
# What stands on the pages and is the same in every language: languages, units, code, what people type, pictures.
_SAME = {
    "Português (Brasil)", "Language · Idioma", "{} min {} s", "{} ms", "curl", "Python", "JavaScript",
    "stockcast serve api", " --port {}", "momentum hidden_size=16", "CMIG4.SA, PETR4.SA, AAPL",
    "What", "How", "Saved", "Last session",  # columns whose titles are hidden, or others
}  # fmt: skip
_SAME_BEGINNINGS = (
    "import httpx\n", "const last_prices", "curl -s", "Data\tFechamento", "<path ", "<svg ", "(?:", "on \\S+",
    "beats naive by|",
)  # fmt: skip
_TWO_WORDS = re.compile(r"[A-Za-zÀ-ÿ]{2,}[,:;.)*_]*\s+\(?[*`]*[A-Za-zÀ-ÿ]|[a-z]{3,}:?\s+\{\}|\{\}\s+[a-z]{3,}")
_ONE_WORD = re.compile(r"[\W\d]*[A-Z][a-z]{2,}")
_ICON = re.compile(r":material/\w+:")


def unmarked(file: Path) -> Iterator[Found]:
    """Strings of a file that a visitor would read in English whatever their language."""
    found = list(strings(file, within=True))
    marked = {each.words for each in found if any(called(node) in _MARKS for node in each.around)}
    return (
        each
        for each in found
        if each.words not in marked | _SAME and not each.words.startswith(_SAME_BEGINNINGS) and _speaks(each)
    )


def _speaks(each: Found) -> bool:
    words = _ICON.sub("", each.words).strip()
    if not re.search(r"[A-Za-z]{2}", words) or _for_programs(each):
        return False
    if _TWO_WORDS.search(words):
        return True
    return _is_label(each) and bool(_ONE_WORD.match(words))


def _for_programs(each: Found) -> bool:
    chain = (*each.around, each.node)
    for node, inner in pairwise(chain):
        if isinstance(node, ast.Raise | ast.Compare | ast.Assert | ast.ImportFrom):
            return True
        if isinstance(node, ast.Subscript) and inner is node.slice:
            return True
        if isinstance(node, ast.Dict) and inner in node.keys and not _names_a_column(node, each):
            return True
        if isinstance(node, ast.arguments | ast.AnnAssign) and inner is getattr(node, "annotation", None):
            return True
        if isinstance(node, ast.FunctionDef) and inner in (node.returns, *node.decorator_list):
            return called(inner) != "dialog"
        if isinstance(node, ast.Call):
            if called(node) in _MARKS or (called(node) in _FOR_PROGRAMS and not _streamlit(node)):
                return True
            if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "_log":
                return True
        if isinstance(node, ast.keyword) and node.arg in _KEYWORDS_FOR_PROGRAMS:
            return True
    return False


def _streamlit(node: ast.Call) -> bool:
    return (
        isinstance(node.func, ast.Attribute)
        and getattr(node.func.value, "id", "") == "st"
        and called(node) != "code"
    )


def _names_a_column(node: ast.Dict, each: Found) -> bool:
    """Whether it is a row of a table: its keys are what a visitor reads above the columns."""
    return isinstance(each.parent, ast.Dict) and any(called(outer) == "DataFrame" for outer in each.around)


def _is_label(each: Found) -> bool:
    parent = each.parent
    if isinstance(parent, ast.keyword):
        return parent.arg in _LABELS
    if isinstance(parent, ast.List) and len(each.around) > 1 and called(each.around[-2]) == "tabs":
        return True
    if isinstance(parent, ast.Dict):
        return _names_a_column(parent, each) and each.node in parent.keys
    return isinstance(parent, ast.Call) and called(parent) in _SPOKEN_CALLS and _first(parent, each)


def _first(call: ast.Call, each: Found) -> bool:
    places = _SPOKEN_PLACES.get(called(call), (0,))
    return any(call.args[at] is each.node for at in places if at < len(call.args))
