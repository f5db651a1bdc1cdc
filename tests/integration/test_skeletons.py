"""People who were stored before names were compared by their looks."""

from __future__ import annotations

import pytest

from models.database import Database
from models.errors import Conflict
from models.ids import new_id
from models.skeletons import fill_skeletons
from models.user import UserDocument


def person(name: str, **fields: str) -> UserDocument:
    """Somebody of this name."""
    return UserDocument(id=new_id("usr", "eu"), username=name, username_key=name.casefold(), **fields)


async def test_everybody_gets_one_and_nobody_loses_their_name(any_database: Database) -> None:
    """Of two who look alike already both stay, and a third is refused; once done it is not done again."""
    for name in ("Anna", "user1", "userl"):
        await any_database.insert(person(name))
    assert await fill_skeletons(any_database) == 2
    rows = await any_database.find(UserDocument, {}, projection={"username": 1, "username_skeleton": 1})
    found = {row["username"]: row.get("username_skeleton") for row in rows}
    assert found.pop("Anna") == "anna"
    assert sorted(found.values(), key=str) == [None, "userl"]
    with pytest.raises(Conflict) as taken:
        await any_database.insert(person("userI", username_skeleton="userl"))
    assert taken.value.field == "look_alike"
    await any_database.insert(person("late"))
    assert await fill_skeletons(any_database) == 0


async def test_many_are_filled(any_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than are read at once."""
    monkeypatch.setattr("models.skeletons.BATCH", 10)
    names = [f"person.{number}" for number in range(33)]
    raw = [{"_id": f"usr_eu_{n:05}", "username": name, "username_key": name} for n, name in enumerate(names)]
    await any_database.insert_many(UserDocument, raw)
    assert await fill_skeletons(any_database) == len(names)
    assert await any_database.count(UserDocument, {"username_skeleton": {"$exists": True}}) == len(names)
