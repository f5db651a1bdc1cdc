"""Sign-in sessions of people: a short access token, and a refresh token that is stored only as its hash.

Every token is dated by the moment before the account was read. A change of roles, status or password that
is followed by `Revocations.revoke` therefore also ends the tokens that were being issued meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, Final

from auth.names import login_key
from auth.passwords import Passwords
from auth.principal import Kind, Principal
from auth.revocations import Revocations
from auth.rules import purposes_of_person
from auth.tokens import PERSON_LIFETIME, Claims, Tokens
from models.activity import IpLogDocument
from models.base import now as utc_now
from models.database import Database, Raw
from models.database import Session as Transaction
from models.errors import BadInput, Unauthenticated
from models.ids import new_id, region_of
from models.session import SessionDocument
from models.user import UserDocument
from models.vocabulary import Role, UserStatus

IDLE_LIFETIME: Final = timedelta(days=7)
ABSOLUTE_LIFETIME: Final = timedelta(days=30)  # NIST SP 800-63B-4, section 2.1.3
PASSWORD: Final = frozenset({"pwd"})  # RFC 8176
_NEEDED: Final = {"status": 1, "roles": 1, "password_hash": 1}
_DEVICE_LENGTH: Final = 200
_MAX_TOKEN_LENGTH: Final = 256


@dataclass(frozen=True, slots=True)
class Session:
    """What a person holds after signing in; `expires_in` seconds is the life of the access token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    person: str
    principal: Principal


class Sessions:
    """Begins, refreshes and ends sessions. `idle` and `absolute` bound how long one can be refreshed."""

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
    ) -> None:
        self._database, self._passwords = database, passwords
        self._tokens, self._revocations = tokens, revocations
        self._clock, self._idle, self._absolute = clock, idle, absolute

    async def sign_in(self, login: str, password: str, *, ip: str | None, device: str | None) -> Session | None:
        """A new session for the person of this user name or email address and password.

        None when they do not belong together or the account is suspended, after the same work as for a
        wrong password. Raises `RateLimited` when too many sign in at once.
        """
        now = self._clock()
        user = await self._find(login)
        stored = user.get("password_hash") if user else None
        verified = await self._passwords.verify(password, stored)
        if not verified or user is None or not _may_sign_in(user):
            return None
        # The account is still open and has the password that was verified.
        guard = {"_id": user["_id"], "password_hash": stored, "status": {"$ne": UserStatus.SUSPENDED.value}}
        replacement = {} if verified.replacement is None else {"password_hash": verified.replacement}
        return await self._open(guard, _seen(now, ip, replacement), now, ip, device, PASSWORD)

    async def start(
        self, user: Mapping[str, Any], *, ip: str | None, device: str | None, methods: Iterable[str]
    ) -> Session:
        """A new session for a person who is known to be who they say, for instance just registered.

        Of `user` only `_id` counts: roles and status are read anew. `methods` are those of RFC 8176.
        Raises `Unauthenticated` when the account is gone or suspended.
        """
        person = user["_id"]
        now = self._revocations.issuing_time(self._clock(), person)
        guard = {"_id": person, "status": {"$ne": UserStatus.SUSPENDED.value}}
        session = await self._open(guard, _seen(now, ip, {}), now, ip, device, frozenset(methods))
        if session is None:
            raise Unauthenticated("This account cannot be signed in to.")
        return session

    async def refresh(self, refresh_token: str, *, ip: str | None = None) -> Session | None:
        """A new access token for a session that is neither ended, idle for too long nor too old; else None."""
        now = self._clock()
        mine = {"refresh_hash": _hash(refresh_token), "expires_at": {"$gt": now}}
        row = await self._database.find_one(SessionDocument, mine)
        if row is None:
            return None
        user = await self._database.find_one(UserDocument, {"_id": row["person"]}, projection=_NEEDED)
        if user is None or not _may_sign_in(user):
            return None
        used = {"last_used_at": now, "expires_at": self._expiry(row["created_at"], now)}
        seen = used if ip is None else {**used, "ip": ip}
        if not await self._database.update_one(SessionDocument, {"_id": row["_id"], **mine}, {"$set": seen}):
            return None  # ended meanwhile
        return self._issue(user, now, row["_id"], refresh_token, row["created_at"], PASSWORD)

    async def sign_out(self, principal: Principal, *, everywhere: bool) -> int:
        """End this session, or all of the person's; how many ended. Their access tokens end too."""
        person, session = principal.person, principal.session
        if person is None or (session is None and not everywhere):
            return 0
        if everywhere or session is None:
            return await self.end_all(person)
        ended = await self._database.delete_one(SessionDocument, {"_id": session, "person": person})
        await self._revocations.revoke(session)
        return ended

    async def end_all(self, person: str) -> int:
        """End every session of a person, for instance after a new password or a suspension; how many ended."""
        ended = await self._database.delete_many(SessionDocument, {"person": person})
        await self._revocations.revoke(person)
        return ended

    async def _find(self, login: str) -> Raw | None:
        try:
            name, key = login_key(login)
        except BadInput:
            return None
        return await self._database.find_one(UserDocument, {name: key}, projection=_NEEDED)

    async def _open(
        self,
        guard: Mapping[str, Any],
        seen: Mapping[str, Any],
        now: datetime,
        ip: str | None,
        device: str | None,
        methods: frozenset[str],
    ) -> Session | None:
        """Store a session for the person whose row fulfils `guard`; None when it does not (any more).

        NOTE: the session comes before the guard. Whoever changes a password or suspends an account ends its
        sessions afterwards: either the guard sees the change, or the session is there to be ended.
        """
        person, token = guard["_id"], token_urlsafe(32)
        session = await self._store(person, token, now, ip, device)
        user = await self._database.find_one_and_update(UserDocument, guard, seen, projection=_NEEDED)
        if user is None:
            await self._database.delete_one(SessionDocument, {"_id": session})
            return None
        return self._issue(user, now, session, token, now, methods)

    async def _store(self, person: str, token: str, now: datetime, ip: str | None, device: str | None) -> str:
        region = region_of(person, "usr") or ""
        session = SessionDocument(
            id=new_id("ses", region),
            person=person,
            refresh_hash=_hash(token),
            device=device and device[:_DEVICE_LENGTH],
            ip=ip,
            created_at=now,
            last_used_at=now,
            expires_at=self._expiry(now, now),
        )
        address = None if ip is None else IpLogDocument(id=new_id("ipl", region), person=person, ip=ip, at=now)

        async def store(transaction: Transaction | None) -> None:
            await self._database.insert(session, session=transaction)
            if address is not None:
                await self._database.insert(address, session=transaction)

        await self._database.run_in_transaction(store)
        return session.id

    def _issue(
        self,
        user: Mapping[str, Any],
        now: datetime,
        session: str,
        refresh_token: str,
        authenticated_at: datetime,
        methods: frozenset[str],
    ) -> Session:
        person = user["_id"]
        roles, until = _roles(user, now)
        claims = Claims(
            subject=person,
            kind=Kind.PERSON,
            issued_at=now,
            expires_at=until,
            session=session,
            roles=roles,
            purposes=purposes_of_person(roles),
            region=region_of(person, "usr") or "",
            methods=methods,
            authenticated_at=authenticated_at,
        )
        seconds = int((until - now).total_seconds())
        return Session(self._tokens.issue(claims), refresh_token, seconds, person, claims.principal())

    def _expiry(self, created_at: datetime, now: datetime) -> datetime:
        return min(now + self._idle, created_at + self._absolute)


def _may_sign_in(user: Mapping[str, Any]) -> bool:
    return user.get("status") != UserStatus.SUSPENDED


def _roles(user: Mapping[str, Any], now: datetime) -> tuple[frozenset[Role], datetime]:
    """The roles that hold now, and until when a token may say so: none outlives its grant."""
    grants = user.get("roles", ())
    holding = [each for each in grants if each.get("expires_at") is None or each["expires_at"] > now]
    ends = [each["expires_at"] for each in holding if each.get("expires_at")]
    return frozenset(Role(each["role"]) for each in holding), min([now + PERSON_LIFETIME, *ends])


def _seen(now: datetime, ip: str | None, more: Mapping[str, str]) -> dict[str, dict[str, object]]:
    address = {} if ip is None else {"last_seen_ip": ip}
    return {"$set": {"last_seen_at": now, **address, **more}, "$inc": {"login_count": 1}}


def _hash(token: str) -> bytes:
    """SHA-256 is enough for 256 random bits; a text that cannot be one of ours hashes to what none has."""
    return sha256(token[:_MAX_TOKEN_LENGTH].encode("utf-8", "surrogatepass")).digest()
