"""Conditions that a row itself must fulfil: one verdict per row and purpose, prepared once per grant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from models.database import Raw
from models.grant import RowConditions
from models.vocabulary import AgeBand, Reason, UserStatus

Verdict = Callable[[Raw], Reason | None]

_RESTRICTED: Final = UserStatus.RESTRICTED.value
MINORS: Final = frozenset({AgeBand.UNDER_13.value, AgeBand.TEEN.value})


def condition_paths(conditions: RowConditions) -> list[str]:
    """What the verdict looks at; never shown unless granted as well."""
    paths = []
    if conditions.unrestricted_only:
        paths.append("status")
    if conditions.consent_to is not None:
        paths.append("consents")
    if conditions.adult_only:
        paths.append("age_band")
    return paths


def shown_filter(conditions: RowConditions) -> dict[str, Any]:
    """The rows of which `verdict_of` says nothing, as a MongoDB filter."""
    shown: dict[str, Any] = {}
    if conditions.unrestricted_only:
        shown["status"] = {"$ne": _RESTRICTED}
    if conditions.consent_to is not None:
        shown["consents"] = {"$elemMatch": {"purpose": conditions.consent_to.value, "given": True}}
    if conditions.adult_only:
        shown["age_band"] = {"$nin": sorted(MINORS)}
    return shown


def verdict_of(conditions: RowConditions) -> Verdict | None:
    """Says of a row why nothing of it may be shown, or None; None when nothing needs to be asked."""
    purpose = conditions.consent_to
    if purpose is None and not conditions.adult_only:
        return _restricted if conditions.unrestricted_only else None

    def judge(raw: Raw) -> Reason | None:
        if conditions.unrestricted_only and _restricted(raw):
            return Reason.RESTRICTED
        if purpose is not None and not _consented(raw, purpose):
            return Reason.CONSENT
        if conditions.adult_only and raw.get("age_band") in MINORS:
            return Reason.AGE
        return None

    return judge


def withheld_rows(verdict: Verdict | None, raws: Sequence[Raw]) -> list[tuple[int, Reason]]:
    """The places of the rows that may not be shown, and why."""
    if verdict is None:
        return []
    if verdict is _restricted:  # the common one, without a call per row
        return [(place, Reason.RESTRICTED) for place, raw in enumerate(raws) if raw.get("status") == _RESTRICTED]
    verdicts = enumerate(map(verdict, raws))
    return [(place, reason) for place, reason in verdicts if reason is not None]


def _restricted(raw: Raw) -> Reason | None:
    return Reason.RESTRICTED if raw.get("status") == _RESTRICTED else None


def _consented(raw: Raw, purpose: str) -> bool:
    return any(entry["purpose"] == purpose and entry["given"] for entry in raw.get("consents", ()))
