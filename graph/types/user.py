"""A person, as the API shows them: every field guarded by its label."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from graph.access import guarded, personal, personal_list, public
from models.activity import DeviceDocument, EventDocument, IpLogDocument
from models.factor import FactorDocument
from models.role_change import RoleChangeDocument
from models.session import SessionDocument
from models.user import UserDocument
from models.vocabulary import FactorKind, Label, Purpose, Role, RoleChange, UserStatus

_ROW_ID = "whoever may read any other field of the row may read its id"


@strawberry.interface(description="Anything with an identifier of its own.")
class Node:
    """Relay's Node."""

    id: strawberry.ID = public(_ROW_ID, "Opaque; names the region.")


@guarded(UserDocument, at="address")
class Address:
    """A postal address."""

    street: str | None = personal("Street and number.")
    city: str | None = personal("City.")
    region: str | None = personal("State, province or region.")
    postal_code: str | None = personal("Postal code.")
    country: str | None = personal("Country.")


@guarded(UserDocument, at="preferences")
class Preferences:
    """What a person has set for the product."""

    theme: str | None = personal("Colour theme.")
    currency: str | None = personal("Currency, ISO 4217.")
    digest: str | None = personal("How often a digest is wanted.")


@guarded(UserDocument, at="location")
class Location:
    """A precise place."""

    latitude: float | None = personal("Degrees, WGS 84.")
    longitude: float | None = personal("Degrees, WGS 84.")
    accuracy: float | None = personal("Metres.")
    recorded_at: datetime | None = personal("When it was recorded.")


@guarded(UserDocument, at="consents")
class Consent:
    """The latest word on one purpose that rests on consent."""

    purpose: Purpose | None = personal("The purpose.")
    given: bool | None = personal("Whether consent holds.")
    at: datetime | None = personal("When it was given or withdrawn.")
    notice_version: int | None = personal("The version of the notice that was shown.")


@guarded(UserDocument, at="roles")
class RoleGrant:
    """A staff role."""

    role: Role | None = personal("The role.")
    expires_at: datetime | None = personal("Until when it holds; null: until revoked.")
    reason: str | None = personal("Why it was given.")
    granted_by: strawberry.ID | None = personal("Who gave it; null: an operator, by command.")
    granted_at: datetime | None = personal("When it was given.")


@guarded(RoleChangeDocument)
class RoleHistoryEntry:
    """A role that was given or taken."""

    role: Role | None = personal("The role.")
    change: RoleChange | None = personal("What was done with it.")
    reason: str | None = personal("Why.")
    by: strawberry.ID | None = personal("Who did it; null: an operator, by command.")
    at: datetime | None = personal("When.")
    expires_at: datetime | None = personal("Until when it was given; null: until revoked.")


@guarded(DeviceDocument)
class Device:
    """A device a person has used."""

    device_id: str | None = personal("The device's identifier.")
    name: str | None = personal("What the person calls it.")
    platform: str | None = personal("Operating system.")
    first_seen_at: datetime | None = personal("First seen.")
    last_seen_at: datetime | None = personal("Last seen.")


@guarded(SessionDocument)
class Session:
    """One sign-in on one device."""

    id: strawberry.ID = public(_ROW_ID, "To sign this session out.")
    device: str | None = personal("The browser or program that signed in.")
    ip: str | None = personal("The address it came from.")
    place: str | None = personal("Roughly where from: the network of the address, its first 24 bits (IPv6: 48).")
    created_at: datetime | None = personal("Signed in.")
    last_used_at: datetime | None = personal("Last used.")
    expires_at: datetime | None = personal("Ends at the latest.")


@guarded(FactorDocument)
class Factor:
    """What proves a person besides their password."""

    id: strawberry.ID = public(_ROW_ID, "To remove it.")
    kind: FactorKind | None = personal("What it is.")
    name: str | None = personal("What the person calls it.")
    created_at: datetime | None = personal("Enrolled.")
    last_used_at: datetime | None = personal("Last used.")


@guarded(IpLogDocument)
class IpLogEntry:
    """An address a person came from."""

    ip: str | None = personal("The address.")
    at: datetime | None = personal("When.")


@guarded(EventDocument)
class Event:
    """Something a person did with the product."""

    kind: str | None = personal("What was done.")
    subject: str | None = personal("With what.")
    at: datetime | None = personal("When.")


@guarded(UserDocument)
class User(Node):
    """A person. Each field shows only to those whom its `@permit` names, for that purpose."""

    status: UserStatus | None = personal("Where the account is in its life.")
    roles: list[RoleGrant] | None = personal("Staff roles.")
    age_band: str | None = personal("Coarse age.")
    username: str | None = personal("The name to sign in with.")
    email: str | None = personal("The address we write to.")
    email_verified: bool | None = personal("Whether the address was proven.")
    phone: str | None = personal("Telephone, E.164.")
    full_name: str | None = personal("Full name as the person writes it.")
    given_name: str | None = personal("Given name.")
    family_name: str | None = personal("Family name.")
    birth_date: date | None = personal("Date of birth.")
    country: str | None = personal("Country, ISO 3166-1 alpha-2.")
    locale: str | None = personal("Language and region, BCP 47.")
    address: Address | None = personal("Postal address.")
    location: Location | None = personal("Last precise location.")
    created_at: datetime | None = personal("When the account was made.")
    last_seen_at: datetime | None = personal("When the person last signed in.")
    last_seen_ip: str | None = personal("Where the person last signed in from.")
    login_count: int | None = personal("How often the person has signed in.")
    marketing_opt_in: bool | None = personal("Whether offers are wanted.")
    device_ids: list[str] | None = personal("Identifiers of the person's devices.")
    preferences: Preferences | None = personal("Settings for the product.")
    consents: list[Consent] | None = personal("Choices on purposes that rest on consent.")
    devices: list[Device] | None = personal_list(
        "Devices, latest used first.", DeviceDocument, Label.DEVICE, newest_by="last_seen_at"
    )
    sessions: list[Session] | None = personal_list(
        "Sign-in sessions, latest used first.", SessionDocument, Label.DEVICE, newest_by="last_used_at"
    )
    factors: list[Factor] | None = personal_list(
        "Second factors and recovery codes, latest enrolled first.",
        FactorDocument,
        Label.DEVICE,
        newest_by="created_at",
    )
    role_history: list[RoleHistoryEntry] | None = personal_list(
        "Roles given and taken, latest first.", RoleChangeDocument, Label.ROLES, newest_by="at"
    )
    ip_log: list[IpLogEntry] | None = personal_list(
        "Addresses the person came from, latest first.", IpLogDocument, Label.IP_ADDRESS, newest_by="at"
    )
    events: list[Event] | None = personal_list(
        "Behavioural events, latest first.", EventDocument, Label.BEHAVIOR, newest_by="at"
    )
