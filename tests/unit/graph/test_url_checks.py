"""MongoDB addresses in production: TLS, with its checks, as a user; read as the driver reads them."""

from __future__ import annotations

import warnings

import pymongo
import pytest

from graph.url_checks import is_loopback, mongodb_problems

SRV = "mongodb+srv://api:hidden-password@db.example/"
PLAIN = "mongodb://api:hidden-password@db.example/"
TLS = "must use TLS"
CHECKS = "must not switch certificate checks off"
BLANKS = "must separate its options by &, without blanks"
SEVERAL = "gives one option several values"


def problems(url: str) -> list[str]:
    """What is said of the address; nothing of it shows."""
    said = list(mongodb_problems("FIELDWARD_ANY_URL", url))
    assert all(line.startswith("FIELDWARD_ANY_URL ") for line in said)
    assert "hidden-password" not in "".join(said)
    return said


@pytest.mark.parametrize(
    "url",
    [
        SRV,
        f"{SRV}fieldward?retryWrites=true&w=majority",
        f"{SRV}?tls=true&tls=true",
        f"{PLAIN}?tls=true",
        f"{PLAIN}fieldward?replicaSet=rs0&TLS=true&tlsCAFile=/etc/ca.pem",
        f"{PLAIN}?tls=true&tlsInsecure=false&tlsAllowInvalidHostnames=false",
        f"{PLAIN}?tls=true&tlsDisableOCSPEndpointCheck=true",
        f"{PLAIN}?tls=true&readPreferenceTags=dc:ny&readPreferenceTags=",
        "mongodb://a:p%40ss@one.example:27017,two.example:27018/?tls=true",
        "mongodb://db.example/?tls=true&authMechanism=MONGODB-X509",
    ],
)
def test_a_safe_address_is_taken(url: str) -> None:
    """Nothing is said of it."""
    assert problems(url) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (PLAIN, TLS),
        (f"{PLAIN}?tls=false", TLS),
        (f"{PLAIN}?tls=", TLS),
        (f"{PLAIN}?tls=yes", TLS),
        (f"{SRV}?tls=false", TLS),
        (f"{SRV}#?tls=false", TLS),
        (f"{SRV}?tls=fals%65", TLS),
        (f"{PLAIN}?tls=true&tls=false", SEVERAL),
        (f"{SRV}?tls=true&TLS=false", SEVERAL),
        (f"{SRV}?tlsInsecure=false&tlsInsecure=true", SEVERAL),
        (f"{PLAIN}?ssl=true", "must say tls= in the place of ssl="),
        (f"{SRV}?ssl=false", "must say tls= in the place of ssl="),
        (f"{SRV}?tlsInsecure=true", CHECKS),
        (f"{SRV}?TLSINSECURE=true", CHECKS),
        (f"{SRV}?tlsInsecure=tru%65", CHECKS),
        (f"{SRV}?tlsAllowInvalidCertificates=true", CHECKS),
        (f"{SRV}?tlsAllowInvalidHostnames=true", CHECKS),
        (f"{SRV}?appName=x;tlsInsecure=true", BLANKS),
        (f"{SRV}?appName=x tls=false", BLANKS),
        ("mongodb://db.example/?tls=true", "must name a MongoDB user"),
        ("mongodb://db.example/a@b?tls=true", "must name a MongoDB user"),
        ("http://api:hidden-password@db.example/?tls=true", "must begin with mongodb:// or mongodb+srv://"),
        ("MONGODB://api:hidden-password@db.example/?tls=true", "must begin with mongodb:// or mongodb+srv://"),
    ],
)
def test_an_unsafe_address_is_refused(url: str, said: str) -> None:
    """Also where it only looks as if it were safe."""
    assert said in "; ".join(problems(url))


@pytest.mark.parametrize("value", ["True", "TRUE", "1", "yes", "tru"])
def test_what_the_driver_leaves_out_is_no_tls(value: str) -> None:
    """It warns of the value, and connects in clear."""
    with warnings.catch_warnings(action="ignore"):
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(f"{PLAIN}?tls={value}", connect=False)
    with client:
        assert client.options.pool_options._ssl_context is None
    assert TLS in "; ".join(problems(f"{PLAIN}?tls={value}"))


@pytest.mark.parametrize(
    ("host", "only_here"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - looked at, not bound
        ("::", False),
        ("10.0.0.7", False),
        ("localhost.example", False),
    ],
)
def test_what_other_machines_reach(host: str, only_here: bool) -> None:
    """A name may lead anywhere."""
    assert is_loopback(host) is only_here
