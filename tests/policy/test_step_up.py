"""The demands of step-up against a written-out copy, and every case of `step_up.yaml` decided as it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
import yaml

from auth.policy import Policy
from auth.principal import PROVEN, RECENT, STALE, UNPROVEN, Assurance, Kind, Shape
from auth.step_up import ROOTS, STEP_UP, Demand, RootDemand
from models.grant import Decision
from models.vocabulary import Access, Label, Outcome, Purpose, Reason, Relation, Role, Wanted
from tests.policy.test_cases import REGION, shape_of

FEWEST_CASES: Final = 90
ASSURANCES: Final = {"proven": PROVEN, "strong": STALE, "recent": Assurance(recent=True), "neither": UNPROVEN}
ENFORCING: Final = Policy(REGION, step_up=True)

EVERY_LABEL: Final = " ".join(Label)

# by, access, labels, what is needed, of which rows
TABLE: Final = [
    ("STAFF", "read", EVERY_LABEL, "strong", "all"),
    (
        "STAFF",
        "read",
        "user.contact user.demographic.date_of_birth user.location.precise",
        "strong recent",
        "clear of others",
    ),
    ("STAFF", "write", EVERY_LABEL, "strong recent", "all"),
    ("STAFF", "read", EVERY_LABEL, "strong recent", "all for EMERGENCY"),
    ("SELF", "write", "user.contact.email", "recent", "all"),
]

# by, what the root field does, what is needed
ROOT_TABLE: Final = [
    ("SELF", "anything", "recent"),
    ("SELF", "enrols", "recent"),
    ("STAFF", "anything", "strong recent"),
    ("STAFF", "enrols", "recent"),
]


@dataclass(frozen=True)
class Case:
    """One row of the file: a question, and its answer for each assurance."""

    who: str
    region: str
    purpose: str
    row: str
    access: str
    label: str
    answers: Mapping[str, str]

    @property
    def question(self) -> tuple[str, ...]:
        """All but the answers."""
        return self.who, self.region, self.purpose, self.row, self.access, self.label

    def __str__(self) -> str:
        cell = f"@{self.region}" if self.region != REGION else ""
        return f"{self.who}{cell} {self.access} {self.row} {self.label} for {self.purpose}"


def case_of(row: dict[str, str]) -> Case:
    """Read one row; a row with another shape is a mistake in the file."""
    access = "read" if "read" in row else "write"
    answers = (
        {name: row[name] for name in ASSURANCES} if "always" not in row else dict.fromkeys(ASSURANCES, row["always"])
    )
    case = Case(row["who"], row.get("region", REGION), row["purpose"], row["row"], access, row[access], answers)
    if unknown := row.keys() - {"who", "region", "purpose", "row", access, "always", *ASSURANCES}:
        raise ValueError(f"bad row {row}: {sorted(unknown)}")
    return case


CASES: Final = [case_of(row) for row in yaml.safe_load(Path(__file__).with_name("step_up.yaml").read_text("utf-8"))]


def needed(demand: Demand | RootDemand) -> str:
    """What a demand needs, in words."""
    return " ".join(name for name in ("strong", "recent") if getattr(demand, name))


def in_words(demand: Demand) -> tuple[str, ...]:
    """A demand as a row of the copy."""
    rows = "clear of others" if demand.clear_of_others else "all"
    rows += f" for {demand.only_for}" if demand.only_for else ""
    return str(demand.by), str(demand.access), " ".join(map(str, demand.labels)), needed(demand), rows


def answer(decision: Decision) -> str:
    """A decision as the file writes it."""
    if decision:
        return str(decision.outcome)
    return str(decision.wanted) if decision.reason is Reason.STEP_UP else str(decision.reason)


def decided(case: Case, assurance: Assurance, policy: Policy = ENFORCING) -> Decision:
    """What the policy says to a case."""
    shape = replace(shape_of(case.who, case.region), assurance=assurance)
    return policy.decide(shape, Purpose(case.purpose), Label(case.label), Relation(case.row), Access(case.access))


def staff(*roles: Role, assurance: Assurance) -> Shape:
    """Somebody who holds roles."""
    return Shape(Kind.PERSON, frozenset(roles), region=REGION, assurance=assurance)


def test_the_demands_are_those_written_here() -> None:
    """The table equals its copy, row by row."""
    assert [in_words(demand) for demand in STEP_UP] == TABLE


def test_the_demands_of_root_fields_are_those_written_here() -> None:
    """The same for what is asked before a root field runs."""
    rows = [(str(it.by), "enrols" if it.enrolling else "anything", needed(it)) for it in ROOTS]
    assert rows == ROOT_TABLE


def test_recent_means_a_quarter_of_an_hour() -> None:
    """As the contract says."""
    assert RECENT.total_seconds() == 15 * 60


@pytest.mark.parametrize("name", ASSURANCES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_policy_asks_for_proof_as_the_contract_says(case: Case, name: str) -> None:
    """With each assurance."""
    decision = decided(case, ASSURANCES[name])
    assert answer(decision) == case.answers[name], decision.rule


@pytest.mark.parametrize("name", ASSURANCES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_without_enforcement_everybody_is_as_good_as_proven(case: Case, name: str) -> None:
    """In development nobody is asked for more than a rule."""
    assert answer(decided(case, ASSURANCES[name], Policy(REGION))) == case.answers["proven"]


@pytest.mark.parametrize("role", Role)
def test_every_role_is_asked_for_a_second_factor(role: Role) -> None:
    """The file tries each on somebody else's row."""
    tried = [case for case in CASES if case.who == role.value and case.row == "OTHER"]
    assert {case.answers["recent"] for case in tried} >= {"SECOND_FACTOR"}
    assert not any(case.answers["neither"] in ("CLEAR", "MASKED") for case in tried)


def test_every_way_of_asking_occurs() -> None:
    """A password, a second factor; and a denial that no proof changes, for each of its reasons."""
    found = {text for case in CASES for text in case.answers.values()}
    assert found == {"CLEAR", "MASKED", "PASSWORD", "SECOND_FACTOR", "ROLE", "SCOPE", "PURPOSE", "REGION"}


def test_no_case_is_written_twice_and_none_is_lost() -> None:
    """Two rows on one question could disagree."""
    assert [question for question, times in Counter(case.question for case in CASES).items() if times > 1] == []
    assert len(CASES) >= FEWEST_CASES


@pytest.mark.parametrize(
    ("roles", "enrolling", "assurance", "wanted"),
    [
        ((), False, PROVEN, None),
        ((), False, ASSURANCES["recent"], None),
        ((), False, STALE, Wanted.SECOND_FACTOR),
        ((), False, UNPROVEN, Wanted.PASSWORD),
        ((), True, ASSURANCES["recent"], None),
        ((), True, UNPROVEN, Wanted.PASSWORD),
        ((Role.ADMIN,), False, PROVEN, None),
        ((Role.ADMIN,), False, ASSURANCES["recent"], Wanted.SECOND_FACTOR),
        ((Role.ADMIN,), False, STALE, Wanted.SECOND_FACTOR),
        ((Role.ADMIN,), False, UNPROVEN, Wanted.SECOND_FACTOR),
        ((Role.ADMIN,), True, ASSURANCES["recent"], None),
        ((Role.ADMIN,), True, STALE, Wanted.SECOND_FACTOR),
        ((Role.ADMIN,), True, UNPROVEN, Wanted.PASSWORD),
    ],
)
def test_a_dangerous_root_field_asks_for_proof(
    roles: tuple[Role, ...], enrolling: bool, assurance: Assurance, wanted: Wanted | None
) -> None:
    """Staff show a second factor, but for getting their first; who has one shows it again."""
    found = ENFORCING.before_root(staff(*roles, assurance=assurance), enrolling=enrolling)
    assert (None if found is None else found.wanted) is wanted
    assert found is None or (found.outcome, found.reason) == (Outcome.DENIED, Reason.STEP_UP)


def test_a_root_field_asks_only_people_and_only_where_it_is_enforced() -> None:
    """Services and nobody are decided by the rules alone."""
    for kind in (Kind.SERVICE, Kind.NOBODY):
        assert ENFORCING.before_root(Shape(kind, region=REGION), enrolling=False) is None
    assert Policy(REGION).before_root(staff(Role.ADMIN, assurance=UNPROVEN), enrolling=False) is None


def test_enforcing_is_another_policy() -> None:
    """Its version says so, and is the same on every process."""
    assert ENFORCING.version == Policy("us", step_up=True).version != Policy(REGION).version
