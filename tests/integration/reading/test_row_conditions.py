"""What a row withholds: the filter and the verdict agree, and a look-up does not tell it either (P6)."""

from __future__ import annotations

import pytest

from auth.purposes import PURPOSES
from models.conditions import shown_filter, verdict_of
from models.grant import RowConditions
from models.user import UserDocument
from models.vocabulary import LawfulBasis, Purpose, Role
from tests.integration.reading.world import Maker, World


def conditions_of(purpose: Purpose) -> RowConditions:
    """What a purpose asks of every row."""
    spec = PURPOSES[purpose]
    consent = purpose if spec.basis is LawfulBasis.CONSENT else None
    return RowConditions(consent, spec.adults_only, not spec.while_restricted)


@pytest.fixture(scope="module")
async def restricted(world: World) -> str:
    """Somebody who has restricted processing."""
    target = world.ids[17]
    await world.database.update_one(UserDocument, {"_id": target}, {"$set": {"status": "RESTRICTED", "country": "IS"}})
    return target


@pytest.mark.parametrize("purpose", Purpose)
async def test_the_filter_finds_exactly_those_whom_the_verdict_lets_through(
    purpose: Purpose, world: World, restricted: str
) -> None:
    """One condition in two writings."""
    conditions = conditions_of(purpose)
    judge = verdict_of(conditions) or (lambda _raw: None)
    rows = await world.database.find(UserDocument, {})
    found = await world.database.find(UserDocument, shown_filter(conditions))
    assert {row["_id"] for row in found} == {row["_id"] for row in rows if judge(row) is None}
    assert bool(conditions) is (len(found) < len(rows))


@pytest.mark.parametrize("field", ["username", "email"])
async def test_a_look_up_of_what_is_withheld_is_counted(
    field: str, world: World, person: Maker, restricted: str
) -> None:
    """It finds nobody, and says why."""
    by = {field: (await world.row(restricted))[field]}
    text = "query($by: UserBy!) { user(by: $by) { id fullName } }"
    support = person(world.ids[0], Role.SUPPORT)
    for answer in (
        await world.ask(support, text, Purpose.SUPPORT, by=by),
        await world.slowly(support, text, Purpose.SUPPORT, by=by),
    ):
        assert answer.body == {
            "data": {"user": None},
            "extensions": {"withheld": [{"coordinate": f"User.{field}", "reason": "RESTRICTED", "count": 1}]},
        }
    legal = await world.ask(person(world.ids[0], Role.PRIVACY), text, Purpose.LEGAL, by=by)
    assert legal.body["data"]["user"]["id"] == restricted
