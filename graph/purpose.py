"""Narrows a request to exactly one purpose: the directive, else the header, else the only one held."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auth.principal import Principal
from models.vocabulary import Purpose

HEADER = "Data-Purpose"


class PurposeSource(StrEnum):
    """Where a request's purpose came from; the first that there is counts."""

    DIRECTIVE = "DIRECTIVE"
    HEADER = "HEADER"
    TOKEN = "TOKEN"  # noqa: S105 - the only purpose that the token carries


@dataclass(frozen=True, slots=True)
class Declared:
    """What a request itself says of its purpose: in the operation, and in the header."""

    directive: Purpose | None = None
    header: str | None = None

    def __bool__(self) -> bool:
        return self.directive is not None or self.header is not None

    @property
    def source(self) -> PurposeSource:
        """Where the purpose comes from, if one is in force."""
        if self.directive is not None:
            return PurposeSource.DIRECTIVE
        return PurposeSource.TOKEN if self.header is None else PurposeSource.HEADER


def choose(principal: Principal, directive: Purpose | None, header: str | None) -> tuple[Purpose | None, str]:
    """The purpose of a request, or None and why there is none, as a sentence."""
    held = principal.purposes
    if directive is None and header is not None:
        try:
            directive = Purpose(header.strip())
        except ValueError:
            return None, f"The header {HEADER} must name exactly one purpose: {_names(frozenset(Purpose))}."
    if directive is not None:
        if directive in held:
            return directive, ""
        return None, f"You may not act for {directive}, only for: {_names(held)}."
    if len(held) == 1:
        return next(iter(held)), ""
    return None, (
        f"Say what this is for, with @purpose(is: ...) on the operation or the header {HEADER}. "
        f"You may act for: {_names(held)}."
    )


def _names(purposes: frozenset[Purpose]) -> str:
    return ", ".join(sorted(purposes)) or "nothing"
