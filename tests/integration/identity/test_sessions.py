"""Signing in, and how long it lasts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import bcrypt
import pytest

from auth.principal import Kind
from auth.refresh import RefreshToken
from auth.sessions import ABSOLUTE_LIFETIME, IDLE_LIFETIME, Session
from models.activity import IpLogDocument
from models.errors import Unauthenticated
from models.session import SessionDocument
from models.user import RoleGrant, UserDocument
from models.vocabulary import Purpose, Role, UserStatus
from tests.integration.identity.workers import PASSWORD, Clock, Person, Worker
from tests.stores import clear, clear_row

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.org", "Alice@Example.ORG"])
async def test_a_person_signs_in_by_user_name_or_address(worker: Worker, person: Person, login: str) -> None:
    """In whatever case; the token is theirs."""
    alice = await person(email="alice@example.org")
    session = await worker.sign_in(login)
    caller = await worker.whose(session.access_token)
    assert (caller, caller.id, caller.shape.kind, caller.shape.region) == (session.principal, alice, Kind.PERSON, "eu")
    assert (caller.methods, session.expires_in) == (frozenset({"pwd"}), 300)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("alice", "wrong"),
        ("alice", ""),
        ("nobody", PASSWORD),
        ("alice@example.org", PASSWORD),
        ("", PASSWORD),
        ("ali\0ce", PASSWORD),
        ("{'$gt': ''}", PASSWORD),
        ("\ud800", "\ud800"),
        ("x" * 100_000, "x" * 100_000),
    ],
    ids=lambda text: ascii(text)[:20],
)
async def test_wrong_credentials_give_nothing(worker: Worker, person: Person, login: str, password: str) -> None:
    """And leave no trace on the account."""
    await person()
    assert await worker.sessions.sign_in(login, password, ip="203.0.113.7", device=None) is None
    assert await worker.database.count(SessionDocument, {}) == 0
    assert await worker.database.count(UserDocument, {"login_count": 0}) == 1


@pytest.mark.parametrize("stored", [None, "md5:5f4dcc3b5aa765d61d8327deb882cf99"])
async def test_a_person_without_a_usable_password_cannot_sign_in(
    worker: Worker, person: Person, stored: str | None
) -> None:
    """No password hash, or one that cannot be verified, fits no password."""
    alice = await person(password=None)
    if stored:
        await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"password_hash": stored}})
    for password in ("", "None", PASSWORD):
        assert await worker.sessions.sign_in("alice", password, ip=None, device=None) is None


async def test_a_suspended_person_cannot_sign_in_or_go_on(worker: Worker, person: Person) -> None:
    """Neither by password nor by refresh token."""
    alice = await person()
    session = await worker.sign_in()
    await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"status": UserStatus.SUSPENDED.value}})
    assert await worker.sessions.sign_in("alice", PASSWORD, ip=None, device=None) is None
    assert await worker.sessions.refresh(session.refresh_token) is None


async def test_signing_in_is_recorded(worker: Worker, person: Person) -> None:
    """When, from where, how often; and the address goes into the log."""
    alice = await person()
    await worker.sign_in()
    session = await worker.sign_in()
    row = await clear_row(worker.database, UserDocument, {"_id": alice})
    log = await worker.database.find(IpLogDocument, {"person": alice})
    await clear(worker.database, IpLogDocument, *log)
    assert (row["login_count"], row["last_seen_ip"]) == (2, "203.0.113.7")
    assert row["last_seen_at"] == session.principal.authenticated_at == max(each["at"] for each in log)
    assert [each["ip"] for each in log] == ["203.0.113.7"] * 2


async def test_many_sign_ins_of_one_person_at_once_all_succeed(worker: Worker, person: Person) -> None:
    """They share one account row, and none is lost or refused."""
    alice = await person()
    await asyncio.gather(*(worker.sign_in() for _ in range(12)))
    row = await worker.database.find_one(UserDocument, {"_id": alice})
    assert row is not None
    assert row["login_count"] == await worker.database.count(SessionDocument, {"person": alice}) == 12


async def test_an_imported_hash_is_replaced_at_sign_in(worker: Worker, person: Person) -> None:
    """The new one is argon2id, and the password goes on working."""
    alice = await person(password=None)
    imported = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    await worker.database.update_one(UserDocument, {"_id": alice}, {"$set": {"password_hash": imported}})
    await worker.sign_in()
    row = await clear_row(worker.database, UserDocument, {"_id": alice})
    assert row["password_hash"].startswith("$argon2id$")
    await worker.sign_in()


async def change_password(worker: Worker, person: str) -> None:
    """As whatever stores a new one does: hashes that are sealed cannot be compared, changes are counted."""
    change = {"$set": {"password_hash": "new"}, "$inc": {"password_changes": 1}}
    assert await worker.database.update_one(UserDocument, {"_id": person}, change)


async def test_a_password_changed_during_sign_in_wins(
    worker: Worker, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one, verified a moment ago, opens no session and does not overwrite the new hash."""
    alice = await person()
    genuine = worker.passwords.verify

    async def slow(password: str, stored: str | None) -> object:
        verified = await genuine(password, stored)
        await change_password(worker, alice)
        return replace(verified, replacement="old, rehashed")

    monkeypatch.setattr(worker.passwords, "verify", slow)
    assert await worker.sessions.sign_in("alice", PASSWORD, ip=None, device=None) is None
    assert (await clear_row(worker.database, UserDocument, {"_id": alice}))["password_hash"] == "new"
    assert await worker.database.count(SessionDocument, {}) == 0


async def test_a_password_changed_at_the_last_moment_leaves_no_session(
    worker: Worker, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change ends all sessions; one that was just being stored does not outlive it."""
    alice = await person()
    genuine = worker.sessions._store

    async def store(*arguments: Any) -> object:  # noqa: ANN401 - passes on whatever came
        await change_password(worker, alice)
        await worker.sessions.end_all(alice)
        return await genuine(*arguments)

    monkeypatch.setattr(worker.sessions, "_store", store)
    assert await worker.sessions.sign_in("alice", PASSWORD, ip=None, device=None) is None
    assert await worker.database.count(SessionDocument, {}) == 0


async def test_no_session_starts_for_an_account_that_is_closed(worker: Worker, person: Person) -> None:
    """Suspended, or gone."""
    alice = await person(status=UserStatus.SUSPENDED)
    for each in (alice, "usr_eu_unknown"):
        with pytest.raises(Unauthenticated):
            await worker.sessions.start({"_id": each}, ip=None, device=None, methods=["pwd"])
    assert await worker.database.count(SessionDocument, {}) == 0


async def test_no_token_is_stored(worker: Worker, person: Person) -> None:
    """Only the hash of the refresh token's secret, and nothing of the access token; nor do they show in a repr."""
    await person()
    session = await worker.sign_in()
    token = RefreshToken.parse(session.refresh_token)
    assert token is not None
    stored = repr(await worker.database.find(SessionDocument, {}))
    for secret in (session.refresh_token.rpartition(".")[2], repr(token.secret), session.access_token):
        assert secret not in stored
        assert secret not in repr(session)
    assert repr(token.secret) not in repr(token)
    assert repr(sha256(token.secret).digest()) in stored


async def test_staff_get_the_purposes_of_the_roles_that_hold(worker: Worker, person: Person, clock: Clock) -> None:
    """A role that has run out gives nothing, and no token outlives the role it names."""
    soon = clock() + MINUTE
    roles = [
        RoleGrant(role=Role.SUPPORT),
        RoleGrant(role=Role.SECURITY, expires_at=soon),
        RoleGrant(role=Role.ADMIN, expires_at=clock() - MINUTE),
    ]
    await person(roles=roles)
    session = await worker.sign_in()
    assert session.principal.shape.roles == {Role.SUPPORT, Role.SECURITY}
    assert session.principal.purposes == {Purpose.ACCOUNT, Purpose.SUPPORT, Purpose.SECURITY}
    assert session.expires_in <= 60
    clock.ahead = 2 * MINUTE
    refreshed = await worker.sessions.refresh(session.refresh_token)
    assert refreshed is not None
    assert refreshed.principal.shape.roles == {Role.SUPPORT}
    assert not (await worker.whose(session.access_token)).authenticated


async def test_a_session_started_right_after_a_revocation_holds(
    worker: Worker, person: Person, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even within the same millisecond, as after a change of password."""
    alice = await person()
    frozen = clock()
    monkeypatch.setattr(type(clock), "__call__", lambda _: frozen)
    await worker.revocations.revoke(alice)
    user = await worker.database.find_one(UserDocument, {"_id": alice})
    assert user is not None
    session = await worker.sessions.start(user, ip=None, device=None, methods=["pwd"])
    assert (await worker.whose(session.access_token)).authenticated


async def test_a_session_ends_when_it_is_idle_for_too_long(worker: Worker, person: Person, clock: Clock) -> None:
    """Use within the time keeps it alive."""
    await person()
    session: Session | None = await worker.sign_in()
    for _ in range(2):
        clock.ahead += IDLE_LIFETIME - MINUTE
        assert session is not None
        session = await worker.sessions.refresh(session.refresh_token)
    assert session is not None
    clock.ahead += IDLE_LIFETIME + MINUTE
    assert await worker.sessions.refresh(session.refresh_token) is None


async def test_a_session_ends_however_much_it_is_used(worker: Worker, person: Person, clock: Clock) -> None:
    """After its absolute lifetime one signs in anew."""
    await person()
    session: Session | None = await worker.sign_in()
    while clock.ahead + IDLE_LIFETIME - MINUTE < ABSOLUTE_LIFETIME:
        clock.ahead += IDLE_LIFETIME - MINUTE
        assert session is not None
        session = await worker.sessions.refresh(session.refresh_token)
    assert session is not None
    clock.ahead = ABSOLUTE_LIFETIME + MINUTE
    assert await worker.sessions.refresh(session.refresh_token) is None


async def test_a_deleted_person_is_signed_out(worker: Worker, person: Person) -> None:
    """A session without its person gives no token."""
    alice = await person()
    session = await worker.sign_in()
    await worker.database.delete_one(UserDocument, {"_id": alice})
    assert await worker.sessions.refresh(session.refresh_token) is None
