"""Password hashes from elsewhere: taken over, refused, or too costly to ever verify."""

from __future__ import annotations

import pytest

from models.importing.hashes import password_hash
from models.importing.rejection import Refused, RejectCode

SALT, TAG = "MIIRqgvgQbgj220jfp0MPA", "YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg"
BCRYPT = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0"


def argon2(parameters: str, variant: str = "argon2id", version: str = "$v=19") -> str:
    """An argon2 hash with these parameters."""
    return f"${variant}{version}${parameters}${SALT}${TAG}"


@pytest.mark.parametrize(
    "text",
    [
        argon2("m=65536,t=3,p=4"),
        argon2("m=65536,t=3,p=4", "argon2i"),
        argon2("m=65536,t=3,p=4", "argon2d"),
        argon2("m=65536,t=3,p=4", version=""),
        argon2("m=262144,t=4,p=16"),
        f"$2a$10${BCRYPT}",
        f"$2b$12${BCRYPT}",
        f"$2y$14${BCRYPT}",
    ],
)
def test_a_known_hash_is_taken_as_it_is(text: str) -> None:
    """argon2 in its three variants and bcrypt in its three prefixes pass unchanged."""
    assert password_hash(text) == text


def test_the_prefixes_of_django_are_taken_off() -> None:
    """Django stores its own name in front of the same hashes."""
    assert password_hash("argon2" + argon2("m=102400,t=2,p=8")) == argon2("m=102400,t=2,p=8")
    assert password_hash(f"bcrypt$$2b$12${BCRYPT}") == f"$2b$12${BCRYPT}"


@pytest.mark.parametrize(
    "text",
    [
        argon2("m=4194304,t=1,p=1"),
        argon2("m=262145,t=1,p=1"),
        argon2("m=65536,t=17,p=1"),
        argon2("m=262144,t=5,p=1"),
        argon2("m=65536,t=1,p=17"),
        argon2("m=4294967295,t=4294967295,p=16777215"),
        f"$2b$15${BCRYPT}",
        f"$2b$31${BCRYPT}",
    ],
)
def test_a_hash_that_would_stop_the_service_is_refused(text: str) -> None:
    """Its cost is its own say, so it is bounded before it is stored."""
    with pytest.raises(Refused) as caught:
        password_hash(text)
    assert caught.value.code is RejectCode.HASH_TOO_COSTLY


@pytest.mark.parametrize(
    "text",
    [
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
        "pbkdf2_sha256$870000$salt$hash=",
        "{SSHA}1234567890",
        "$1$salt$hash",
        argon2("m=65536,t=3,p=4", "argon2x"),
        argon2("m=8,t=3,p=4"),
        argon2("m=065536,t=3,p=4"),
        argon2("m=65536,t=3,p=4") + "\n",
        f"$2x$12${BCRYPT}",
        f"$2b$03${BCRYPT}",
        f"$2b$12${BCRYPT}a",
    ],
)
def test_a_hash_of_another_kind_is_refused(text: str) -> None:
    """What cannot be verified is not stored."""
    with pytest.raises(Refused) as caught:
        password_hash(text)
    assert caught.value.code is RejectCode.UNSUPPORTED_HASH


@pytest.mark.parametrize("text", ["hunter2", "correct horse battery staple", "pa$$word", "argon2"])
def test_a_plain_password_is_refused_by_name(text: str) -> None:
    """A password in the clear never gets near the database, and its text not into the error."""
    with pytest.raises(Refused) as caught:
        password_hash(text)
    assert caught.value.code is RejectCode.PLAIN_PASSWORD
    assert text not in str(caught.value)
