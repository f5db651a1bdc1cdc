"""The entry of the `fieldward` command.

Types and their labels are made when their modules are imported, so what is wrong with them shows
before any command runs: here it becomes one line, like every other error of the configuration.
"""

from __future__ import annotations

import sys
from importlib import import_module

from models.errors import ConfigurationError


def main() -> None:
    """Import the commands and run the one that was asked for."""
    try:
        command = import_module("graph.cli")
    except ConfigurationError as error:
        sys.stderr.write(f"fieldward: {error.message}\n")
        sys.exit(1)
    command.main()
