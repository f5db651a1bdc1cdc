"""What is explained is what happens: reports against real answers, for random documents and callers."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings

from auth.policy import Policy
from auth.principal import Principal, Shape
from auth.rules import purposes_lent
from graph.catalogue import read_catalogue
from graph.documents import Documents
from graph.explaining.explainer import Explainer
from graph.limits import Limits
from graph.messages import Answer
from graph.plan import Planner
from graph.types.access import AccessReport, AccessVerdict
from models.vocabulary import Outcome, Purpose, Role
from tests.integration.reading.test_both_ways import SCHEMA, anything_asked
from tests.integration.reading.world import Maker, World

CATALOGUE = read_catalogue(SCHEMA)
EXPLAINER = Explainer(SCHEMA, Documents(SCHEMA, Limits()), Planner(SCHEMA, CATALOGUE), CATALOGUE, Policy("eu"))


def codes(answer: Answer) -> set[str]:
    """The codes of an answer's errors."""
    return {error["extensions"]["code"] for error in answer.body.get("errors", ())}


def agrees(report: AccessReport, answer: Answer) -> bool:
    """Whether an answer is one of those that a report allows for."""
    withheld = {it["reason"] for it in answer.body.get("extensions", {}).get("withheld", ())}
    match report.verdict:
        case AccessVerdict.ALLOWED:
            return answer.status == 200 and not codes(answer) and withheld <= {"RESTRICTED"}
        case AccessVerdict.REFUSED:
            return answer.status == 403
        case AccessVerdict.PARTIAL:
            return answer.status in (200, 403) and "FORBIDDEN" in codes(answer)
        case AccessVerdict.DEPENDS:
            return answer.status in (200, 403)
    return False


@anything_asked
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
async def test_a_report_foretells_the_answer(
    world: World,
    person: Maker,
    service: Maker,
    root: str,
    body: str,
    caller: frozenset[Role] | list[str],
    purpose: Purpose,
    on_denied: str,
    who: int,
    whom: int,
) -> None:
    """Allowed is answered without an error, refused is refused, and the denied coordinates are among the entries."""
    asker = (
        able(person(world.ids[who], *caller))
        if isinstance(caller, frozenset)
        else service(*caller, purposes=list(Purpose))
    )
    text = f"query @purpose(is: {purpose}, onDenied: {on_denied}) {{ {root % body} }}"
    # Every condition of these documents is known: `$no` is false and `$yes` true.
    text = text.replace("$id", f'"{world.ids[whom]}"').replace("$no", "false").replace("$yes", "true")
    report = EXPLAINER.explain(text, None, asker, None)
    answer = await world.ask(asker, text)
    assert report.verdict is not AccessVerdict.INVALID, report.problems
    assert agrees(report, answer), (report.verdict, answer.body)
    denied = {error["extensions"]["coordinate"] for error in answer.body.get("errors", ())} - {"User.id"}
    assert denied <= {entry.coordinate for entry in report.entries if shows_denial(entry)}


def able(who: Principal) -> Principal:
    """The same, who has broken the glass if they may."""
    return replace(who, purposes=who.purposes | purposes_lent(who.shape.roles, Purpose.EMERGENCY))


def shows_denial(entry: object) -> bool:
    """Whether an entry denies one's own or another's row."""
    return "outcome=<Outcome.DENIED" in re.sub(r"AccessOutcome", "Outcome", repr(entry)) or Outcome.DENIED in {
        getattr(getattr(entry, side), "outcome", None) for side in ("own", "others")
    }


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.SECURITY, Role.PRIVACY])
@pytest.mark.parametrize("on_denied", ["REJECT", "NULL"])
@pytest.mark.parametrize(
    "body", ["users { totalCount }", "users(first: 1) { nodes { email } }", "me { id } users { nodes { birthDate } }"]
)
async def test_an_emergency_opens_no_list(world: World, person: Maker, role: Role, on_denied: str, body: str) -> None:
    """Refused as a whole and foretold so; the person whom somebody can name is opened."""
    who, purpose = able(person(world.ids[0], role)), f"query @purpose(is: EMERGENCY, onDenied: {on_denied})"
    world.recorder.clear()
    answer = await world.ask(who, f"{purpose} {{ {body} }}")
    assert (answer.status, world.recorder.reads()) == (403, [])
    [error] = answer.body["errors"]
    said = "Query.users is denied: EMERGENCY opens one named person at a time: use user or node."
    assert (error["message"], error["extensions"]["reason"], error["path"]) == (said, "PURPOSE", ["users"])
    assert EXPLAINER.explain(f"{purpose} {{ {body} }}", None, who, None).verdict is AccessVerdict.REFUSED
    named = f'{purpose} {{ user(by: {{id: "{world.ids[1]}"}}) {{ email }} node(id: "{world.ids[2]}") {{ id }} }}'
    data = (await world.ask(who, named)).body["data"]
    assert "@" in data["user"]["email"]
    assert data["node"] == {"id": world.ids[2]}


async def test_explaining_reads_nothing(world: World, person: Maker) -> None:
    """No command reaches the database."""
    world.recorder.clear()
    query = "query ($it: String!) { explainAccess(document: $it, purpose: ACCOUNT) { verdict } myAccess { kind } }"
    answer = await world.ask(person(world.ids[0]), query, it=f'{{ user(by: {{id: "{world.ids[1]}"}}) {{ email }} }}')
    assert answer.body["data"]["explainAccess"] == {"verdict": "DEPENDS"}
    assert world.recorder.reads() == []


async def test_somebody_else_may_be_asked_about(world: World, person: Maker) -> None:
    """A person without a role asks what SUPPORT would see: the table is public to those signed in."""
    query = """
      query ($it: String!, $role: Role, $what: Purpose) {
        explainAccess(document: $it, role: $role, purpose: $what) { verdict purpose purposeFrom }
      }
    """
    text = "{ users { nodes { email } } }"
    who = person(world.ids[0])
    mine = await world.ask(who, query, it=text, what="ACCOUNT")
    theirs = await world.ask(who, query, it=text, role="SUPPORT", what="SUPPORT")
    assert mine.body["data"]["explainAccess"]["verdict"] == "REFUSED"
    assert theirs.body["data"]["explainAccess"] == {"verdict": "ALLOWED", "purpose": "SUPPORT", "purposeFrom": "HEADER"}


async def test_the_requests_own_purpose_counts_for_oneself(world: World, person: Maker) -> None:
    """Without the argument, the header of this request is the header of the explained one; not for another role."""
    query = "query ($it: String!, $role: Role) { explainAccess(document: $it, role: $role) { verdict purpose } }"
    who = person(world.ids[0], Role.SUPPORT)
    text = "{ users { nodes { email } } }"
    mine = await world.ask(who, query, Purpose.SUPPORT, it=text)
    theirs = await world.ask(who, query, Purpose.ACCOUNT, it=text, role="ANALYST")
    assert mine.body["data"]["explainAccess"] == {"verdict": "ALLOWED", "purpose": "SUPPORT"}
    assert theirs.body["data"]["explainAccess"] == {"verdict": "REFUSED", "purpose": None}


async def test_everybody_may_ask_what_they_may_do(world: World, person: Maker) -> None:
    """Nobody gets empty lists; somebody their roles, purposes, and the one in force with its source."""
    query = "query %s { myAccess { kind roles scopes purposes purpose purposeFrom } }"
    from_token = Principal(Shape(person("x").shape.kind, region="eu"), id="x", purposes=frozenset({Purpose.ACCOUNT}))
    support = person(world.ids[0], Role.SUPPORT)
    held = ["ACCOUNT", "SUPPORT"]
    for who, directive, header, expected in (
        (support, "", None, (held, None, None)),
        (support, "", "SUPPORT", (held, "SUPPORT", "HEADER")),
        (support, "@purpose(is: ACCOUNT)", "SUPPORT", (held, "ACCOUNT", "DIRECTIVE")),
        (support, "", "LEGAL", (held, None, None)),
        (from_token, "", None, (["ACCOUNT"], "ACCOUNT", "TOKEN")),
    ):
        found = (await world.ask(who, query % directive, header)).body["data"]["myAccess"]  # type: ignore[arg-type]  # a value of that kind, as the test made it
        assert (found["purposes"], found["purpose"], found["purposeFrom"]) == expected
