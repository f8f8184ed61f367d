"""Replays the Dockerfile without a container engine, and starts each target as its container would be started.

sudo python deploy/images/replay_dockerfile.py [--targets api mlflow worker dashboard] [--work FOLDER]

The base image is a bare Debian root (debootstrap) with the same Python; every RUN works inside the root of its
stage (bubblewrap). A target then runs as its user, on a read-only root, with nothing writable but /tmp and /data,
without capabilities, until its own health check says that it is well. It tells how large its content is.
Debian's own Python may be older than a package wants: `--python PREFIX` puts another one into the root.
`--bind` shows folders of this machine to the steps, such as a local package index that pip is configured for.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
BASE = ["--variant=minbase", "--include=python3,python3-venv,python3-pip,ca-certificates", "bookworm"]
# What a container is given from outside, so that it starts alone.
GIVEN = {
    "api": {"STOCKCAST_API_KEYS": "a-key-for-the-replay-alone"},
    "mlflow": {"MLFLOW_BACKEND_STORE_URI": "sqlite:////data/mlflow.db", "MLFLOW_ARTIFACTS_DESTINATION": "/data/a"},
}
PATIENCE = 180  # seconds


@dataclass
class Stage:
    """One FROM and what follows it."""

    name: str
    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Built:
    """A root with what its image says about running it."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    folder: str = "/"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


def read_stages(text: str) -> dict[str, Stage]:
    """The stages of a Dockerfile by name."""
    stages: dict[str, Stage] = {}
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.split()
            stages[name] = Stage(name, base)
        elif stages:
            stages[name].steps.append((word, rest.strip()))
    return stages


class Replay:
    """Builds stages below a folder, each once."""

    python: Path | None = None  # another Python than Debian's
    again = False  # stages that are there are taken as they are

    def __init__(self, work: Path, binds: list[str], arguments: dict[str, str]) -> None:
        self.work = work
        self.binds = [part for each in binds for part in ("--ro-bind", each, each)]
        self.arguments = arguments
        self.stages = read_stages((ROOT / "Dockerfile").read_text())
        self.built: dict[str, Built] = {}

    def bare(self) -> Path:
        """A Debian root with Python."""
        root = self.work / "bare"
        if not (root / "usr/bin/python3").exists():
            subprocess.run(["debootstrap", *BASE[:-1], BASE[-1], str(root)], check=True)
        local = root / "usr/local"
        if self.python and not (local / "bin/pip.sh").exists():
            shutil.copytree(self.python, local, symlinks=True, dirs_exist_ok=True, ignore=_what_was_installed)
            subprocess.run(["chroot", str(root), "ldconfig"], check=True)
            (local / "bin/pip.sh").write_text('#!/bin/sh\nexec /usr/local/bin/python3 -m pip "$@"\n')
            (local / "bin/pip.sh").chmod(0o755)
            shutil.copy(local / "bin/pip.sh", local / "bin/pip")
        elif not self.python:
            for name in ("python", "python3"):
                (local / "bin" / name).unlink(missing_ok=True)
                (local / "bin" / name).symlink_to("/usr/bin/python3")
        return root

    def build(self, name: str) -> Built:
        """The root of a stage."""
        if name in self.built:
            return self.built[name]
        stage = self.stages[name]
        below = self.build(stage.base) if stage.base in self.stages else Built(self.bare(), {"PATH": _PATH})
        root = self.work / f"stage-{name}"
        kept = self.again and root.exists()
        if not kept:
            shutil.rmtree(root, ignore_errors=True)
            subprocess.run(["cp", "-a", str(below.root), str(root)], check=True)
        made = Built(root, dict(below.env), below.user, below.folder)
        known: dict[str, str] = {}
        for word, rest in stage.steps:
            if not (kept and word in ("RUN", "COPY")):
                self.step(made, known, word, rest)
        self.built[name] = made
        return made

    def step(self, made: Built, known: dict[str, str], word: str, rest: str) -> None:
        """One instruction."""
        if word == "ARG":
            name, _, usual = rest.partition("=")
            known[name] = self.arguments.get(name, usual)
        elif word == "ENV":
            for name, value in (each.split("=", 1) for each in shlex.split(rest)):
                made.env[name] = value.replace("$PATH", made.env["PATH"])
        elif word == "WORKDIR":
            made.folder = rest
            (made.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "USER":
            made.user = rest
        elif word == "COPY":
            self.copy(made, rest.split())
        elif word == "RUN":
            env = {**made.env, **known, "HOME": "/root"}
            subprocess.run(self.inside(made, env, ["sh", "-c", rest], writable=True), check=True)
        elif word == "CMD":
            made.command = json.loads(rest)
        elif word == "HEALTHCHECK":
            made.health = json.loads(rest[rest.index("[") :])

    def copy(self, made: Built, words: list[str]) -> None:
        """Files of the build context as .dockerignore lets them in, or of another stage."""
        if words[0].startswith("--from="):
            source, target = (
                self.build(words[0].partition("=")[2]).root / words[1].lstrip("/"),
                made.root / words[2][1:],
            )
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
            return
        into = made.root / made.folder.lstrip("/")
        allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
        for each in allowed if words[0] == "." else words[:1]:
            for found in ROOT.glob(each):
                if words[0] != ".":
                    shutil.copy(found, into / found.name)
                elif found.is_dir():
                    shutil.copytree(found, into / found.relative_to(ROOT), ignore=_CACHES, dirs_exist_ok=True)
                else:
                    (into / found.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(found, into / found.relative_to(ROOT))

    def inside(self, made: Built, env: dict[str, str], command: list[str], writable: bool) -> list[str]:
        """The command line that runs a command within a root: as a step, or as a container."""
        uid, gid = ("0", "0") if writable else made.user.split(":")
        line = [
            "bwrap",
            "--bind" if writable else "--ro-bind",
            str(made.root),
            "/",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
        ]
        line += ["--tmpfs", "/tmp", "--chdir", made.folder, "--die-with-parent", "--clearenv"]
        if writable:
            line += ["--ro-bind", "/etc/resolv.conf", "/etc/resolv.conf", *self.binds]
            env = env | {name: value for name, value in os.environ.items() if name.startswith("PIP_")} | {
                name: env[name] for name in ("PIP_PYTHON",) if name in env
            }  # fmt: skip
        else:
            data = self.work / f"data-{made.root.name}"
            data.mkdir(exist_ok=True)
            os.chown(data, int(uid), int(gid))
            line += ["--bind", str(data), "/data", "--cap-drop", "ALL", "--uid", uid, "--gid", gid]
            line += ["--unshare-user", "--unshare-net", "--unshare-pid"]
        for name, value in env.items():
            line += ["--setenv", name, value]
        return [*line, *command]

    def start(self, name: str) -> str:
        """Starts a target and asks its health check until it is well; tells how it went.

        Both run in one sandbox with a network and processes of its own, so that nobody else answers.
        """
        made = self.build(name)
        log = self.work / f"{name}.log"
        until_well = f"until {shlex.join(made.health)} 2>/dev/null; do sleep 1; done; echo WELL"
        asked = f"{shlex.join(made.command)} & {until_well}"
        uid, gid = made.user.split(":")
        command = ["timeout", str(PATIENCE), "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        command += self.inside(made, made.env | GIVEN.get(name, {}), ["sh", "-c", asked], writable=False)
        began = time.monotonic()
        with open(log, "wb") as lines:
            subprocess.run(command, stdout=lines, stderr=lines)
        if log.read_text().rstrip().endswith("WELL"):
            return f"well after {time.monotonic() - began:.0f} s"
        return f"NOT WELL, see {log}:\n{log.read_text()[-2000:]}"


_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_CACHES = shutil.ignore_patterns("__pycache__")


def _what_was_installed(folder: str, names: list[str]) -> set[str]:
    """Of a Python everything but itself, pip and setuptools is left out."""
    installed = names if Path(folder).name == "site-packages" else []
    return {each for each in installed if not each.startswith(("pip", "setup"))}


def size(folder: Path) -> int:
    """MB of content."""
    return round(sum(each.lstat().st_size for each in folder.rglob("*") if not each.is_dir()) / 1e6)


def main() -> int:
    """Builds and starts the targets; 1 where one of them is not well."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--targets", nargs="+", default=["api", "mlflow", "worker", "dashboard"])
    parser.add_argument("--work", type=Path, default=Path("/var/tmp/stockcast-replay"))
    parser.add_argument("--python", type=Path)
    parser.add_argument("--again", action="store_true", help="take the stages that are there already")
    parser.add_argument("--bind", nargs="*", default=[])
    parser.add_argument("--build-arg", nargs="*", default=[], metavar="NAME=VALUE")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    replay = Replay(asked.work, asked.bind, dict(each.split("=", 1) for each in asked.build_arg))
    replay.python, replay.again = asked.python, asked.again
    bad = 0
    for name in asked.targets:
        root = replay.build(name).root
        told = replay.start(name)
        bad += told.startswith("NOT")
        added = size(root) - size(replay.bare())
        sys.stdout.write(f"{name}: {added} MB above the base image; {told}\n")
        sys.stdout.flush()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
