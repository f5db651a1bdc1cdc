"""A person's account and the personal data held with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import ClassVar

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.base import COMPARED, KEYED_CODES, PersonalDocument, now
from models.encrypted import Encrypted
from models.fields import Value, labelled
from models.names import as_stored, email_key
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


class Code(Value):
    """One code of a blind index (`models.crypto.blind_index`): the pepper's version, and the 32 bytes."""

    v: int
    mac: bytes


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

    `username_key` is the normalised form that look-ups and uniqueness use, `username_skeleton` what all names that
    look like this one have in common. People are found by sealed fields through the codes in `email_index` and
    `phone_index`, which the database makes. Optional values that are absent are not stored.
    """

    PERSON: ClassVar[str] = "_id"
    LOOKED_UP: ClassVar[Mapping[str, Callable[[str], str]]] = {
        "email": email_key,
        "phone": as_stored,
        "import_key": as_stored,
    }

    username: str = labelled(Label.USERNAME)
    username_key: str = labelled(Label.USERNAME)
    username_skeleton: str | None = labelled(Label.USERNAME, default=None)
    email: Encrypted[str] | None = labelled(Label.EMAIL, default=None)
    email_index: list[Code] | None = labelled(Label.EMAIL, clear=KEYED_CODES, default=None)
    email_verified: bool = labelled(Label.ACCOUNT, default=False)
    phone: Encrypted[str] | None = labelled(Label.PHONE, default=None)
    phone_index: list[Code] | None = labelled(Label.PHONE, clear=KEYED_CODES, default=None)
    address: Encrypted[Address] | None = labelled(Label.ADDRESS, default=None)
    full_name: Encrypted[str] | None = labelled(Label.NAME, default=None)
    given_name: Encrypted[str] | None = labelled(Label.FIRST_NAME, default=None)
    family_name: Encrypted[str] | None = labelled(Label.LAST_NAME, default=None)
    birth_date: Encrypted[date] | None = labelled(Label.BIRTH_DATE, default=None)
    age_band: AgeBand | None = labelled(Label.AGE_RANGE, default=None)
    country: str | None = labelled(Label.IMPRECISE_LOCATION, default=None)
    location: Encrypted[Location] | None = labelled(Label.PRECISE_LOCATION, default=None)
    locale: str | None = labelled(Label.LANGUAGE, default=None)
    status: UserStatus = labelled(Label.ACCOUNT, default=UserStatus.ACTIVE)
    roles: list[RoleGrant] = labelled(Label.ROLES, default_factory=list)
    created_at: datetime = labelled(Label.ACCOUNT, default_factory=now)
    last_seen_at: datetime | None = labelled(Label.ACCOUNT, default=None)
    login_count: int = labelled(Label.ACCOUNT, default=0)
    preferences: Preferences = labelled(Label.SETTINGS, default_factory=Preferences)
    marketing_opt_in: bool = labelled(Label.PRIVACY_PREFERENCES, default=False)
    consents: list[Consent] = labelled(Label.PRIVACY_PREFERENCES, default_factory=list)
    last_seen_ip: Encrypted[str] | None = labelled(Label.IP_ADDRESS, default=None)
    device_ids: Encrypted[list[str]] | None = labelled(Label.DEVICE_ID, default=None)
    password_hash: Encrypted[str] | None = labelled(Label.PASSWORD, default=None)
    # Whether the password is one that only counts together with a second factor.
    password_short: bool | None = labelled(Label.PASSWORD, clear=COMPARED, default=None)
    # Counts the changes of the password, so that what was proven by an earlier one changes nothing.
    password_changes: int | None = labelled(Label.CREDENTIALS, default=None)
    # The kinds of second factors that are confirmed, so that a sign-in needs no second look.
    factor_kinds: list[FactorKind] | None = labelled(Label.CREDENTIALS, default=None)
    # Counts the changes of factors, so that two at the same moment meet at this row.
    factor_changes: int | None = labelled(Label.CREDENTIALS, default=None)
    # From when on a link to a new password may go to the address, where somebody else than the person proposed it.
    reset_from: datetime | None = labelled(Label.CREDENTIALS, default=None)
    # What makes the person the same in every imported file. It may come from outside, so it is sealed.
    import_key: Encrypted[str] | None = labelled(Label.ACCOUNT, default=None)
    import_key_index: list[Code] | None = labelled(Label.ACCOUNT, default=None)

    class Settings:
        name = "users"
        keep_nulls = False
        # Indexes of these names were over values in the clear before.
        superseded: ClassVar = {"email": "email_key", "import_key": "import_key"}
        indexes: ClassVar = [
            IndexModel([("username_key", ASCENDING)], unique=True, name="username"),
            IndexModel(
                [("username_skeleton", ASCENDING)],
                unique=True,
                name="look_alike",
                partialFilterExpression={"username_skeleton": {"$exists": True}},
            ),
            IndexModel(
                [("email_index.mac", ASCENDING)],
                unique=True,
                name="email",
                partialFilterExpression={"email_index.mac": {"$exists": True}},
            ),
            IndexModel(
                [("phone_index.mac", ASCENDING)],
                name="phone",
                partialFilterExpression={"phone_index.mac": {"$exists": True}},
            ),
            IndexModel(
                [("import_key_index.mac", ASCENDING)],
                unique=True,
                name="import_key",
                partialFilterExpression={"import_key_index.mac": {"$exists": True}},
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
