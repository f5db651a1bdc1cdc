"""The stored factors of people, and the kinds that their account says they have: changed together or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from auth.factors.passkeys import Credential
from auth.factors.problems import FactorProblem, FactorRefused
from auth.factors.recovery import code_hash, new_codes
from models.database import Database, Raw, Session
from models.factor import FactorDocument
from models.ids import new_id, region_of
from models.user import UserDocument
from models.vocabulary import FactorKind

SECOND_FACTORS: Final = (FactorKind.TOTP, FactorKind.PASSKEY)
"""The kinds that count; recovery codes are only for when one of these is lost."""
_WITH_SHORT_PASSWORD: Final = {"factor_kinds": "", "password_hash": "", "password_short": ""}
NEVER_SHORT: Final = {"password_short": {"$ne": True}}


async def confirmed(database: Database, person: str, *kinds: FactorKind, session: Session | None = None) -> list[Raw]:
    """A person's factors of these kinds that have been shown to work."""
    wanted = {"person": person, "confirmed": True, "kind": {"$in": [kind.value for kind in kinds]}}
    return await database.find(FactorDocument, wanted, session=session)


def credential_of(row: Mapping[str, Any]) -> Credential:
    """The passkey in a stored factor."""
    return Credential(row["credential_id"], row["public_key"], row["sign_count"], tuple(row.get("transports", ())))


def new_factor(person: str, kind: FactorKind, **fields: Any) -> FactorDocument:  # noqa: ANN401 - the document's own fields, which it checks
    """A factor of `person`, not stored yet."""
    return FactorDocument(id=new_id("fac", region_of(person, "usr") or ""), person=person, kind=kind, **fields)


async def changed(
    database: Database,
    person: str,
    change: Callable[[Session | None], Awaitable[None]],
    *,
    ends_short_password: bool = False,
) -> frozenset[FactorKind]:
    """Apply `change` and note on the account which kinds there are then; these.

    NOTE: the account's row is really written, and first. Of two changes at once one begins anew, so that each
    counts what the other has left. Raises `FactorRefused` when the last factor would go and the password is too short
    to be alone, or there is no such account. With `ends_short_password` such a password goes with the factor.
    """

    async def work(session: Session | None) -> frozenset[FactorKind]:
        me = {"_id": person}
        if not await database.update_one(UserDocument, me, {"$inc": {"factor_changes": 1}}, session=session):
            raise FactorRefused(FactorProblem.NOT_FOUND)
        await change(session)
        rows = await confirmed(database, person, *SECOND_FACTORS, session=session)
        kinds = frozenset(FactorKind(row["kind"]) for row in rows)
        if kinds:
            await database.update_one(UserDocument, me, {"$set": {"factor_kinds": sorted(kinds)}}, session=session)
            return kinds
        bare = {**me, **NEVER_SHORT}
        if not await database.update_one(UserDocument, bare, {"$unset": {"factor_kinds": ""}}, session=session):
            if not ends_short_password:
                raise FactorRefused(FactorProblem.PASSWORD_TOO_SHORT)
            gone = {"$unset": _WITH_SHORT_PASSWORD, "$inc": {"password_changes": 1}}
            await database.update_one(UserDocument, me, gone, session=session)
        await database.delete_many(
            FactorDocument, {"person": person, "kind": FactorKind.RECOVERY_CODE.value}, session=session
        )
        return kinds

    return await database.run_in_transaction(work)


async def replace_codes(database: Database, person: str, session: Session | None) -> tuple[str, ...]:
    """New recovery codes in the place of all earlier ones."""
    codes = new_codes()
    await database.delete_many(
        FactorDocument, {"person": person, "kind": FactorKind.RECOVERY_CODE.value}, session=session
    )
    hashes = [code_hash(person, code) for code in codes]
    factor = new_factor(person, FactorKind.RECOVERY_CODE, confirmed=True, code_hashes=hashes)
    await database.insert(factor, session=session)
    return codes
