"""`stockcast serve` and `stockcast up`: start the dashboard, MLflow's own pages, the API and the metrics."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.metrics_server import metrics_server
from stockcast.cli.output import UNIVERSE, open_settings, open_workspace, say
from stockcast.errors import InvalidRequest

if TYPE_CHECKING:
    from stockcast.workspace import Workspace

serve_app = typer.Typer(help="Start one of the faces in the foreground.", no_args_is_help=True)
HOST = "127.0.0.1"
HEAD_START = 5.0  # seconds for the dashboard's first page, before the API takes a second of the processor


@serve_app.command("dashboard")
def serve_dashboard(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the dashboard.")] = 8501,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; beyond this machine people must log in.")
    ] = HOST,
) -> None:
    """Serve the dashboard."""
    _refuse_taken(port)
    command = dashboard_command(port, host)
    os.execv(command[0], command)


@serve_app.command("mlflow")
def serve_mlflow(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of MLflow's pages.")] = 5000,
) -> None:
    """Serve MLflow's own pages over the runs of this home."""
    _refuse_taken(port)
    workspace = open_workspace()
    command = mlflow_command(workspace, port)
    os.execve(command[0], command, {**os.environ, **_mlflow_environment()})


@serve_app.command("api")
def serve_api(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the API.")] = 8000,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; beyond this machine it needs keys.")
    ] = HOST,
) -> None:
    """Serve the HTTP API for programs."""
    command = api_command(host, port)
    os.execv(command[0], command)


@serve_app.command("metrics")
def serve_metrics(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the metrics.")] = 9108,
    host: Annotated[str, typer.Option("--host", help="Address to listen at; there is no login.")] = HOST,
) -> None:
    """Serve metrics for Prometheus, read from the database at each scrape."""
    leave = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: leave.set())
    with metrics_server(open_settings("INFO"), host, port) as address:
        say(f"Metrics: {address}   (Ctrl-C stops)")
        leave.wait()


def up_command(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the dashboard.")] = 8501,
    mlflow_port: Annotated[
        int, typer.Option("--mlflow-port", min=1, max=65535, help="Port of MLflow's pages.")
    ] = 5000,
    api_port: Annotated[int, typer.Option("--api-port", min=1, max=65535, help="Port of the API.")] = 8000,
    sample: Annotated[
        bool, typer.Option("--sample/--no-sample", help="Store the bundled sample when nothing is stored yet.")
    ] = True,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the dashboard.")] = True,
) -> None:
    """Start everything at once: the dashboard, MLflow's pages, the API and a worker. Ctrl-C stops all of them."""
    for option, each in (("--port", port), ("--mlflow-port", mlflow_port), ("--api-port", api_port)):
        _refuse_taken(each, option)
    workspace = open_workspace()
    _prepare(workspace, sample)
    ui, api = f"http://{HOST}:{mlflow_port}", f"http://{HOST}:{api_port}"
    environment = {
        **os.environ, **_mlflow_environment(), "STOCKCAST_MLFLOW_UI_URL": ui, "STOCKCAST_API_URL": api,
    }  # fmt: skip
    worker = [sys.executable, "-m", "stockcast", "worker"]  # light while nothing is to be done; looks at schedules
    commands = (dashboard_command(port), mlflow_command(workspace, mlflow_port), worker)
    processes = [_start(command, environment) for command in commands]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `kill` stops them too
    try:
        address = f"http://{HOST}:{port}"
        if _answers(f"{address}/_stcore/health", processes[0]):
            say(f"Dashboard: {address}   MLflow: {ui}   (Ctrl-C stops all)")
            if browser and _has_screen():
                webbrowser.open(address)
        if _all_stay(processes, HEAD_START):
            processes.append(_start(api_command(HOST, api_port), environment))
            _all_stay(processes)
    except KeyboardInterrupt:
        say("Stopping.")
    finally:
        _stop(processes)


def dashboard_command(port: int, host: str = HOST) -> list[str]:
    """The command line that serves the dashboard."""
    return [
        sys.executable, "-m", "stockcast.ui.server",
        "--server.port", str(port), "--server.address", host, "--server.headless", "true",
    ]  # fmt: skip


def api_command(host: str, port: int) -> list[str]:
    """The command line that serves the API; it tells its own address."""
    return [sys.executable, "-m", "stockcast.api.serve", host, str(port)]


def mlflow_command(workspace: Workspace, port: int) -> list[str]:
    """The command line that serves MLflow's pages over the same store."""
    settings = workspace.settings
    workspace.tracking.experiment(UNIVERSE)  # the store exists before two processes open it
    return [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", settings.mlflow,
        "--default-artifact-root", settings.artifacts.as_uri(), "--host", HOST, "--port", str(port),
        "--workers", "1",
    ]  # fmt: skip


def _prepare(workspace: Workspace, sample: bool) -> None:
    """A forecast stands on the first page before it is opened."""
    if not workspace.prices.list():
        if not sample:
            return
        say("Storing the bundled sample …")
        workspace.ingest_sample()
    champion = workspace.champion(UNIVERSE)
    say(f"{champion.label} of {champion.name} speaks.")


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # A session of its own, so that the processes which a face starts end with it.
    return subprocess.Popen(command, env=environment, start_new_session=True)


def _all_stay(processes: Sequence[subprocess.Popen[bytes]], seconds: float = math.inf) -> bool:
    """Waits as long as all of them run, and no longer than that; whether they still do."""
    give_up = time.monotonic() + seconds
    while stay := all(process.poll() is None for process in processes):
        if time.monotonic() > give_up:
            break
        time.sleep(0.25)
    return stay


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Asks all of them to end, and makes those that have not.

    A worker first lets a training save itself, and the API, where it was started, answers what it was asked.
    """
    for process in processes:
        _signal(process, signal.SIGTERM)
    for process, patience in zip(processes, (5, 5, 25, 25), strict=False):
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _mlflow_environment() -> dict[str, str]:
    # MLflow's job runner would start seven more processes for features that nobody asked for.
    return {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def _refuse_taken(port: int, option: str = "--port") -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as problem:
            raise InvalidRequest(
                f"Port {port} cannot be used: {problem.strerror}.", f"Choose another with {option}."
            ) from problem


def _answers(address: str, process: subprocess.Popen[bytes], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
