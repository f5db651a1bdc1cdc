"""A person's account and the personal data held with it."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.base import PersonalDocument, now
from models.fields import Value, labelled
from models.vocabulary import AgeBand, FactorKind, Label, Purpose, Role, UserStatus


class Address(Value):
    """A postal address."""

    street: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Preferences(Value):
    """What a person has set for the product."""

    theme: str = "system"
    currency: str | None = None
    digest: str = "weekly"


class Location(Value):
    """A precise place, in WGS 84 degrees, with its accuracy in metres."""

    latitude: float
    longitude: float
    accuracy: float | None = None
    recorded_at: datetime | None = None


class Consent(Value):
    """The latest word of a person on one purpose that rests on consent."""

    purpose: Purpose
    given: bool
    at: datetime
    notice_version: int


class RoleGrant(Value):
    """A staff role, until when it holds, why and by whom it was given (absent: an operator, by command)."""

    role: Role
    expires_at: datetime | None = None
    reason: str | None = None
    granted_by: str | None = None
    granted_at: datetime | None = None


class UserDocument(PersonalDocument):
    """One person.

    `username_key` and `email_key` are the normalised forms that look-ups and uniqueness use;
    `username_skeleton` is what all names that look like this one have in common.
    Optional values that are absent are not stored.
    """

    PERSON: ClassVar[str] = "_id"

    username: str = labelled(Label.USERNAME)
    username_key: str = labelled(Label.USERNAME)
    username_skeleton: str | None = labelled(Label.USERNAME, default=None)
    email: str | None = labelled(Label.EMAIL, default=None)
    email_key: str | None = labelled(Label.EMAIL, default=None)
    email_verified: bool = labelled(Label.ACCOUNT, default=False)
    phone: str | None = labelled(Label.PHONE, default=None)
    address: Address | None = labelled(Label.ADDRESS, default=None)
    full_name: str | None = labelled(Label.NAME, default=None)
    given_name: str | None = labelled(Label.FIRST_NAME, default=None)
    family_name: str | None = labelled(Label.LAST_NAME, default=None)
    birth_date: date | None = labelled(Label.BIRTH_DATE, default=None)
    age_band: AgeBand | None = labelled(Label.AGE_RANGE, default=None)
    country: str | None = labelled(Label.IMPRECISE_LOCATION, default=None)
    location: Location | None = labelled(Label.PRECISE_LOCATION, default=None)
    locale: str | None = labelled(Label.LANGUAGE, default=None)
    status: UserStatus = labelled(Label.ACCOUNT, default=UserStatus.ACTIVE)
    roles: list[RoleGrant] = labelled(Label.ROLES, default_factory=list)
    created_at: datetime = labelled(Label.ACCOUNT, default_factory=now)
    last_seen_at: datetime | None = labelled(Label.ACCOUNT, default=None)
    login_count: int = labelled(Label.ACCOUNT, default=0)
    preferences: Preferences = labelled(Label.SETTINGS, default_factory=Preferences)
    marketing_opt_in: bool = labelled(Label.PRIVACY_PREFERENCES, default=False)
    consents: list[Consent] = labelled(Label.PRIVACY_PREFERENCES, default_factory=list)
    last_seen_ip: str | None = labelled(Label.IP_ADDRESS, default=None)
    device_ids: list[str] = labelled(Label.DEVICE_ID, default_factory=list)
    password_hash: str | None = labelled(Label.PASSWORD, default=None)
    # Whether the password is one that only counts together with a second factor.
    password_short: bool | None = labelled(Label.PASSWORD, default=None)
    # The kinds of second factors that are confirmed, so that a sign-in needs no second look.
    factor_kinds: list[FactorKind] | None = labelled(Label.CREDENTIALS, default=None)
    # Counts the changes of factors, so that two at the same moment meet at this row.
    factor_changes: int | None = labelled(Label.CREDENTIALS, default=None)
    # From when on a link to a new password may go to the address, where somebody else than the person proposed it.
    reset_from: datetime | None = labelled(Label.CREDENTIALS, default=None)
    import_key: str | None = labelled(Label.ACCOUNT, default=None)

    class Settings:
        name = "users"
        keep_nulls = False
        bson_encoders: ClassVar = {date: date.isoformat}
        indexes: ClassVar = [
            IndexModel([("username_key", ASCENDING)], unique=True, name="username"),
            IndexModel(
                [("username_skeleton", ASCENDING)],
                unique=True,
                name="look_alike",
                partialFilterExpression={"username_skeleton": {"$exists": True}},
            ),
            IndexModel(
                [("email_key", ASCENDING)],
                unique=True,
                name="email",
                partialFilterExpression={"email_key": {"$exists": True}},
            ),
            IndexModel(
                [("import_key", ASCENDING)],
                unique=True,
                name="import_key",
                partialFilterExpression={"import_key": {"$exists": True}},
            ),
            IndexModel([("created_at", DESCENDING), ("_id", ASCENDING)], name="created"),
            IndexModel([("last_seen_at", DESCENDING), ("_id", ASCENDING)], name="last_seen"),
            IndexModel([("login_count", DESCENDING), ("_id", ASCENDING)], name="logins"),
            IndexModel([("country", ASCENDING), ("_id", ASCENDING)], name="country"),
            IndexModel([("locale", ASCENDING), ("_id", ASCENDING)], name="locale"),
            IndexModel([("age_band", ASCENDING), ("_id", ASCENDING)], name="age_band"),
            IndexModel([("status", ASCENDING), ("_id", ASCENDING)], name="status"),
            # Few people have a role: everybody else is not in it.
            IndexModel(
                [("roles.role", ASCENDING), ("_id", ASCENDING)],
                name="roles",
                partialFilterExpression={"roles.role": {"$exists": True}},
            ),
        ]
