"""Where sign-ins come from, and what their devices are called."""

from __future__ import annotations

import pytest

from auth.origin import Origin

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0"
)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Mobile Safari on iOS"),
        (EDGE, "Edge on Windows"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("my-own-job", "my-own-job"),
        ("x" * 500, "x" * 200),
        ("", None),
        (None, None),
    ],
    ids=lambda text: str(text)[:20],
)
def test_a_browser_is_called_by_its_name(agent: str | None, name: str | None) -> None:
    """And a program by what it calls itself, cut to 200 characters."""
    assert Origin(agent=agent).device == name


@pytest.mark.parametrize(
    ("ip", "place"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("testclient", None),
        ("", None),
        (None, None),
    ],
)
def test_a_place_is_a_network(ip: str | None, place: str | None) -> None:
    """Never the address itself."""
    assert Origin(ip=ip).place == place


def test_an_origin_does_not_show() -> None:
    """Addresses and user agents are personal."""
    assert repr(Origin("203.0.113.77", FIREFOX)) == "Origin()"
