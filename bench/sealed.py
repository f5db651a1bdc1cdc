"""What sealed fields cost: pages with none, one, three and eight of them, and pages whose keys are not at hand."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from statistics import median
from typing import Final

import uvloop

from bench.__main__ import start
from bench.answers import compare, data_of
from bench.ground import Figures, Ground
from bench.load import measure
from bench.places import find_places
from bench.report import ratio
from bench.rounds import FULL, Stand, run_rounds
from bench.servers import FIELDWARD, LIMIT, Running, post
from bench.workloads import SEALED, WORKLOADS, bodies_of, http_request

_CONCURRENCY: Final = 32
_PEOPLE: Final = WORKLOADS[1]
_WARMING: Final = 19  # pages that are asked for before anything is timed, and never again


def beside_limit(ground: Ground) -> Figures:
    """Beside the limit, which reads the same fields in the clear; in turn, after their answers were compared."""
    with ExitStack() as stack:
        servers = [start(stack, ground.world, server, ground.core) for server in (FIELDWARD, LIMIT)]
        workloads, places = tuple(SEALED.values()), find_places(ground.world, servers[0])
        stand = Stand(ground.world, places, servers, workloads, (_CONCURRENCY,))
        run_rounds(stand, replace(FULL, seconds=ground.seconds), print, lambda: None)
        return [{"sealed": count, **_figures(stand, workload.name)} for count, workload in SEALED.items()]


def _figures(stand: Stand, workload: str) -> dict[str, float]:
    taken = {it.server.name: stand.results[it.server.name, workload, _CONCURRENCY] for it in stand.servers}
    rates = {name: [it.reading.rate for it in measured] for name, measured in taken.items()}
    work = {name: round(median(it.load.work for it in measured), 3) for name, measured in taken.items()}
    return {
        "requests_per_second": round(median(rates[FIELDWARD.name]), 1),
        "server_cpu_ms": work[FIELDWARD.name],
        "limit_requests_per_second": round(median(rates[LIMIT.name]), 1),
        "limit_server_cpu_ms": work[LIMIT.name],
        "of_limit": ratio(rates[FIELDWARD.name], rates[LIMIT.name]),
    }


def keys_away(ground: Ground) -> Figures:
    """Pages of 100 people of whom nobody's key is at hand, then the same ones again, within the minute keys are kept.

    One after the other, each on a connection of its own, by a Fieldward that has answered such pages of others.
    """
    with ground.fieldward() as server:
        token = ground.world.staff_tokens(_PEOPLE.role, 1)[0]
        document, variables = _PEOPLE.document(declares_nulls=True), [{"after": it} for it in ground.places.cursors]
        bodies = bodies_of(document, _PEOPLE.name, variables)
        others = [http_request(body, token, _PEOPLE.purpose, server.port) for body in bodies[:_WARMING]]
        uvloop.run(measure(server.port, others, 1, ground.seconds))
        away, answers = _asked_once(server, bodies[_WARMING:], token)
        at_hand, again = _asked_once(server, bodies[_WARMING:], token)
    compare("Fieldward, with keys at hand", again, [data_of(answer) for answer in answers])
    return [{"keys": "not at hand", **away}, {"keys": "at hand", **at_hand}]


def _asked_once(server: Running, bodies: list[bytes], token: str) -> tuple[dict[str, float], list[bytes]]:
    """What the answers took, and the answers."""
    took, answers, before = [], [], server.cpu_seconds()
    for body in bodies:
        began = time.perf_counter()
        _, answer = post(server.port, body, token, _PEOPLE.purpose)
        took.append((time.perf_counter() - began) * 1000)
        answers.append(answer.encode())
    work = (server.cpu_seconds() - before) * 1000 / len(bodies)
    return {"pages": len(bodies), "p50_ms": round(median(took), 2), "server_cpu_ms": round(work, 3)}, answers
