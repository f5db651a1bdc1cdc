"""The words every layer shares: labels, purposes, roles, outcomes and reasons.

They live here, below `auth`, so that `models` imports nothing from above.
"""

from __future__ import annotations

from enum import StrEnum


class Label(StrEnum):
    """Data categories, as keys of the fideslang 3.1 taxonomy (https://ethyca.github.io/fideslang)."""

    UNIQUE_ID = "user.unique_id"
    ACCOUNT = "user.account"
    USERNAME = "user.account.username"
    SETTINGS = "user.account.settings"
    ROLES = "user.account.roles"
    BREAK_GLASS = "user.account.break_glass"
    BREAK_GLASS_REVIEW = "user.account.break_glass.review"
    CONTACT = "user.contact"
    EMAIL = "user.contact.email"
    PHONE = "user.contact.phone_number"
    ADDRESS = "user.contact.address"
    NAME = "user.name"
    FIRST_NAME = "user.name.first"
    LAST_NAME = "user.name.last"
    BIRTH_DATE = "user.demographic.date_of_birth"
    AGE_RANGE = "user.demographic.age_range"
    LANGUAGE = "user.demographic.language"
    LOCATION = "user.location"
    IMPRECISE_LOCATION = "user.location.imprecise"
    PRECISE_LOCATION = "user.location.precise"
    PRIVACY_PREFERENCES = "user.privacy_preferences"
    DEVICE = "user.device"
    DEVICE_ID = "user.device.device_id"
    IP_ADDRESS = "user.device.ip_address"
    BEHAVIOR = "user.behavior"
    CONTENT = "user.content"
    AUTHORIZATION = "user.authorization"
    CREDENTIALS = "user.authorization.credentials"
    PASSWORD = "user.authorization.password"  # noqa: S105 - a category, not a secret

    def covers(self, other: Label) -> bool:
        """Whether `other` is this category or lies beneath it."""
        return other == self or other.startswith(f"{self}.")


class Purpose(StrEnum):
    """What a request is for. Each request acts for exactly one."""

    ACCOUNT = "ACCOUNT"
    SECURITY = "SECURITY"
    SUPPORT = "SUPPORT"
    ANALYTICS = "ANALYTICS"
    PERSONALISATION = "PERSONALISATION"
    MARKETING = "MARKETING"
    LEGAL = "LEGAL"
    AI_TRAINING = "AI_TRAINING"
    EMERGENCY = "EMERGENCY"  # by break-glass alone


class LawfulBasis(StrEnum):
    """The bases of GDPR article 6(1)."""

    CONTRACT = "CONTRACT"
    CONSENT = "CONSENT"
    LEGAL_OBLIGATION = "LEGAL_OBLIGATION"
    LEGITIMATE_INTERESTS = "LEGITIMATE_INTERESTS"


class Role(StrEnum):
    """Staff roles. None of them reads everything."""

    SUPPORT = "SUPPORT"
    ANALYST = "ANALYST"
    PRIVACY = "PRIVACY"
    SECURITY = "SECURITY"
    ADMIN = "ADMIN"


class RoleChange(StrEnum):
    """What was done with a role."""

    GRANTED = "GRANTED"
    REVOKED = "REVOKED"


class ReviewVerdict(StrEnum):
    """What a reviewer says of an emergency access."""

    JUSTIFIED = "JUSTIFIED"
    NOT_JUSTIFIED = "NOT_JUSTIFIED"


class Relation(StrEnum):
    """Whose row it is, seen from the caller."""

    SELF = "SELF"
    OTHER = "OTHER"


class Access(StrEnum):
    """What is done to a field."""

    READ = "read"
    WRITE = "write"


class Outcome(StrEnum):
    """What a decision comes to."""

    CLEAR = "CLEAR"
    MASKED = "MASKED"
    DENIED = "DENIED"


class Reason(StrEnum):
    """Why a field was denied."""

    ROLE = "ROLE"
    SCOPE = "SCOPE"
    PURPOSE = "PURPOSE"
    REGION = "REGION"
    CONSENT = "CONSENT"
    AGE = "AGE"
    RESTRICTED = "RESTRICTED"
    STEP_UP = "STEP_UP"


class Wanted(StrEnum):
    """What a person is asked for where access is denied for STEP_UP."""

    PASSWORD = "PASSWORD"  # noqa: S105 - who has no second factor proves themself by the password again
    SECOND_FACTOR = "SECOND_FACTOR"


class FactorKind(StrEnum):
    """What proves a person besides their password."""

    TOTP = "TOTP"  # RFC 6238
    PASSKEY = "PASSKEY"  # W3C Web Authentication, with user verification
    RECOVERY_CODE = "RECOVERY_CODE"


class OnDenied(StrEnum):
    """What a client wants when a field is denied: the whole operation refused, or nulls."""

    REJECT = "REJECT"
    NULL = "NULL"


class UserStatus(StrEnum):
    """Where an account is in its life."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    RESTRICTED = "RESTRICTED"


class AgeBand(StrEnum):
    """Coarse age; the first two are minors."""

    UNDER_13 = "0-12"
    TEEN = "13-17"
    YOUNG_ADULT = "18-24"
    ADULT_25 = "25-34"
    ADULT_35 = "35-44"
    ADULT_45 = "45-54"
    ADULT_55 = "55-64"
    SENIOR = "65+"
