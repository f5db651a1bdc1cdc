"""The only way to change personal documents: explicit `$set`s of what a Grant allows.

A document that was read through a projection is never saved as a whole: that would write nulls over
what was not loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.base import PersonalDocument
from models.conditions import shown_filter
from models.database import Database, Session
from models.database.encoding import plain
from models.erasure import ErasureDocument
from models.errors import FieldwardError
from models.grant import Grant
from models.user import Consent, UserDocument
from models.vocabulary import Relation


@dataclass(frozen=True, slots=True)
class Change:
    """New values of stored paths, on behalf of one input coordinate; None removes a path.

    `by_proof`: they wait until somebody proves them (a new email address); only the right to write is checked.
    """

    coordinate: str
    values: Mapping[str, Any] = field(repr=False)
    by_proof: bool = False


class Writer:
    """Changes people through grants. `owned` are the collections that hold what else is a person's."""

    def __init__(self, database: Database, owned: Iterable[type[PersonalDocument]]) -> None:
        self._database = database
        self._owned = tuple(owned)

    async def register(self, user: UserDocument) -> None:
        """Store a new person. Raises `Conflict` (`username` or `email`): exactly one of two wins."""
        await self._database.insert(user)

    async def change(
        self,
        grant: Grant,
        relation: Relation,
        person: str,
        changes: Iterable[Change],
    ) -> bool:
        """Apply all `changes` to `person`; False when there is none of that identifier, or their row
        is withheld under the grant's purpose (restriction, consent, age).

        Raises `Conflict` for a unique value that is taken: nothing is changed then.
        """
        update: dict[str, dict[str, Any]] = {"$set": {}, "$unset": {}}
        for change in changes:
            _check(grant, relation, change.coordinate)
            for path, value in () if change.by_proof else change.values.items():
                if value is None:
                    update["$unset"][path] = ""
                else:
                    update["$set"][path] = plain(value)
        update = {operator: paths for operator, paths in update.items() if paths}
        target = {"_id": person, **shown_filter(grant.conditions[relation])}
        if not update:
            return await self._database.find_one(UserDocument, target, projection={"_id": 1}) is not None
        return bool(await self._database.update_one(UserDocument, target, update))

    async def choose(self, grant: Grant, relation: Relation, coordinate: str, person: str, choice: Consent) -> None:
        """Put `choice` in the place of the person's earlier one on the same purpose, all or nothing."""
        _check(grant, relation, coordinate)
        earlier = {"$pull": {"consents": {"purpose": choice.purpose.value}}}
        latest = {"$push": {"consents": plain(choice)}}

        async def work(session: Session | None) -> None:
            for update in (earlier, latest):
                await self._database.update_one(UserDocument, {"_id": person}, update, session=session)

        await self._database.run_in_transaction(work)

    async def delete(self, grant: Grant, relation: Relation, coordinate: str, person: str) -> bool:
        """Remove a person and what is stored about them, but for what outlives them, all or nothing.

        Then their key: what backups still hold of them opens no more.
        """
        _check(grant, relation, coordinate)

        async def work(session: Session | None) -> bool:
            for document in self._owned:
                if document is not UserDocument and not document.OUTLIVES_PERSON:
                    await self._database.delete_many(document, {document.PERSON: person}, session=session)
            gone = bool(await self._database.delete_one(UserDocument, {"_id": person}, session=session))
            if gone and await self._database.find_one(ErasureDocument, {"_id": person}, session=session) is None:
                # With the rows or not at all: whoever finds it destroys the key, if this process does not come to it.
                await self._database.insert(ErasureDocument(id=person), session=session)
            return gone

        deleted = await self._database.run_in_transaction(work)
        if deleted and self._database.sealing is not None:
            await self._database.sealing.erase(person)
        return deleted


def _check(grant: Grant, relation: Relation, coordinate: str) -> None:
    if not grant.allows(relation, coordinate):
        raise FieldwardError(f"{coordinate} was written without a grant.")
