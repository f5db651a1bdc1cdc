"""What is wrong with types and labels ends the start in one line."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import NoReturn

import pytest

from graph import start
from models.errors import ConfigurationError


def refuse(_name: str) -> NoReturn:
    """As a module does whose document has an unlabelled field."""
    raise ConfigurationError("These stored fields carry no label: Loose.shoe_size.")


def test_a_field_without_a_label_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And not as a traceback."""
    monkeypatch.setattr(start, "import_module", refuse)
    with pytest.raises(SystemExit) as caught:
        start.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err == "fieldward: These stored fields carry no label: Loose.shoe_size.\n"


def test_otherwise_the_command_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With its own arguments."""
    monkeypatch.setattr(sys, "argv", ["fieldward", "--help"])
    with pytest.raises(SystemExit) as caught:
        start.main()
    assert not caught.value.code
    assert "serve" in capsys.readouterr().out
    assert isinstance(sys.modules["graph.cli"], ModuleType)
