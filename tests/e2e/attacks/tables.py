"""Reads the tables of attacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml


def table(name: str) -> list[Any]:
    """The entries of `<name>.yaml`, each as a parameter named after its attack."""
    entries = yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text())
    assert len({entry["attack"] for entry in entries}) == len(entries)
    return [pytest.param(entry, id=entry["attack"].replace(" ", "-")) for entry in entries]
