"""Proves people by their second factors: what they are asked for, and whether the answer holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

from auth.factors.passkeys import Claimed, RelyingParty, claimed, handle_of, proven, request_options
from auth.factors.recovery import code_hash
from auth.factors.store import SECOND_FACTORS, confirmed, credential_of
from auth.factors.totp import step_of
from models.base import now as utc_now
from models.database import Database, Raw
from models.factor import FactorDocument
from models.uses import Use
from models.vocabulary import FactorKind

ONE_TIME: Final = frozenset({"otp"})  # RFC 8176
PASSKEY: Final = frozenset({"hwk", "user"})  # a key the person holds, and their presence verified


@dataclass(frozen=True, slots=True)
class Proof:
    """What a person shows: one of these. `challenge` is the secret that a passkey's challenge was made from."""

    code: str | None = field(default=None, repr=False)
    recovery_code: str | None = field(default=None, repr=False)
    passkey: str | None = field(default=None, repr=False)
    challenge: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Proven:
    """Who was proven, by which kind of factor and so by which methods (RFC 8176)."""

    person: str
    kind: FactorKind
    methods: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """The kinds a person can answer with, and the options for their passkeys if there are any."""

    kinds: tuple[FactorKind, ...]
    passkey_options: str | None = field(default=None, repr=False)


class Factors:
    """The second factors in `database`, of people who sign in at `party`."""

    def __init__(self, database: Database, party: RelyingParty, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._database, self._party, self._clock = database, party, clock

    async def ask(self, person: str, challenge: str) -> Asked:
        """What `person` can answer a ticket with, whose secret is `challenge`; no kinds: they have no factor."""
        rows = await confirmed(self._database, person, *SECOND_FACTORS)
        kinds = sorted({FactorKind(row["kind"]) for row in rows})
        if not kinds:
            return Asked(())
        known = [credential_of(row) for row in rows if row["kind"] == FactorKind.PASSKEY]
        options = request_options(self._party, passkey_challenge(challenge), known) if known else None
        return Asked((*kinds, FactorKind.RECOVERY_CODE), options)

    def ask_anybody(self, challenge: str) -> str:
        """Options for whichever passkey the browser finds: to sign in without a name."""
        return request_options(self._party, passkey_challenge(challenge))

    async def prove(self, person: str, proof: Proof) -> Proven | None:
        """Whether `proof` proves `person`; then it is used up. None tells nothing of why."""
        if proof.code is not None:
            ok = await self._by_code(person, proof.code)
            return Proven(person, FactorKind.TOTP, ONE_TIME) if ok else None
        if proof.recovery_code is not None:
            ok = await self._by_recovery_code(person, proof.recovery_code)
            return Proven(person, FactorKind.RECOVERY_CODE, ONE_TIME) if ok else None
        answer = claimed(proof.passkey or "")
        if answer is None or not _is_handle(answer, person, needed=False):
            return None
        return await self._by_passkey(answer, proof, {"person": person})

    async def whose(self, proof: Proof) -> Proven | None:
        """Whom a passkey proves by itself; None when it is unknown or does not hold, without telling which."""
        answer = claimed(proof.passkey or "")
        found = None if answer is None else await self._by_passkey(answer, proof, {})
        if answer is None or found is None or not _is_handle(answer, found.person, needed=True):
            return None
        return found

    async def _by_code(self, person: str, code: str) -> bool:
        """NOTE: of two who show one code, the update lets one through: it asks for an earlier step."""
        now = self._clock()
        rows = await confirmed(self._database, person, FactorKind.TOTP)
        if not await self._database.opened(Use.SECOND_FACTOR, FactorDocument, *rows):
            return False
        for row in rows:
            step = step_of(row["secret"], code, now, after=row.get("last_step"))
            if step is None:
                continue
            unused = {"_id": row["_id"], "confirmed": True, "last_step": {"$not": {"$gte": step}}}
            used = {"$set": {"last_step": step, "last_used_at": now}}
            if await self._database.update_one(FactorDocument, unused, used):
                return True
        return False

    async def _by_recovery_code(self, person: str, code: str) -> bool:
        """NOTE: the update finds the code and takes it out in one, so it works once."""
        hashed = code_hash(person, code)
        unused = {"person": person, "kind": FactorKind.RECOVERY_CODE.value, "confirmed": True, "code_hashes": hashed}
        used = {"$pull": {"code_hashes": hashed}, "$set": {"last_used_at": self._clock()}}
        return bool(await self._database.update_one(FactorDocument, unused, used))

    async def _by_passkey(self, answer: Claimed, proof: Proof, owner: dict[str, str]) -> Proven | None:
        known = {"credential_id": answer.credential, "kind": FactorKind.PASSKEY.value, "confirmed": True, **owner}
        row = await self._database.find_one(FactorDocument, known)
        if row is None or proof.challenge is None:
            return None
        count = proven(self._party, passkey_challenge(proof.challenge), proof.passkey or "", credential_of(row))
        if count is None or not await self._count(row, count):
            return None
        return Proven(row["person"], FactorKind.PASSKEY, PASSKEY)

    async def _count(self, row: Raw, count: int) -> bool:
        """Store a signature counter in the place of the one that it was compared with."""
        compared = {"_id": row["_id"], "sign_count": row["sign_count"]}
        used = {"$set": {"sign_count": count, "last_used_at": self._clock()}}
        return bool(await self._database.update_one(FactorDocument, compared, used))


def passkey_challenge(secret: str) -> bytes:
    """What a passkey signs for the ticket of this secret: as hard to guess, used up with it, and not stored."""
    return sha256(f"passkey challenge of {secret}".encode("utf-8", "surrogatepass")).digest()


def _is_handle(answer: Claimed, person: str, *, needed: bool) -> bool:
    """Whether the authenticator speaks of this person; a discoverable key always says whose it is."""
    return not needed if answer.handle is None else answer.handle == handle_of(person)
