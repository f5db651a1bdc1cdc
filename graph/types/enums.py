"""The shared words as GraphQL enums."""

from __future__ import annotations

from enum import Enum
from typing import Final

import strawberry

from models.vocabulary import FactorKind, LawfulBasis, OnDenied, Purpose, ReviewVerdict, Role, RoleChange, UserStatus

_DESCRIPTIONS: Final[dict[type[Enum], str]] = {
    Purpose: "What a request is for. Each request acts for exactly one.",
    OnDenied: "What happens to an operation with a denied field: refused as a whole, or nulls with errors.",
    Role: "Staff roles; none of them reads everything.",
    RoleChange: "What was done with a role.",
    ReviewVerdict: "What a reviewer says of an emergency access.",
    FactorKind: "What proves a person besides their password.",
    UserStatus: "Where an account is in its life.",
    LawfulBasis: "The bases of GDPR article 6(1).",
}


# Declared once, like a type: Strawberry keeps its definition on the class itself.
ENUMS: Final[tuple[type[Enum], ...]] = tuple(
    strawberry.enum(enum, description=text) for enum, text in _DESCRIPTIONS.items()
)
