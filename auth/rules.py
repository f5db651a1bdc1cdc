"""Who may touch what, for which purpose: the default policy as one literal table.

A rule names who (the person themself, a staff role, or a service by its scopes), the labels, the
purposes and what may be done. A label covers those beneath it; `ACCOUNT_ONLY` is the plain
`user.account`. What no rule permits is denied; a `forbid` beats every `permit`; clear beats masked.
`tests/policy/test_rules.py` holds a written-out copy: a change here is a change of policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from auth.purposes import ACCOUNT_ONLY, BREAK_GLASS_ONLY, EVERYTHING, FOR_SERVICES, LENT, Pattern, covered
from models.vocabulary import Access, Label, Outcome, Purpose, Role


class Who(StrEnum):
    """Those a rule can name besides staff roles."""

    SELF = "SELF"
    SERVICE = "SERVICE"  # as far as its scopes reach
    ANYONE = "ANYONE"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table; `outcome` DENIED makes it a forbid."""

    who: Who | Role
    labels: tuple[Pattern, ...]
    purposes: tuple[Purpose, ...]
    outcome: Outcome
    access: Access = Access.READ

    @property
    def covers(self) -> frozenset[Label]:
        return covered(self.labels)

    def __str__(self) -> str:
        verb = "forbid" if self.outcome is Outcome.DENIED else "permit"
        mask = " as MASKED" if self.outcome is Outcome.MASKED else ""
        labels, purposes = ", ".join(map(str, self.labels)), ", ".join(self.purposes)
        return f"{verb} {self.who} to {self.access} {labels} for {purposes}{mask}"


def permit(
    who: Who | Role,
    labels: Iterable[Pattern],
    purposes: Iterable[Purpose],
    *,
    to: Access = Access.READ,
    as_: Outcome = Outcome.CLEAR,
) -> Rule:
    """Allow `who` to read (or write) `labels` under `purposes`."""
    return Rule(who, tuple(labels), tuple(purposes), as_, to)


def forbid(
    who: Who | Role, labels: Iterable[Pattern], purposes: Iterable[Purpose], *, to: Access = Access.READ
) -> Rule:
    """Deny, whatever else permits."""
    return Rule(who, tuple(labels), tuple(purposes), Outcome.DENIED, to)


_L, _P, _MASKED, _WRITE = Label, Purpose, Outcome.MASKED, Access.WRITE
_ALL_PURPOSES = tuple(Purpose)
_IN_AN_EMERGENCY = (_L.USERNAME, _L.NAME, _L.CONTACT, ACCOUNT_ONLY, _L.IMPRECISE_LOCATION)

RULES: Final[tuple[Rule, ...]] = (
    # Nobody reads or writes credentials through the API.
    forbid(Who.ANYONE, [_L.AUTHORIZATION], _ALL_PURPOSES),
    forbid(Who.ANYONE, [_L.AUTHORIZATION], _ALL_PURPOSES, to=_WRITE),
    # Who has which power is decided by people; a scope for `user.account` does not reach it.
    forbid(Who.SERVICE, [_L.ROLES, _L.BREAK_GLASS], _ALL_PURPOSES),
    forbid(Who.SERVICE, [_L.ROLES, _L.BREAK_GLASS], _ALL_PURPOSES, to=_WRITE),
    # One's own data.
    permit(Who.SELF, EVERYTHING, [_P.ACCOUNT]),
    permit(Who.SELF, [_L.USERNAME, ACCOUNT_ONLY, _L.DEVICE, _L.LOCATION], [_P.SECURITY]),
    permit(
        Who.SELF,
        [_L.SETTINGS, _L.BEHAVIOR, _L.LANGUAGE, _L.IMPRECISE_LOCATION],
        [_P.PERSONALISATION],
    ),
    permit(
        Who.SELF,
        [
            _L.UNIQUE_ID,
            _L.USERNAME,
            _L.SETTINGS,
            _L.CONTACT,
            _L.NAME,
            _L.BIRTH_DATE,
            _L.LANGUAGE,
            _L.LOCATION,
            _L.PRIVACY_PREFERENCES,
        ],
        [_P.ACCOUNT],
        to=_WRITE,
    ),
    # Staff.
    permit(
        Role.SUPPORT,
        [
            _L.USERNAME,
            ACCOUNT_ONLY,
            _L.SETTINGS,
            _L.NAME,
            _L.IMPRECISE_LOCATION,
            _L.LANGUAGE,
            _L.AGE_RANGE,
            _L.PRIVACY_PREFERENCES,
        ],
        [_P.SUPPORT],
    ),
    permit(Role.SUPPORT, [_L.CONTACT], [_P.SUPPORT], as_=_MASKED),
    permit(
        Role.ANALYST,
        [ACCOUNT_ONLY, _L.BEHAVIOR, _L.IMPRECISE_LOCATION, _L.LANGUAGE, _L.AGE_RANGE],
        [_P.ANALYTICS],
    ),
    permit(
        Role.SECURITY,
        [_L.USERNAME, _L.NAME, ACCOUNT_ONLY, _L.SETTINGS, _L.DEVICE, _L.IMPRECISE_LOCATION],
        [_P.SECURITY],
    ),
    permit(Role.SECURITY, [_L.CONTACT], [_P.SECURITY], as_=_MASKED),
    permit(
        Role.PRIVACY,
        [_L.USERNAME, _L.NAME, _L.CONTACT, ACCOUNT_ONLY, _L.PRIVACY_PREFERENCES, _L.LANGUAGE],
        [_P.LEGAL],
    ),
    permit(Role.PRIVACY, [_L.NAME, _L.CONTACT, _L.LANGUAGE], [_P.LEGAL], to=_WRITE),
    permit(Role.ADMIN, [_L.USERNAME, ACCOUNT_ONLY, _L.ROLES, _L.BREAK_GLASS], [_P.ACCOUNT]),
    permit(Role.ADMIN, [_L.ROLES, _L.BREAK_GLASS_REVIEW], [_P.ACCOUNT], to=_WRITE),
    # Break-glass: who may open it for themself, what it opens, who reviews it (never one's own).
    permit(Role.SUPPORT, [BREAK_GLASS_ONLY], [_P.ACCOUNT], to=_WRITE),
    permit(Role.SECURITY, [BREAK_GLASS_ONLY], [_P.ACCOUNT], to=_WRITE),
    permit(Role.PRIVACY, [BREAK_GLASS_ONLY], [_P.ACCOUNT], to=_WRITE),
    permit(Role.SUPPORT, _IN_AN_EMERGENCY, [_P.EMERGENCY]),
    permit(Role.SECURITY, _IN_AN_EMERGENCY, [_P.EMERGENCY]),
    permit(Role.PRIVACY, _IN_AN_EMERGENCY, [_P.EMERGENCY]),
    permit(Role.SECURITY, [_L.BREAK_GLASS], [_P.SECURITY]),
    permit(Role.SECURITY, [_L.BREAK_GLASS_REVIEW], [_P.SECURITY], to=_WRITE),
    # Services, as far as their scopes reach.
    permit(Who.SERVICE, EVERYTHING, FOR_SERVICES),
    permit(Who.SERVICE, EVERYTHING, FOR_SERVICES, to=_WRITE),
)


def purposes_of_person(roles: frozenset[Role]) -> frozenset[Purpose]:
    """The purposes a person's token carries.

    Staff: those of their roles, and ACCOUNT for their own data. Everybody else: those under which
    people read their own data. Never EMERGENCY: no role carries it, `auth.break_glass` lends it.
    """
    readers: frozenset[Who | Role] = frozenset(roles) or frozenset({Who.SELF})
    purposes = {
        purpose
        for rule in RULES
        if rule.who in readers and rule.access is Access.READ and rule.outcome is not Outcome.DENIED
        for purpose in rule.purposes
    }
    return frozenset(purposes | {Purpose.ACCOUNT}) - LENT


def purposes_lent(roles: frozenset[Role], asked: Purpose | None) -> frozenset[Purpose]:
    """The purpose asked for, where it is one that people with these roles can lend themselves; else none."""
    opened = {purpose for rule in RULES if rule.who in roles for purpose in rule.purposes}
    return frozenset(purpose for purpose in LENT & opened if purpose is asked)
