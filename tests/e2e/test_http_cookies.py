"""Cookie sessions: what a foreign page cannot do, and what an allowed one can."""

from __future__ import annotations

import pytest

from auth.principal import NOBODY
from tests.e2e.small_api import GOOD, WITH_COOKIE, SmallApi, code_of

SHOP = "https://shop.example"


@pytest.fixture
def api() -> SmallApi:
    """An API where everybody holds a cookie session and the shop may use it."""
    return SmallApi(WITH_COOKIE, frozenset({SHOP}))


async def test_json_is_enough_with_post(api: SmallApi) -> None:
    """A browser asks before it sends JSON across origins."""
    await api.assert_still_answers()


async def test_a_get_needs_the_preflight_header(api: SmallApi) -> None:
    """An image's address could be a query."""
    response = await api.get(query="{me{id}}")
    assert (response.status_code, code_of(response)) == (403, "CSRF")
    assert api.engine.asked == []


async def test_a_get_with_the_preflight_header_is_answered(api: SmallApi) -> None:
    """Only a script of an allowed origin can set it."""
    response = await api.get(query="{me{id}}", headers={"graphql-require-preflight": "1"})
    assert response.status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_what_a_form_can_send_is_refused(api: SmallApi, content_type: str) -> None:
    """Whatever its body says."""
    response = await api.post(b'{"query": "{me{id}}"}', content_type=content_type)
    assert response.status_code == 415
    assert api.engine.asked == []


@pytest.mark.parametrize("origin", [SHOP, "https://api.example"])
async def test_known_origins_may_use_the_session(api: SmallApi, origin: str) -> None:
    """One's own and those of the list."""
    assert (await api.post(GOOD, origin=origin)).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://api.example",
        "https://api.example.evil.example",
        "https://[",
        "",
        "https://shop.example:8443",
    ],
)
async def test_foreign_origins_may_not(api: SmallApi, origin: str) -> None:
    """Nor those that only look alike."""
    response = await api.post(GOOD, origin=origin)
    assert (response.status_code, code_of(response)) == (403, "CSRF")
    assert api.engine.asked == []


async def test_the_refresh_cookie_reaches_the_engine(api: SmallApi) -> None:
    """A browser keeps it after the access cookie is gone, and asks for a new one with it."""
    api.identity.who = NOBODY
    await api.post(GOOD, cookie="__Host-fieldward_refresh=secret")
    assert api.engine.asked[0][2].refresh_token == "secret"


async def test_a_cookie_that_a_neighbour_could_have_set_counts_for_nothing(api: SmallApi) -> None:
    """`shop.example` can set cookies for `api.shop.example`, but none with this prefix (RFC 6265bis)."""
    api.identity.who = NOBODY
    await api.post(GOOD, cookie="fieldward_refresh=secret; fieldward_device=known.1.AAAA")
    assert (api.engine.asked[0][2].refresh_token, api.engine.asked[0][2].device_token) == (None, None)


async def test_a_bearer_token_leaves_the_refresh_cookie_alone(api: SmallApi) -> None:
    """One request has one credential."""
    await api.post(GOOD, cookie="__Host-fieldward_refresh=secret", authorization="Bearer token")
    assert api.engine.asked[0][2].refresh_token is None


async def test_foreign_origins_may_not_refresh(api: SmallApi) -> None:
    """The refresh cookie is a cookie session too, also when it is all that is left of it."""
    api.identity.who = NOBODY
    response = await api.post(GOOD, cookie="__Host-fieldward_refresh=secret", origin="https://evil.example")
    assert (response.status_code, code_of(response)) == (403, "CSRF")
    assert api.engine.asked == []


async def test_an_allowed_origin_may_ask_and_read(api: SmallApi) -> None:
    """The preflight names what may be sent."""
    response = await api.client.options(
        "/graphql",
        headers={
            "origin": SHOP,
            "access-control-request-method": "POST",
            "access-control-request-headers": "data-purpose",
        },
    )
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == SHOP
    assert response.headers["access-control-allow-credentials"] == "true"
    read = await api.post(GOOD, origin=SHOP)
    assert read.headers["access-control-allow-origin"] == SHOP
    assert "Origin" in read.headers["vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://shop.example.evil.example"])
async def test_other_origins_may_neither_ask_nor_read(origin: str) -> None:
    """No answer of ours lets their pages see it."""
    api = SmallApi(origins=frozenset({SHOP}))
    preflight = await api.client.options(
        "/graphql", headers={"origin": origin, "access-control-request-method": "POST"}
    )
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in (await api.post(GOOD, origin=origin)).headers
