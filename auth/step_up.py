"""What a right needs besides a rule that permits it: a second factor, a recent proof, or both.

Read after the rules (`auth.rules`) and only where step-up is enforced. A demand speaks of people alone:
services prove themselves with every token. Sources: NIST SP 800-63B-4, section 2 (assurance and
reauthentication); OWASP ASVS 5.0, 7.5 (defences before sensitive changes); RFC 9470 (step-up).
`tests/policy/test_step_up.py` holds a written-out copy: a change here is a change of policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from auth.principal import Assurance, Kind, Shape
from auth.purposes import Pattern, covered
from auth.rules import Rule, Who
from models.grant import Decision
from models.vocabulary import Access, Label, Outcome, Purpose, Reason, Relation, Role, Wanted

_L = Label
_ALL_LABELS: Final = tuple(Label)


class By(StrEnum):
    """By which kind of rule a right is held."""

    SELF = "SELF"
    STAFF = "STAFF"  # any role


@dataclass(frozen=True, slots=True)
class Demand:
    """One row of the table. `clear_of_others`: only for clear values of rows that are not one's own; `only_for`:
    only by rules for that purpose."""

    by: By
    access: Access
    labels: tuple[Pattern, ...]
    strong: bool = False
    recent: bool = False
    clear_of_others: bool = False
    only_for: Purpose | None = None

    def covers(self, label: Label) -> bool:
        """Whether `label`, or one beneath it, is named: a value of `user.location` may show the precise one."""
        named = covered(self.labels)
        return label in named or any(map(label.covers, named))

    def speaks_of(self, rule: Rule, label: Label, relation: Relation, access: Access) -> bool:
        """Whether this is asked of whoever holds a right by `rule`."""
        if self.access is not access or _held_by(rule) is not self.by or not self.covers(label):
            return False
        if self.only_for not in (None, *rule.purposes):
            return False
        return not self.clear_of_others or (relation is Relation.OTHER and rule.outcome is Outcome.CLEAR)


STEP_UP: Final[tuple[Demand, ...]] = (
    # Whoever acts as staff has signed in with a second factor.
    Demand(By.STAFF, Access.READ, _ALL_LABELS, strong=True),
    # Direct identifiers of others in clear, and every change made as staff: lately, too.
    Demand(
        By.STAFF,
        Access.READ,
        (_L.CONTACT, _L.BIRTH_DATE, _L.PRECISE_LOCATION),
        strong=True,
        recent=True,
        clear_of_others=True,
    ),
    Demand(By.STAFF, Access.WRITE, _ALL_LABELS, strong=True, recent=True),
    # Whoever breaks the glass is still there.
    Demand(By.STAFF, Access.READ, _ALL_LABELS, strong=True, recent=True, only_for=Purpose.EMERGENCY),
    # One's own address is the way back into the account.
    Demand(By.SELF, Access.WRITE, (_L.EMAIL,), recent=True),
)


@dataclass(frozen=True, slots=True)
class RootDemand:
    """What a root field with `step_up` needs; `enrolling`: one that gives a second factor."""

    by: By
    enrolling: bool
    strong: bool
    recent: bool


ROOTS: Final[tuple[RootDemand, ...]] = (
    RootDemand(By.SELF, enrolling=False, strong=False, recent=True),
    RootDemand(By.SELF, enrolling=True, strong=False, recent=True),
    RootDemand(By.STAFF, enrolling=False, strong=True, recent=True),
    # Staff who have no second factor yet could never get one otherwise.
    RootDemand(By.STAFF, enrolling=True, strong=False, recent=True),
)


def short_of(rule: Rule, assurance: Assurance, label: Label, relation: Relation, access: Access) -> Wanted | None:
    """What somebody of this assurance must prove before `rule` counts for them; None: nothing."""
    demands = [it for it in STEP_UP if it.speaks_of(rule, label, relation, access)]
    return _wanted(assurance, strong=any(it.strong for it in demands), recent=any(it.recent for it in demands))


def before_root(shape: Shape, *, enrolling: bool) -> Decision | None:
    """The denial of a root field that needs step-up, or None when this caller may go on."""
    if shape.kind is not Kind.PERSON:
        return None
    by = By.STAFF if shape.roles else By.SELF
    demand = next(it for it in ROOTS if (it.by, it.enrolling) == (by, enrolling))
    wanted = _wanted(shape.assurance, strong=demand.strong, recent=demand.recent)
    return None if wanted is None else denial("this needs step-up", wanted)


def denial(rule: str, wanted: Wanted) -> Decision:
    """The decision that a right is there, and not yet proven enough."""
    return Decision(Outcome.DENIED, rule, Reason.STEP_UP, wanted)


def described(wanted: Wanted) -> str:
    """What to do about a denial, as a sentence for people."""
    how = "" if wanted is Wanted.PASSWORD else " and a second factor (`enrolTotp` or `enrolPasskey` makes one)"
    return f"Confirm it is you with `stepUp`{how}, then ask again."


def _held_by(rule: Rule) -> By | None:
    if isinstance(rule.who, Role):
        return By.STAFF
    return By.SELF if rule.who is Who.SELF else None


def _wanted(assurance: Assurance, *, strong: bool, recent: bool) -> Wanted | None:
    """A second factor where one is needed or was used before: those who have one use it."""
    if (not strong or assurance.strong) and (not recent or assurance.recent):
        return None
    return Wanted.SECOND_FACTOR if strong or assurance.strong else Wanted.PASSWORD
