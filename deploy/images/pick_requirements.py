"""Writes requirements-NAME.txt for the images that need a part of requirements.txt alone.

python deploy/images/pick_requirements.py

Names at the top are what the code of that image imports; what these need in turn is read from the packages that
are installed here. The pins are those of requirements.txt. A test holds the files in step.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
IMAGES = {
    # The API forecasts with ONNX Runtime, asks MLflow's server over HTTP, and hands trainings to the queue.
    "api": (
        "fastapi", "uvicorn", "uvloop", "httptools", "orjson", "pydantic", "pydantic-settings", "SQLAlchemy",
        "alembic", "psycopg[binary]", "numpy", "pandas", "scipy", "exchange_calendars", "onnxruntime",
        "mlflow-skinny", "celery", "redis", "structlog", "prometheus_client", "psutil", "platformdirs", "filelock",
        "cronsim", "PyYAML", "typer", "rich", "opentelemetry-exporter-otlp-proto-http",
    ),
    # MLflow's server with PostgreSQL behind it.
    "mlflow": ("mlflow", "psycopg[binary]"),
}  # fmt: skip
# What nothing else of ours needs: MLflow's way to an S3 store.
BESIDE = {"mlflow": ("boto3==1.44.8", "botocore==1.44.8", "jmespath==1.1.0", "s3transfer==0.19.3")}
# MLflow imports it only to note a commit that a run was started from, which the API never does.
LEFT_OUT = {"api": ("GitPython",)}


def pins() -> dict[str, str]:
    """Every line of requirements.txt by the canonical name of its package."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return {
        canonicalize_name(line.partition("==")[0]): line for line in lines if line and not line.startswith("#")
    }


def closure(names: tuple[str, ...], left_out: tuple[str, ...] = ()) -> set[str]:
    """Canonical names of the packages and of all that they need."""
    found: set[str] = set()
    skipped = set(map(canonicalize_name, left_out))
    waiting = [(Requirement(name).name, extra) for name in names for extra in ("", *Requirement(name).extras)]
    seen = set()
    while waiting:
        name, extra = waiting.pop()
        key = canonicalize_name(name)
        if (key, extra) in seen or key in skipped:
            continue
        seen.add((key, extra))
        found.add(key)
        for line in importlib.metadata.requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed.name, each) for each in ("", *needed.extras)]
    return found


def text_of(image: str) -> str:
    """What the file of an image has to say. Raises KeyError for a package that requirements.txt does not pin."""
    known = pins()
    names = sorted(closure(IMAGES[image], LEFT_OUT.get(image, ())))
    lines = sorted([*(known[name] for name in names), *BESIDE.get(image, ())], key=str.lower)
    return "\n".join(("# Made by: python deploy/images/pick_requirements.py", *lines, ""))


def main() -> None:
    """Writes all of them."""
    for image in IMAGES:
        path_of(image).write_text(text_of(image))


def path_of(image: str) -> Path:
    """Where the requirements of an image stand."""
    return Path(__file__).with_name(f"requirements-{image}.txt")


if __name__ == "__main__":
    main()
