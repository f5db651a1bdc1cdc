"""The default policy decides every case of `cases.yaml`, and the file holds every case it must."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import yaml

from auth.policy import Policy
from auth.principal import Kind, Scope, Shape
from models.vocabulary import Access, Label, Outcome, Purpose, Reason, Relation, Role

REGION: Final = "eu"
FEWEST_CASES: Final = 180
KEYS: Final = frozenset({"who", "region", "purpose", "row", "read", "write", "is", "why"})

OWN_PURPOSES: Final = {
    "person": ("SELF", {"ACCOUNT", "SECURITY", "PERSONALISATION"}),
    "SUPPORT": ("OTHER", {"SUPPORT", "EMERGENCY"}),
    "ANALYST": ("OTHER", {"ANALYTICS"}),
    "SECURITY": ("OTHER", {"SECURITY", "EMERGENCY"}),
    "PRIVACY": ("OTHER", {"LEGAL", "EMERGENCY"}),
    "ADMIN": ("OTHER", {"ACCOUNT"}),
}


@dataclass(frozen=True)
class Case:
    """One row of the file, as it is written there."""

    who: str
    region: str
    purpose: str
    row: str
    access: str
    label: str
    outcome: str
    why: str | None

    def __str__(self) -> str:
        cell = f"@{self.region or 'nowhere'}" if self.region != REGION else ""
        result = f"{self.outcome}({self.why})" if self.why else self.outcome
        return f"{self.who}{cell} {self.access} {self.row} {self.label} for {self.purpose}: {result}"


def case_of(row: dict[str, str]) -> Case:
    """Read one row; a row with another shape is a mistake in the file."""
    if (unknown := row.keys() - KEYS) or ("read" in row) == ("write" in row):
        raise ValueError(f"bad row {row}: {sorted(unknown) or 'either read or write'}")
    access = "read" if "read" in row else "write"
    return Case(
        who=row["who"],
        region=row.get("region", REGION),
        purpose=row["purpose"],
        row=row["row"],
        access=access,
        label=row[access],
        outcome=row["is"],
        why=row.get("why"),
    )


def shape_of(who: str, region: str) -> Shape:
    """Build the caller: `nobody`, `person`, `SUPPORT+ANALYST`, `service user.contact:read ...`."""
    kind, *scopes = who.split()
    match kind:
        case "nobody":
            return Shape(Kind.NOBODY)
        case "person":
            return Shape(Kind.PERSON, region=region)
        case "service":
            return Shape(Kind.SERVICE, scopes=frozenset(map(Scope.parse, scopes)), region=region)
    return Shape(Kind.PERSON, roles=frozenset(map(Role, kind.split("+"))), region=region)


CASES: Final = [case_of(row) for row in yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text("utf-8"))]


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The default policy, deciding for the region `eu`."""
    return Policy(REGION)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_policy_decides_as_the_contract_says(policy: Policy, case: Case) -> None:
    """Outcome and reason are those of the contract's tables."""
    decision = policy.decide(
        shape_of(case.who, case.region),
        Purpose(case.purpose),
        Label(case.label),
        Relation(case.row),
        Access(case.access),
    )
    reason = None if case.why is None else Reason(case.why)
    assert (decision.outcome, decision.reason) == (Outcome(case.outcome), reason), decision.rule


@pytest.mark.parametrize("who", OWN_PURPOSES)
def test_every_label_is_decided_for_everybodys_own_purposes(who: str) -> None:
    """The matrix of role, own purpose and label is complete, so that the file cannot silently shrink."""
    row, purposes = OWN_PURPOSES[who]
    written = {
        (case.purpose, case.label)
        for case in CASES
        if (case.who, case.row, case.access, case.region) == (who, row, "read", REGION)
    }
    missing = {(purpose, label.value) for purpose in purposes for label in Label} - written
    assert not missing


def test_every_role_has_its_own_purposes_here() -> None:
    """A new role must be entered above, or the matrix would not ask for its rows."""
    assert OWN_PURPOSES.keys() - {"person"} == {role.value for role in Role}


@pytest.mark.parametrize("role", Role)
def test_every_role_is_tried_under_every_other_purpose(role: Role) -> None:
    """Each role meets each purpose that is not its own."""
    tried = {case.purpose for case in CASES if (case.who, case.row, case.access) == (role.value, "OTHER", "read")}
    assert tried == {purpose.value for purpose in Purpose}


def test_every_kind_of_denial_of_the_policy_occurs() -> None:
    """Each reason that the policy itself can give is in the file, for reading and for writing."""
    assert {(case.access, case.why) for case in CASES if case.why} == {
        (access, why) for access in ("read", "write") for why in ("ROLE", "SCOPE", "PURPOSE", "REGION")
    }


def test_a_denial_and_only_a_denial_says_why() -> None:
    """A row without its reason, or with one too many, is a mistake in the file."""
    assert [case for case in CASES if (case.outcome == "DENIED") != (case.why is not None)] == []


def test_no_case_is_written_twice() -> None:
    """Two rows on one question could disagree."""
    questions = Counter((c.who, c.region, c.purpose, c.row, c.access, c.label) for c in CASES)
    assert [question for question, times in questions.items() if times > 1] == []


def test_the_file_keeps_its_size() -> None:
    """There are as many cases as were agreed, or more."""
    assert len(CASES) >= FEWEST_CASES
