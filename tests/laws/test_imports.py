"""What may be imported, and what importing may do: checked in fresh interpreters."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "stockcast"
MODULES = sorted(file for file in PACKAGE.rglob("*.py") if "migrations" not in file.parts)
PAGES = sorted((ROOT / "pages").glob("*.py"))
HEAVY = "{'torch', 'pytorch_lightning', 'optuna'} & set(sys.modules)"


def run_fresh(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Runs code in a new interpreter whose every home is `home`."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "xdg"),
        "STOCKCAST_HOME": str(home / "stockcast"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_importing_every_module_creates_nothing_and_prints_nothing(tmp_path: Path) -> None:
    names = [module_name(file) for file in MODULES]
    result = run_fresh(f"import importlib\nfor name in {names!r}: importlib.import_module(name)", tmp_path)
    # Streamlit remarks on every cached function that is imported outside its server.
    told = [line for line in result.stderr.splitlines() if "No runtime found" not in line]
    assert (result.returncode, result.stdout, told) == (0, "", [])
    ours = [path for path in tmp_path.rglob("*") if "stockcast" in path.name or "mlflow" in path.name]
    assert ours == []


def test_asking_for_help_imports_neither_torch_nor_pandas(tmp_path: Path) -> None:
    code = (
        "import sys\nsys.argv = ['stockcast', '--help']\n"
        "from stockcast.cli.application import main\n"
        "try: main()\nexcept SystemExit as end: assert end.code == 0\n"
        f"found = ({HEAVY}) | ({{'pandas', 'mlflow', 'streamlit'}} & set(sys.modules))\n"
        "assert not found, found"
    )
    result = run_fresh(code, tmp_path)
    assert result.returncode == 0, result.stderr


def test_a_forecast_as_json_imports_neither_torch_nor_lightning(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from stockcast.cli.application import main\n"
        "for line in (['prices', 'sample'], ['forecast', 'AAPL', '--json']):\n"
        "    sys.argv = ['stockcast', *line]\n"
        "    try: main()\n"
        "    except SystemExit as end: assert not end.code, end.code\n"
        f"found = {HEAVY}\n"
        "assert not found, found"
    )
    result = run_fresh(code, tmp_path)
    assert result.returncode == 0, result.stderr
    assert '"interval_80"' in result.stdout


def test_every_page_opens_without_torch_or_lightning(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "from stockcast.cli.output import open_workspace\n"
        "open_workspace().ingest_sample()\n"
        "app = AppTest.from_file('app.py', default_timeout=60).run()\n"
        f"for page in {[f'pages/{page.name}' for page in PAGES]!r}:\n"
        "    app.switch_page(page).run()\n"
        "    assert not app.exception, (page, app.exception)\n"
        f"found = {HEAVY}\n"
        "assert not found, found"
    )
    assert len(PAGES) == 9
    result = run_fresh(code, tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]


def test_base_names_are_unique_across_the_package() -> None:
    names = Counter(file.stem for file in MODULES if file.stem not in ("__init__", "__main__"))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("file", MODULES, ids=module_name)
def test_a_module_tells_what_it_is_for_and_stays_short(file: Path) -> None:
    text = file.read_text()
    assert ast.get_docstring(ast.parse(text)) or file.name == "__main__.py"
    assert len(text.splitlines()) <= 380


def test_no_code_reads_a_model_by_executing_it() -> None:
    forbidden = {"pickle", "cloudpickle", "dill"}  # joblib is for loops in parallel, and for nothing else
    for file in [*MODULES, *PAGES, ROOT / "app.py"]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                assert not {*forbidden, "joblib"} & {name.name.split(".")[0] for name in node.names}, file
            if isinstance(node, ast.ImportFrom) and node.module:
                assert node.module.split(".")[0] not in forbidden, file
                if node.module.split(".")[0] == "joblib":
                    assert {name.name for name in node.names} <= {"Parallel", "delayed"}, file
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "np.load", "numpy.load"):
                keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                safe = {"weights_only": "True"} if "torch" in ast.unparse(node.func) else {"allow_pickle": "False"}
                assert safe.items() <= keywords.items(), f"{file}:{node.lineno}"
