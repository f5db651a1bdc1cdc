"""Somebody whose factors were enrolled, used and refused over HTTP, and every secret that was part of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.e2e.authenticator import Authenticator
from tests.e2e.second_factors import (
    BEGIN_PASSKEY,
    BEGIN_STEP_UP,
    COMPLETE,
    CONFIRM_PASSKEY,
    CONFIRM_TOTP,
    ENROL_PASSKEY,
    ENROL_TOTP,
    STEP_UP,
    WITH_PASSKEY,
    App,
    arrive,
    asked,
    codes_of,
)
from tests.e2e.server import Server


def plant_factors(server: Server) -> list[str]:
    """Go through all of it; the secrets that were sent or answered."""
    person, secrets = arrive(server), list[str]()
    made = person.ask(ENROL_TOTP)
    app = App(made["secret"])
    person.confirmed(person.ask(CONFIRM_TOTP, factorId=made["factorId"], code=app.code()))
    secrets += [made["secret"], *person.codes, *(code.replace("-", "") for code in person.codes)]
    device = Authenticator(server.url)
    begun = person.ask(ENROL_PASSKEY)
    answer = device.create(begun["options"])
    secrets += [begun["challenge"], *_parts(begun["options"]), *_parts(answer)]
    person.confirmed(person.ask(CONFIRM_PASSKEY, challenge=begun["challenge"], passkey=answer))
    assert codes_of(person.ask(CONFIRM_PASSKEY, challenge=begun["challenge"], passkey=answer)) == ["CHALLENGE_ENDED"]
    for proof in ({"recoveryCode": person.codes[0]}, {"recoveryCode": "mkrecoverywrongqx"}, {"passkey": answer}):
        challenge = person.challenge()
        asked(server, COMPLETE, challenge=challenge, **proof)
        secrets += [challenge, *proof.values()]
    for document, begin in ((WITH_PASSKEY, asked(server, BEGIN_PASSKEY)), (STEP_UP, person.ask(BEGIN_STEP_UP))):
        options = begin.get("options") or begin["passkeyOptions"]
        given = {"challenge": begin["challenge"], "passkey": device.get(options)}
        ask = person.ask(document, **given) if document == STEP_UP else asked(server, document, **given)
        assert codes_of(ask) == []
        secrets += [begin["challenge"], *_parts(options), *_parts(given["passkey"])]
        wrong = {**given, "passkey": given["passkey"].replace('"id"', '"mkpasskeyqx"')}
        server.post(document, {"input": wrong}, token=person.account.access_token)
    return [*secrets, "mkpasskeyqx"]


def _parts(text: str) -> Iterator[str]:
    """The long values of a JSON text: challenges, ids, signatures."""
    values = [json.loads(text)]
    while values:
        value = values.pop()
        if isinstance(value, dict):
            values += value.values()
        elif isinstance(value, list):
            values += value
        elif isinstance(value, str) and len(value) >= 20:
            yield value
