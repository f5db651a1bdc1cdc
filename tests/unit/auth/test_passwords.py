"""Hashing and verifying passwords: formats, rehash, equal work, and the bound on all of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from unicodedata import normalize

import bcrypt
import pytest
from argon2 import PasswordHasher
from argon2.low_level import Type
from pwdlib.hashers.argon2 import Argon2Hasher

from auth.passwords import HashCost, Passwords, is_supported
from models.errors import RateLimited

QUICK = HashCost(memory=1024, passes=1, lanes=1)
PASSWORD = "purple sofa runs the marathon"


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    """Hashing at a cost that suits tests."""
    made = Passwords(QUICK)
    yield made
    made.close()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that argon2 was asked to verify."""
    asked: list[str] = []
    genuine = Argon2Hasher.verify

    def verify(self: Argon2Hasher, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002 - pwdlib's name
        asked.append(str(hash))
        return genuine(self, password, hash)

    monkeypatch.setattr(Argon2Hasher, "verify", verify)
    return asked


def bcrypt_hash(password: bytes, prefix: str = "2b") -> str:
    """What another system would have stored."""
    return bcrypt.hashpw(password, bcrypt.gensalt(4)).decode().replace("$2b$", f"${prefix}$", 1)


async def test_a_password_verifies_against_its_own_hash_only(passwords: Passwords) -> None:
    """The right password holds, another does not."""
    stored = await passwords.hash(PASSWORD)
    assert await passwords.verify(PASSWORD, stored)
    assert not await passwords.verify(PASSWORD + " ", stored)


def test_the_default_cost_is_the_second_recommendation_of_rfc_9106() -> None:
    """64 MiB, three passes, four lanes."""
    assert HashCost() == HashCost(memory=65536, passes=3, lanes=4)


async def test_hashes_are_argon2id_of_the_configured_cost(passwords: Passwords) -> None:
    """The stored form names its algorithm and cost."""
    assert (await passwords.hash(PASSWORD)).startswith("$argon2id$v=19$m=1024,t=1,p=1$")


async def test_a_current_hash_is_left_as_it_is(passwords: Passwords) -> None:
    """Nothing to store after an ordinary sign-in."""
    assert (await passwords.verify(PASSWORD, await passwords.hash(PASSWORD))).replacement is None


@pytest.mark.parametrize("prefix", ["2a", "2b", "2y"])
async def test_an_imported_bcrypt_hash_is_verified_and_replaced(passwords: Passwords, prefix: str) -> None:
    """Rehash on sign-in gives an argon2id hash of the same password."""
    verified = await passwords.verify(PASSWORD, bcrypt_hash(PASSWORD.encode(), prefix))
    assert verified.replacement is not None
    assert verified.replacement.startswith("$argon2id$")
    assert await passwords.verify(PASSWORD, verified.replacement)


async def test_a_wrong_password_is_never_rehashed(passwords: Passwords) -> None:
    """A replacement exists only for the right password."""
    assert (await passwords.verify("wrong", bcrypt_hash(PASSWORD.encode()))).replacement is None


@pytest.mark.parametrize("kind", [Type.I, Type.D, Type.ID])
async def test_other_argon2_hashes_are_verified_and_replaced(passwords: Passwords, kind: Type) -> None:
    """Another variant or cost counts as outdated."""
    imported = PasswordHasher(time_cost=2, memory_cost=512, parallelism=1, type=kind).hash(PASSWORD)
    assert (await passwords.verify(PASSWORD, imported)).replacement is not None


async def test_bcrypt_counts_the_first_72_bytes_as_it_always_did(passwords: Passwords) -> None:
    """People with a long password can sign in after the import; the replacement takes all of it."""
    long = "ü" * 60
    verified = await passwords.verify(long, bcrypt_hash(long.encode()[:72]))
    assert verified.replacement is not None
    assert not await passwords.verify("ü" * 59, verified.replacement)


async def test_a_null_byte_does_not_shorten_a_password(passwords: Passwords) -> None:
    """Neither for argon2id nor for an imported bcrypt hash."""
    assert not await passwords.verify("ab\0cd", await passwords.hash("ab"))
    assert await passwords.verify("ab\0cd", await passwords.hash("ab\0cd"))
    assert not await passwords.verify("ab\0cd", bcrypt_hash(b"ab"))


async def test_equal_texts_are_equal_passwords(passwords: Passwords) -> None:
    """Composed and decomposed spellings are one password (NFKC)."""
    composed = "Ångström über Zürich"
    assert await passwords.verify(normalize("NFD", composed), await passwords.hash(composed))


async def test_an_imported_hash_of_unnormalised_text_holds_and_is_replaced(passwords: Passwords) -> None:
    """Other systems hashed what was typed; afterwards every spelling holds."""
    typed = normalize("NFD", "Ångström über Zürich")
    imported = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(typed)
    verified = await passwords.verify(typed, imported)
    assert verified.replacement is not None
    assert await passwords.verify(normalize("NFC", typed), verified.replacement)


UNUSABLE = [
    None,
    "",
    "not a hash",
    "{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3",
    "pbkdf2_sha256$600000$salt$hash",
    "$argon2id$v=19$m=1024,t=1,p=1$zz$zz",
    "$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHRzb21l$AAAAAAAAAAAAAAAAAAAAAAB",
    "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzb21l$AAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=1024,t=9999,p=1$c29tZXNhbHRzb21l$AAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=8,t=1,p=4$c29tZXNhbHRzb21l$AAAAAAAAAAAAAAAAAAAAAA",
    "$2b$31$" + "a" * 53,
    "$2b$04$short",
    "$2x$04$" + "a" * 53,
    "\ud800",
]


@pytest.mark.parametrize("stored", UNUSABLE)
async def test_no_or_an_unusable_hash_takes_the_work_of_a_real_one(
    passwords: Passwords, work: list[str], stored: str | None
) -> None:
    """One argon2 verification of the configured cost, and never a success."""
    assert not await passwords.verify(PASSWORD, stored)
    assert work == [passwords._nobodys]


@pytest.mark.parametrize(
    ("stored", "more"),
    [
        (bcrypt_hash(PASSWORD.encode()), True),
        (PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD), True),
        (PasswordHasher(time_cost=1, memory_cost=900, parallelism=1).hash(PASSWORD), False),
    ],
    ids=["bcrypt", "argon2", "argon2 of about our cost"],
)
@pytest.mark.parametrize("wrong", ["not the password", "not the \ufb01rst password"], ids=["plain", "two forms"])
async def test_an_imported_hash_that_is_cheap_takes_the_work_of_a_real_one_besides(
    passwords: Passwords, work: list[str], stored: str, wrong: str, *, more: bool
) -> None:
    """Whoever is told no at once would be told that there is such an account."""
    assert not await passwords.verify(wrong, stored)
    forms = len({wrong, normalize("NFKC", wrong)})
    assert work.count(passwords._nobodys) == (forms if more else 0)
    assert await passwords.verify(PASSWORD, stored)


@pytest.mark.parametrize("stored", UNUSABLE)
async def test_an_unusable_hash_shows_in_no_log(
    passwords: Passwords, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, stored: str | None
) -> None:
    """A foreign hash is a credential too."""
    await passwords.verify(PASSWORD, stored)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


async def test_the_work_is_done_in_full_for_nobody(passwords: Passwords) -> None:
    """The stand-in hash is a well-formed one of the configured cost, so that argon2 does not give up at once."""
    verified = await passwords.verify("", None)
    assert not verified
    assert is_supported(passwords._nobodys)
    assert passwords._nobodys.startswith("$argon2id$v=19$m=1024,t=1,p=1$")


@pytest.mark.parametrize("password", ["\ud800", "x" * 1_000_000])
async def test_what_cannot_be_a_password_takes_the_same_work(
    passwords: Passwords, work: list[str], password: str
) -> None:
    """Neither a lone surrogate nor a huge text fails early or loudly."""
    assert not await passwords.verify(password, await passwords.hash(PASSWORD))
    assert len(work) == 1


async def test_too_many_at_once_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """One works, one waits, the third is told to come back; then there is room again."""
    hold = threading.Event()
    monkeypatch.setattr(Argon2Hasher, "verify", lambda *_: hold.wait(10) and False)
    passwords = Passwords(QUICK, memory=1, waiting=1)
    try:
        busy = [asyncio.create_task(passwords.verify(PASSWORD, None)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimited) as refused:
            await passwords.verify(PASSWORD, None)
        assert refused.value.retry_after > 0
        hold.set()
        await asyncio.gather(*busy)
        assert not await passwords.verify(PASSWORD, None)
    finally:
        hold.set()
        passwords.close()


async def test_who_waits_for_too_long_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves the queue; what has begun is finished, however long it takes."""
    hold = threading.Event()
    monkeypatch.setattr(Argon2Hasher, "verify", lambda *_: hold.wait(10) and False)
    passwords = Passwords(QUICK, memory=1, waiting=1, patience=0.01)
    try:
        busy = asyncio.create_task(passwords.verify(PASSWORD, None))
        await asyncio.sleep(0)
        for _ in range(2):
            with pytest.raises(RateLimited):
                await passwords.verify(PASSWORD, None)
        hold.set()
        assert not await busy
    finally:
        hold.set()
        passwords.close()


async def test_a_caller_who_gives_up_leaves_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancelled request does not keep its place."""
    hold = threading.Event()
    monkeypatch.setattr(Argon2Hasher, "verify", lambda *_: hold.wait(10) and False)
    passwords = Passwords(QUICK, memory=1, waiting=1)
    try:
        busy = asyncio.create_task(passwords.verify(PASSWORD, None))
        gone = asyncio.create_task(passwords.verify(PASSWORD, None))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        other = asyncio.create_task(passwords.verify(PASSWORD, None))
        await asyncio.sleep(0)
        hold.set()
        assert not await other
        await busy
    finally:
        hold.set()
        passwords.close()
