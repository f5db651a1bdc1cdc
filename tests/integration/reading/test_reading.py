"""Reading under a grant: outcomes, refusals, nulls, and what really left the database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auth.principal import NOBODY
from graph.limits import Limits
from graph.messages import Answer
from models.user import UserDocument
from models.vocabulary import Purpose, Role
from tests.integration.reading.world import Maker, World, make_engine

ME = "{ me { id username email } }"


def reasons(answer: Answer) -> dict[str, str]:
    """Denied coordinates of an answer with their reasons."""
    return {error["extensions"]["coordinate"]: error["extensions"]["reason"] for error in answer.body.get("errors", [])}


async def test_only_granted_paths_are_projected(world: World, person: Maker) -> None:
    """In NULL mode the find asks for the granted fields, and for what the row's verdict looks at."""
    world.recorder.clear()
    answer = await world.ask(
        person(world.ids[0], Role.SUPPORT),
        "query($id: ID!) @purpose(is: SUPPORT, onDenied: NULL) "
        "{ user(by: {id: $id}) { username email birthDate lastSeenIp deviceIds } }",
        id=world.ids[1],
    )
    [find] = world.recorder.reads()
    assert answer.body["data"]["user"]["username"]
    assert find["projection"] == {"_id": 1, "username": 1, "email": 1, "status": 1}


async def test_nothing_is_read_when_an_operation_is_refused(world: World, person: Maker) -> None:
    """REJECT lists every denied coordinate at once, and no command is sent."""
    world.recorder.clear()
    answer = await world.ask(
        person(world.ids[0], Role.SUPPORT), "{ users { nodes { username birthDate lastSeenIp } } }", Purpose.SUPPORT
    )
    assert answer.status == 403
    assert "data" not in answer.body
    assert reasons(answer) == {"User.birthDate": "PURPOSE", "User.lastSeenIp": "PURPOSE"}
    assert world.recorder.commands == []


async def test_a_list_loads_others_by_what_is_granted_on_others(world: World, person: Maker) -> None:
    """An administrator's list loads no email of others; their own row is loaded apart."""
    world.recorder.clear()
    me = world.ids[2]
    answer = await world.ask(
        person(me, Role.ADMIN), "{ users(first: 10) { nodes { id username email } } }", Purpose.ACCOUNT
    )
    page, own = world.recorder.reads()
    assert page["projection"] == {"_id": 1, "username": 1}
    assert own["filter"] == {"_id": me}
    assert own["projection"] == {"_id": 1, "email": 1, "username": 1}
    emails = {node["id"]: node["email"] for node in answer.body["data"]["users"]["nodes"]}
    assert [identifier for identifier, email in emails.items() if email] == [me]
    assert answer.body["extensions"]["withheld"] == [{"coordinate": "User.email", "reason": "ROLE", "count": 9}]


@pytest.mark.parametrize("roles", [[], [Role.ADMIN]])
async def test_a_list_of_which_nothing_may_be_read_of_others_is_refused(
    world: World, person: Maker, roles: list[Role]
) -> None:
    """Only one's own row could ever show: refused up front."""
    answer = await world.ask(person(world.ids[2], *roles), "{ users { nodes { email } } }", Purpose.ACCOUNT)
    assert (answer.status, reasons(answer)) == (403, {"User.email": "ROLE"})


@pytest.mark.parametrize("key", ["username", "email", "id"])
async def test_another_person_is_refused_whether_they_exist_or_not(world: World, person: Maker, key: str) -> None:
    """The answer and the commands are the same for somebody and for nobody."""
    stored = await world.row(world.ids[5])
    real = {"username": stored["username"], "email": stored["email"], "id": stored["_id"]}[key]
    missing = {"username": "nobody-of-this-name", "email": "nobody@nowhere.example", "id": "usr_eu_" + "0" * 26}[key]
    seen = []
    for value in (real, missing):
        world.recorder.clear()
        answer = await world.ask(
            person(world.ids[2]),
            f"query($v: {'ID' if key == 'id' else 'String'}!) {{ user(by: {{{key}: $v}}) {{ username email }} }}",
            Purpose.ACCOUNT,
            v=value,
        )
        seen.append((answer.status, reasons(answer), [(c["find"], c["projection"]) for c in world.recorder.reads()]))
    assert seen[0] == seen[1]
    assert seen[0][0] == 403
    assert "User.email" in seen[0][1]


@pytest.mark.parametrize("key", ["username", "email", "id"])
async def test_one_finds_oneself_by_any_key(world: World, person: Maker, key: str) -> None:
    """A look-up that names the caller is their own data."""
    stored = await world.row(world.ids[2])
    value = {"username": stored["username"].upper(), "email": stored["email"], "id": stored["_id"]}[key]
    answer = await world.ask(
        person(world.ids[2]),
        f"query($v: {'ID' if key == 'id' else 'String'}!) {{ user(by: {{{key}: $v}}) {{ birthDate }} }}",
        Purpose.ACCOUNT,
        v=value,
    )
    assert answer.body == {"data": {"user": {"birthDate": stored["birth_date"]}}}


async def test_node_answers_like_user(world: World, person: Maker) -> None:
    """Through the interface, with fragments, the same grant holds."""
    text = "query($id: ID!) { node(id: $id) { __typename id ... on User { ...Who } } } fragment Who on User { email }"
    mine = await world.ask(person(world.ids[2]), text, Purpose.ACCOUNT, id=world.ids[2])
    assert mine.body["data"]["node"]["__typename"] == "User"
    assert mine.body["data"]["node"]["email"]
    other = await world.ask(person(world.ids[2]), text, Purpose.ACCOUNT, id=world.ids[3])
    assert reasons(other) == {"User.id": "ROLE", "User.email": "ROLE"}


async def test_null_mode_gives_one_error_per_denied_selection(world: World, person: Maker) -> None:
    """Two aliases of one denied field are two errors; what lies beneath a null is not repeated."""
    answer = await world.ask(
        person(world.ids[0], Role.ANALYST),
        "query($id: ID!) @purpose(is: ANALYTICS, onDenied: NULL) "
        "{ user(by: {id: $id}) { loginCount a: email b: email address { city } } }",
        id=world.ids[1],
    )
    assert answer.status == 200
    assert [error["path"] for error in answer.body["errors"]] == [["user", "a"], ["user", "b"], ["user", "address"]]
    user = answer.body["data"]["user"]
    assert (user["a"], user["b"], user["address"]) == (None, None, None)
    assert user["loginCount"] is not None


async def test_null_mode_closes_a_root_that_may_not_be_read(world: World, person: Maker) -> None:
    """What is one's own still shows beside it."""
    answer = await world.ask(
        person(world.ids[2]),
        "query($id: ID!) @purpose(is: ACCOUNT, onDenied: NULL) { me { username } user(by: {id: $id}) { email } }",
        id=world.ids[3],
    )
    assert answer.body["data"]["me"]["username"]
    assert answer.body["data"]["user"] is None
    assert reasons(answer) == {"User.email": "ROLE"}
    assert [error["path"] for error in answer.body["errors"]] == [["user"]]


async def test_null_mode_names_the_row_when_nothing_else_was_asked(world: World, person: Maker) -> None:
    """`__typename` alone tells that somebody exists; its null has an error too."""
    answer = await world.ask(
        person(world.ids[2]),
        "query($id: ID!) @purpose(is: ACCOUNT, onDenied: NULL) { user(by: {id: $id}) { __typename } }",
        id=world.ids[3],
    )
    assert answer.body["data"] == {"user": None}
    assert reasons(answer) == {"User.id": "ROLE"}


async def test_null_mode_still_refuses_a_denied_argument(world: World, person: Maker) -> None:
    """A list without the filter that was asked for would be another list."""
    answer = await world.ask(
        person(world.ids[0], Role.PRIVACY),
        'query @purpose(is: LEGAL, onDenied: NULL) { users(filter: {country: "DE"}) { nodes { username } } }',
    )
    assert (answer.status, reasons(answer)) == (403, {"User.country": "ROLE"})


@pytest.mark.parametrize(
    "arguments",
    ['filter: {country: "DE"}', "orderBy: {field: LOGIN_COUNT}", "filter: {status: ACTIVE}"],
)
async def test_arguments_need_the_right_to_read(world: World, service: Maker, arguments: str) -> None:
    """Filtering and ordering tell something of a field, so they need its right."""
    bot = service("user.contact:read", purposes=[Purpose.SUPPORT])
    answer = await world.ask(bot, f"{{ users({arguments}) {{ nodes {{ email }} }} }}")
    assert answer.status == 403
    assert set(reasons(answer).values()) == {"SCOPE"}


async def test_arguments_in_variables_count_like_literals(world: World, service: Maker) -> None:
    """A filter may come whole in a variable; only the keys that are given are touched."""
    bot = service("user.contact:read", "user.account.username:read", purposes=[Purpose.SUPPORT])
    text = "query($f: UserFilter, $o: UserOrder) { users(filter: $f, orderBy: $o) { nodes { email } } }"
    assert (await world.ask(bot, text, o={"field": "USERNAME"})).status == 200
    denied = await world.ask(bot, text, f={"country": "DE", "ageBand": "18-24"}, o={"field": "CREATED_AT"})
    assert set(reasons(denied)) == {"User.country", "User.ageBand", "User.createdAt"}


async def test_support_finds_people_by_a_masked_field(world: World, person: Maker) -> None:
    """An exact look-up tells nothing that the caller did not know; the answer stays masked."""
    stored = await world.row(world.ids[4])
    answer = await world.ask(
        person(world.ids[0], Role.SUPPORT),
        "query($e: String!) { user(by: {email: $e}) { id email } }",
        Purpose.SUPPORT,
        e=stored["email"],
    )
    assert answer.body["data"]["user"]["id"] == world.ids[4]
    assert "•" in answer.body["data"]["user"]["email"]
    assert stored["email"] not in str(answer.body)


async def test_purpose_is_exactly_one(world: World, person: Maker, service: Maker) -> None:
    """None of several, or a foreign one: denied with the reason; the only one needs no naming."""
    several = await world.ask(person(world.ids[0], Role.SUPPORT), ME)
    assert set(reasons(several).values()) == {"PURPOSE"}
    foreign = await world.ask(person(world.ids[0]), ME, Purpose.SUPPORT)
    assert set(reasons(foreign).values()) == {"PURPOSE"}
    only = await world.ask(service("user.name:read", purposes=[Purpose.SUPPORT]), "{ users { nodes { fullName } } }")
    assert only.status == 200


async def test_the_directive_beats_the_header(world: World, person: Maker) -> None:
    """What the operation says is what counts."""
    text = "query @purpose(is: SECURITY) { me { email } }"
    answer = await world.ask(person(world.ids[0]), text, Purpose.ACCOUNT)
    assert reasons(answer) == {"User.email": "ROLE"}


async def test_nobody_is_asked_to_sign_in(world: World) -> None:
    """401 with a challenge, and what is public still answers."""
    answer = await world.ask(NOBODY, ME)
    assert answer.status == 401
    assert answer.challenge is not None
    assert {error["extensions"]["code"] for error in answer.body["errors"]} == {"UNAUTHENTICATED"}
    assert (await world.ask(NOBODY, "{ __typename purposes { key name } }")).status == 200


async def test_consent_is_asked_of_every_row(world: World, service: Maker) -> None:
    """Rows without consent, and minors, show their identifier and nothing else; the counts add up."""
    bot = service("user.contact.email:read", purposes=[Purpose.MARKETING])
    answer = await world.ask(bot, "{ users(first: 40) { nodes { id email } } }")
    nodes = answer.body["data"]["users"]["nodes"]
    rows = {row["_id"]: row for row in await world.database.find(UserDocument, {})}
    for node in nodes:
        row = rows[node["id"]]
        consents = any(c["purpose"] == "MARKETING" and c["given"] for c in row.get("consents", ()))
        open_ = consents and row["status"] != "RESTRICTED" and row.get("age_band") not in ("0-12", "13-17")
        assert (node["email"] is not None) == (open_ and "email" in row)
    withheld = {entry["reason"]: entry["count"] for entry in answer.body["extensions"]["withheld"]}
    assert withheld["CONSENT"] > 0
    assert sum(withheld.values()) == sum(1 for node in nodes if node["email"] is None)


async def test_restricted_people_are_left_alone(world: World, person: Maker) -> None:
    """Support sees nothing of someone who restricted processing; the person and the privacy office do."""
    target = world.ids[9]
    await world.database.update_one(UserDocument, {"_id": target}, {"$set": {"status": "RESTRICTED"}})
    text = "query($id: ID!) { user(by: {id: $id}) { id username } }"
    support = await world.ask(person(world.ids[0], Role.SUPPORT), text, Purpose.SUPPORT, id=target)
    assert support.body["data"]["user"] == {"id": target, "username": None}
    assert support.body["extensions"]["withheld"] == [
        {"coordinate": "User.username", "reason": "RESTRICTED", "count": 1}
    ]
    legal = await world.ask(person(world.ids[0], Role.PRIVACY), text, Purpose.LEGAL, id=target)
    assert legal.body["data"]["user"]["username"]
    mine = await world.ask(person(target), "{ me { username } }", Purpose.ACCOUNT)
    assert mine.body["data"]["me"]["username"]


async def test_nested_lists_cost_one_command_each(world: World, person: Maker) -> None:
    """However many people are on the page."""
    text = (
        "query($n: Int!) { users(first: $n) { nodes { username devices { deviceId } "
        "sessions { device } ipLog { ip } } } }"
    )
    who = person(world.ids[0], Role.SECURITY)
    counts = []
    for size in (2, 40):
        world.recorder.clear()
        answer = await world.ask(who, text, Purpose.SECURITY, n=size)
        assert len(answer.body["data"]["users"]["nodes"]) == size
        counts.append(len(world.recorder.reads()))
    assert counts == [4, 4]


async def test_nested_lists_keep_their_own_arguments(world: World, person: Maker) -> None:
    """Two aliases of one list differ by `first`; newest comes first."""
    answer = await world.ask(
        person(world.ids[1]), "{ me { a: events(first: 1) { at kind } b: events(first: 3) { at } } }", Purpose.ACCOUNT
    )
    me = answer.body["data"]["me"]
    assert (len(me["a"]), len(me["b"])) == (1, 3)
    assert [event["at"] for event in me["b"]] == sorted((event["at"] for event in me["b"]), reverse=True)
    assert me["a"][0]["at"] == me["b"][0]["at"]
    assert "kind" not in me["b"][0]


@pytest.mark.parametrize("size", [0, -1, 101])
async def test_page_sizes_are_bounded(world: World, person: Maker, size: int) -> None:
    """Out of bounds is an error that says so, on lists and nested lists."""
    who = person(world.ids[0], Role.SECURITY)
    for text in ("{ users(first: %d) { nodes { id } } }", "{ me { devices(first: %d) { deviceId } } }"):
        answer = await world.ask(who, text % size, Purpose.SECURITY)
        assert answer.body["errors"][0]["extensions"]["code"] in ("BAD_USER_INPUT", "LIMIT_EXCEEDED")


@pytest.mark.parametrize("by_rows", [True, False])
async def test_the_greatest_page_can_be_set(world: World, person: Maker, by_rows: bool) -> None:
    """Of lists and nested lists, given in the text or by a variable; one more is refused."""
    engine = make_engine(world.database, by_rows=by_rows, limits=Limits(max_page=150))
    set_apart, who = replace(world, engine=engine), person(world.ids[0], Role.SECURITY)
    for text in ("{ users(first: %s) { nodes { id } } }", "{ me { devices(first: %s) { deviceId } } }"):
        for size, allowed in ((150, True), (151, False)):
            by_variable = await set_apart.ask(who, f"query($n: Int!) {text % '$n'}", Purpose.SECURITY, n=size)
            for answer in (await set_apart.ask(who, text % size, Purpose.SECURITY), by_variable):
                assert ("errors" not in answer.body) is allowed, answer.body


async def test_skipped_fields_claim_nothing(world: World, person: Maker) -> None:
    """What `@skip` and `@include` leave out is neither decided nor read."""
    text = "query($no: Boolean!) { me { username email @skip(if: $no) ... @include(if: false) { birthDate } } }"
    who = person(world.ids[1])
    denied = await world.ask(who, text, Purpose.SECURITY, no=False)
    assert reasons(denied) == {"User.email": "ROLE"}
    allowed = await world.ask(who, text, Purpose.SECURITY, no=True)
    assert list(allowed.body["data"]["me"]) == ["username"]
