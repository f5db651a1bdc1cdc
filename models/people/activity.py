"""What an invented person did: devices, addresses they came from, behavioural events."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any, Final, TypeAlias

from models.ids import fixed_id
from models.people.moments import device_id, milliseconds, moment_before

Raw: TypeAlias = dict[str, Any]

_DEVICES: Final = (
    ("iPhone", "iOS"),
    ("iPhone", "iOS"),
    ("Android phone", "Android"),
    ("Android phone", "Android"),
    ("Windows laptop", "Windows"),
    ("MacBook", "macOS"),
    ("Linux desktop", "Linux"),
    ("iPad", "iPadOS"),
)
_EVENTS: Final = (
    ("page.viewed", ("catalogue/garden", "catalogue/kitchen", "catalogue/books", "account/settings", "help/returns")),
    ("page.viewed", ("catalogue/outdoor", "catalogue/music", "catalogue/office", "news", "help/delivery")),
    ("search.performed", ("lamp", "rain jacket", "notebook", "headphones", "gift")),
    ("item.saved", ("item-1042", "item-2718", "item-3141", "item-1618", "item-5772")),
    ("cart.changed", ("item-1042", "item-2718", "item-3141", "item-1618", "item-5772")),
    ("order.placed", ("order-small", "order-medium", "order-large")),
    ("digest.opened", ("weekly", "daily")),
    ("settings.changed", ("theme", "currency", "digest")),
)


def add_activity(user: Raw, random: Random, region: str, epoch: datetime) -> tuple[list[Raw], list[Raw], list[Raw]]:
    """Set on `user` what follows from use, and return the devices, the address log and the events."""
    alive = (epoch - user["created_at"]).total_seconds() / 86_400
    idle = alive * random.random() ** 3  # most people were here lately
    seen = moment_before(epoch, idle)
    user["last_seen_at"] = seen
    user["login_count"] = 1 + int((alive - idle) * random.random() * 0.4)
    devices = [_device(user, random, region, position) for position in range(1 + int(2.4 * random.random() ** 2))]
    user["device_ids"] = [device["device_id"] for device in devices]
    addresses = _addresses(user, random, region)
    user["last_seen_ip"] = addresses[0]["ip"]
    events = [_event(user, random, region) for _ in range(2 + int(random.random() * 8))]
    return devices, addresses, events


def _some_time_before(user: Raw, random: Random, days: float) -> datetime:
    """A moment in the `days` before the person was last seen, never before they joined."""
    joined: datetime = user["created_at"]
    return max(joined, moment_before(user["last_seen_at"], days * random.random()))


def _device(user: Raw, random: Random, region: str, position: int) -> Raw:
    name, platform = _DEVICES[int(random.random() * len(_DEVICES))]
    last = _some_time_before(user, random, 60) if position else user["last_seen_at"]
    first = min(_some_time_before(user, random, 700), last)
    return {
        "_id": fixed_id("dev", region, milliseconds(first), random.getrandbits(80)),
        "person": user["_id"],
        "device_id": device_id(random),
        "name": name,
        "platform": platform,
        "first_seen_at": first,
        "last_seen_at": last,
    }


def _addresses(user: Raw, random: Random, region: str) -> list[Raw]:
    moments = [_some_time_before(user, random, 30) for _ in range(int(4 * random.random()))]
    return [
        {
            "_id": fixed_id("ipl", region, milliseconds(moment), random.getrandbits(80)),
            "person": user["_id"],
            "ip": _address(random),
            "at": moment,
        }
        for moment in [user["last_seen_at"], *sorted(moments, reverse=True)]
    ]


def _address(random: Random) -> str:
    """An address of the blocks that are kept for documentation (RFC 5737, RFC 3849)."""
    bits = random.getrandbits(32)
    if bits & 3 == 0:
        return f"2001:db8:{(bits >> 16) | 1:x}::{(bits >> 2 & 0xFFF) | 1:x}"
    return f"{('192.0.2', '198.51.100', '203.0.113')[(bits & 3) - 1]}.{(bits >> 8) % 254 + 1}"


def _event(user: Raw, random: Random, region: str) -> Raw:
    kind, subjects = _EVENTS[int(random.random() * len(_EVENTS))]
    moment = _some_time_before(user, random, 120)
    return {
        "_id": fixed_id("evt", region, milliseconds(moment), random.getrandbits(80)),
        "person": user["_id"],
        "kind": kind,
        "subject": subjects[int(random.random() * len(subjects))],
        "at": moment,
    }
