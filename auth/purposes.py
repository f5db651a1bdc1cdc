"""The registry of purposes: what data is used for, on what basis, and which labels each may touch.

Public: the API returns it and people are shown it. A name says one thing (it has no "and"); the
`use` is a fideslang 3.1 data-use key; retention is in days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from models.vocabulary import Label, LawfulBasis, Purpose

REGISTRY_VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class Exactly:
    """A label without those beneath it: the plain `user.account`, not `user.account.username`."""

    label: Label

    def __str__(self) -> str:
        return f"={self.label}"


Pattern = Label | Exactly


def covered(patterns: Iterable[Pattern]) -> frozenset[Label]:
    """All labels that `patterns` cover; a label covers those beneath it, `Exactly` only its own."""
    return frozenset(
        label
        for pattern in patterns
        for label in Label
        if (label == pattern.label if isinstance(pattern, Exactly) else pattern.covers(label))
    )


LENT: Final = frozenset({Purpose.EMERGENCY})
"""What no token carries by itself, a person's or a service's: `auth.break_glass` lends it for a while."""
FOR_SERVICES: Final = tuple(purpose for purpose in Purpose if purpose not in LENT)

ACCOUNT_ONLY: Final = Exactly(Label.ACCOUNT)
BREAK_GLASS_ONLY: Final = Exactly(Label.BREAK_GLASS)

EVERYTHING: Final[tuple[Pattern, ...]] = (
    Label.UNIQUE_ID,
    Label.ACCOUNT,
    Label.CONTACT,
    Label.NAME,
    Label.BIRTH_DATE,
    Label.AGE_RANGE,
    Label.LANGUAGE,
    Label.LOCATION,
    Label.PRIVACY_PREFERENCES,
    Label.DEVICE,
    Label.BEHAVIOR,
    Label.CONTENT,
)
"""All categories but `user.authorization`, which nobody may read."""


@dataclass(frozen=True, slots=True)
class PurposeSpec:
    """One purpose. `while_restricted`: may still be acted for when the person has restricted
    processing (GDPR article 18(2)); `adults_only`: profiling, advertising and training leave
    minors out; `one_person`: opens one named person at a time, or oneself, and never a list."""

    name: str
    description: str
    use: str
    basis: LawfulBasis
    labels: tuple[Pattern, ...]
    retention_days: int
    recipients: tuple[str, ...]
    refusal: str
    adults_only: bool = False
    while_restricted: bool = False
    one_person: bool = False


PURPOSES: Final[Mapping[Purpose, PurposeSpec]] = MappingProxyType(
    {
        Purpose.ACCOUNT: PurposeSpec(
            name="Running your account",
            description="Signing you in, showing you your data, keeping your account as you set it.",
            use="essential.service",
            basis=LawfulBasis.CONTRACT,
            labels=EVERYTHING,
            retention_days=30,
            recipients=(),
            refusal="Without this there can be no account.",
            while_restricted=True,
        ),
        Purpose.SECURITY: PurposeSpec(
            name="Keeping accounts safe",
            description="Finding misuse of accounts by looking at devices, addresses, sign-ins.",
            use="essential.fraud_detection",
            basis=LawfulBasis.LEGITIMATE_INTERESTS,
            labels=(
                Label.USERNAME,
                Label.NAME,
                Label.CONTACT,
                ACCOUNT_ONLY,
                Label.SETTINGS,
                Label.BREAK_GLASS,
                Label.DEVICE,
                Label.LOCATION,
                Label.BEHAVIOR,
            ),
            retention_days=90,
            recipients=(),
            refusal="You may object; sign-in may then ask for more proof.",
            while_restricted=True,
        ),
        Purpose.SUPPORT: PurposeSpec(
            name="Helping you",
            description="Answering what you ask our support staff.",
            use="essential.service.operations.support",
            basis=LawfulBasis.CONTRACT,
            labels=(
                ACCOUNT_ONLY,
                Label.USERNAME,
                Label.SETTINGS,
                Label.NAME,
                Label.CONTACT,
                Label.IMPRECISE_LOCATION,
                Label.LANGUAGE,
                Label.AGE_RANGE,
                Label.PRIVACY_PREFERENCES,
            ),
            retention_days=365,
            recipients=(),
            refusal="Staff then cannot look at your account when you ask for help.",
        ),
        Purpose.ANALYTICS: PurposeSpec(
            name="Seeing how the product is used",
            description="Counting what groups of people do with the product, without looking at one person.",
            use="functional.service.improve",
            basis=LawfulBasis.LEGITIMATE_INTERESTS,
            labels=(ACCOUNT_ONLY, Label.BEHAVIOR, Label.IMPRECISE_LOCATION, Label.LANGUAGE, Label.AGE_RANGE),
            retention_days=365,
            recipients=(),
            refusal="You may object; nothing changes for you.",
        ),
        Purpose.PERSONALISATION: PurposeSpec(
            name="Adapting the product to you",
            description="Choosing what you see from what you did before.",
            use="personalize.content",
            basis=LawfulBasis.CONSENT,
            labels=(Label.SETTINGS, Label.BEHAVIOR, Label.LANGUAGE, Label.IMPRECISE_LOCATION),
            retention_days=180,
            recipients=(),
            refusal="You see the same as everybody.",
            adults_only=True,
        ),
        Purpose.MARKETING: PurposeSpec(
            name="Sending you offers",
            description="Writing to you about our products by email.",
            use="marketing.communications.email",
            basis=LawfulBasis.CONSENT,
            labels=(
                Label.EMAIL,
                Label.NAME,
                Label.LANGUAGE,
                Label.IMPRECISE_LOCATION,
                Label.PRIVACY_PREFERENCES,
            ),
            retention_days=365,
            recipients=("email delivery provider",),
            refusal="You get no offers.",
            adults_only=True,
        ),
        Purpose.LEGAL: PurposeSpec(
            name="Meeting legal duties",
            description="Answering requests about your rights, courts, supervisory authorities.",
            use="essential.legal_obligation",
            basis=LawfulBasis.LEGAL_OBLIGATION,
            labels=EVERYTHING,
            retention_days=1095,
            recipients=("authorities, where the law demands it",),
            refusal="This cannot be refused.",
            while_restricted=True,
        ),
        Purpose.AI_TRAINING: PurposeSpec(
            name="Training models",
            description="Improving automated features by learning from what people do or write.",
            use="train_ai_system",
            basis=LawfulBasis.CONSENT,
            labels=(Label.BEHAVIOR, Label.CONTENT),
            retention_days=180,
            recipients=(),
            refusal="Nothing changes for you. This is off unless you turn it on.",
            adults_only=True,
        ),
        Purpose.EMERGENCY: PurposeSpec(
            name="Acting in an emergency",
            description=(
                "Reaching you, by name, when harm threatens: one person at a time, for an hour at most, announced, "
                "reviewed by somebody else."
            ),
            use="essential.service.operations",
            basis=LawfulBasis.LEGITIMATE_INTERESTS,
            labels=(Label.USERNAME, Label.NAME, Label.CONTACT, ACCOUNT_ONLY, Label.IMPRECISE_LOCATION),
            retention_days=90,
            recipients=(),
            refusal="This cannot be refused beforehand; you may ask what was done and why.",
            one_person=True,
        ),
    }
)
