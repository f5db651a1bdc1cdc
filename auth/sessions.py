"""Sign-in sessions of people: a short access token, and a refresh token that each use replaces.

Every token is dated by the moment before the account was read. A change of roles, status or password that
is followed by `Revocations.revoke` therefore also ends the tokens that were being issued meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from auth.issuing import NEEDED, SecondFactorWanted, Session, issue, may_sign_in, united
from auth.names import login_key
from auth.open_sessions import OpenSessions
from auth.origin import Origin, load_names
from auth.passwords import Passwords
from auth.refresh import RefreshToken, new_seed
from auth.revocations import Revocations
from auth.rotation import ABSOLUTE_LIFETIME, IDLE_LIFETIME, Lifetimes, Rotation
from auth.tickets import Ticket
from auth.tokens import Tokens
from models.activity import IpLogDocument
from models.base import now as utc_now
from models.database import Database, Raw
from models.database import Session as Transaction
from models.errors import BadInput, Unauthenticated
from models.ids import new_id, region_of
from models.session import SessionDocument
from models.ticket import TicketKind
from models.user import UserDocument
from models.uses import Use
from models.vocabulary import FactorKind, UserStatus

CHALLENGE_LIFETIME: Final = timedelta(minutes=5)
PASSWORD: Final = frozenset({"pwd"})  # RFC 8176
_NOT_SUSPENDED: Final = {"status": {"$ne": UserStatus.SUSPENDED.value}}
_NOBODY: Final = "nobody"  # no identifier of anybody
_NO_FACTORS: Final[Raw] = {"factor_kinds": {"$in": [None, []]}}

__all__ = ["ABSOLUTE_LIFETIME", "IDLE_LIFETIME", "SecondFactorWanted", "Session", "Sessions"]


class Sessions(OpenSessions):
    """Begins, refreshes and ends sessions. `idle` and `absolute` bound how long one can be refreshed.

    `on_reuse` is told the person whose session has ended because a refresh token came a second time.
    """

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        tokens: Tokens,
        revocations: Revocations,
        *,
        clock: Callable[[], datetime] = utc_now,
        idle: timedelta = IDLE_LIFETIME,
        absolute: timedelta = ABSOLUTE_LIFETIME,
        on_reuse: Callable[[str], None] = lambda _person: None,
    ) -> None:
        super().__init__(database, tokens, revocations, clock)
        self._passwords, self._lifetimes = passwords, Lifetimes(idle, absolute)
        self._rotation = Rotation(database, revocations, self._lifetimes, on_reuse)
        load_names()

    async def sign_in(
        self, login: str, password: str, *, ip: str | None, device: str | None
    ) -> Session | SecondFactorWanted | None:
        """A new session for the person of this user name or email address and password.

        `SecondFactorWanted` when the person has second factors: `complete` goes on from there. None when
        name and password do not belong together or the account is suspended, after the same work as for
        a wrong password. Raises `RateLimited` when too many sign in at once.
        """
        now = self._clock()
        user = await self._find(login)
        stored = await self._hash_of(user)
        verified = await self._passwords.verify(password, stored)
        if not verified or user is None or not may_sign_in(user):
            return None
        # The account is still open and has the password that was verified.
        guard = {"_id": user["_id"], "password_changes": user.get("password_changes"), **_NOT_SUSPENDED}
        replacement = {} if verified.replacement is None else {"password_hash": verified.replacement}
        if user.get("factor_kinds"):
            return await self._challenge(guard, replacement)
        origin = Origin(ip, device)
        now = self._revocations.issuing_time(now, user["_id"])
        # A factor that was enrolled meanwhile is not passed by.
        return await self._open(guard | _NO_FACTORS, _seen(now, ip, replacement), now, origin, PASSWORD)

    async def complete(
        self, challenge: str, *, ip: str | None, device: str | None, methods: Iterable[str]
    ) -> Session | None:
        """The session of a sign-in whose second factor was just shown by `methods` (RFC 8176).

        Works once; None when `challenge` does not hold (any more) or the account is closed.
        """
        ticket = await self._tickets.look_at(TicketKind.SECOND_FACTOR, challenge)
        if ticket is None or ticket.person is None:
            return None
        now = self._revocations.issuing_time(self._clock(), ticket.person)
        guard, proven = {"_id": ticket.person, **_NOT_SUSPENDED}, united(ticket.methods, methods)
        return await self._open(guard, _seen(now, ip, {}), now, Origin(ip, device), proven, challenge)

    async def start(
        self, user: Mapping[str, Any], *, ip: str | None, device: str | None, methods: Iterable[str]
    ) -> Session:
        """A new session for a person who is known to be who they say, for instance by a passkey.

        Of `user` only `_id` counts: roles and status are read anew. `methods` are those of RFC 8176.
        Raises `Unauthenticated` when the account is gone or suspended.
        """
        person = user["_id"]
        now = self._revocations.issuing_time(self._clock(), person)
        guard = {"_id": person, **_NOT_SUSPENDED}
        session = await self._open(guard, _seen(now, ip, {}), now, Origin(ip, device), united(methods))
        if session is None:
            raise Unauthenticated("This account cannot be signed in to.")
        return session

    async def refresh(self, refresh_token: str, *, ip: str | None = None) -> Session | None:
        """A new access token and the next refresh token of a session that holds; else None.

        The token before the newest gives the same successor within the grace. An older one has been
        copied: the session ends, for whoever holds it (RFC 9700, section 4.14.2).
        """
        token = RefreshToken.parse(refresh_token)
        if token is None:
            return None
        holding = {"_id": token.session, "expires_at": {"$gt": self._clock()}}
        row = await self._database.find_one(SessionDocument, holding)
        if row is None:
            return None
        now = self._revocations.issuing_time(self._clock(), row["person"], token.session)
        user = await self._database.find_one(UserDocument, {"_id": row["person"]}, projection=NEEDED)
        if user is None or not may_sign_in(user):
            return None
        rotated = await self._rotation.use(token, row, now, ip)
        if rotated is None:
            return None
        successor, stored = rotated
        return issue(self._tokens, user, stored, now, successor.text())

    async def _find(self, login: str) -> Raw | None:
        try:
            name, key = login_key(login)
        except BadInput:
            return None
        return await self._database.find_one(UserDocument, {name: key}, projection=NEEDED)

    async def _hash_of(self, user: Raw | None) -> str | None:
        """NOTE: for nobody a key is asked for as well, so that the time tells of nobody who is there."""
        row = {"_id": _NOBODY} if user is None else user
        await self._database.opened(Use.PASSWORD, UserDocument, row)
        found: str | None = row.get("password_hash")
        return found

    async def _challenge(self, guard: Mapping[str, Any], replacement: Mapping[str, str]) -> SecondFactorWanted | None:
        """Ask the person whose row fulfils `guard` for a second factor. NOTE: the order is that of `_open`."""
        person = guard["_id"]
        ticket = Ticket(TicketKind.SECOND_FACTOR, person, methods=PASSWORD)
        challenge = await self._tickets.issue(ticket, CHALLENGE_LIFETIME)
        # Setting the id to itself changes nothing: without a new hash this only looks.
        update = {"$set": replacement or {"_id": person}}
        user = await self._database.find_one_and_update(UserDocument, guard, update, projection=NEEDED)
        if user is None:
            await self._tickets.redeem(TicketKind.SECOND_FACTOR, challenge)
            return None
        return SecondFactorWanted(challenge, person, frozenset(map(FactorKind, user.get("factor_kinds") or ())))

    async def _open(
        self,
        guard: Mapping[str, Any],
        seen: Mapping[str, Any],
        now: datetime,
        origin: Origin,
        methods: frozenset[str],
        challenge: str | None = None,
    ) -> Session | None:
        """Store a session for the person whose row fulfils `guard`; None when it does not (any more).

        NOTE: the session comes before the guard, and before its `challenge` is used up. Whoever changes a
        password or suspends an account ends its sessions afterwards: either the guard sees the change, or
        the session is there to be ended.
        """
        token, session, address = await self._store(guard["_id"], now, origin, methods)
        used = challenge is None or await self._tickets.redeem(TicketKind.SECOND_FACTOR, challenge) is not None
        user = None
        if used:
            user = await self._database.find_one_and_update(UserDocument, guard, seen, projection=NEEDED)
        if user is None:
            await self._database.delete_one(SessionDocument, {"_id": session["_id"]})
            if address is not None:
                await self._database.delete_one(IpLogDocument, {"_id": address.id})
            return None
        return issue(self._tokens, user, session, now, token.text())

    async def _store(
        self, person: str, now: datetime, origin: Origin, methods: frozenset[str]
    ) -> tuple[RefreshToken, Raw, IpLogDocument | None]:
        region = region_of(person, "usr") or ""
        token = RefreshToken.first(new_id("ses", region))
        session = SessionDocument(
            id=token.session,
            person=person,
            refresh_hash=token.hash(),
            refresh_seed=new_seed(),
            methods=sorted(methods),
            authenticated_at=now,
            device=origin.device,
            ip=origin.ip,
            place=origin.place,
            created_at=now,
            last_used_at=now,
            expires_at=self._lifetimes.end(now, now),
        )
        address = (
            None if origin.ip is None else IpLogDocument(id=new_id("ipl", region), person=person, ip=origin.ip, at=now)
        )

        async def store(transaction: Transaction | None) -> None:
            await self._database.insert(session, session=transaction)
            if address is not None:
                await self._database.insert(address, session=transaction)

        await self._database.run_in_transaction(store)
        return token, {"_id": session.id, "methods": session.methods, "authenticated_at": now}, address


def _seen(now: datetime, ip: str | None, more: Mapping[str, str]) -> dict[str, dict[str, object]]:
    address = {} if ip is None else {"last_seen_ip": ip}
    return {"$set": {"last_seen_at": now, **address, **more}, "$inc": {"login_count": 1}}
