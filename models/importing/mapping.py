"""Which column means which stored field: by name, by a known other name, or as the caller says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from models.errors import BadInput

# Other names that exports of other systems use, spelled in lower case without separators.
_ALIASES: Final[Mapping[str, str]] = {
    "import_key": "id externalid userid customerid sourceid uid uuid",
    "username": "login loginname nickname handle",
    "email": "emailaddress mail",
    "email_verified": "emailconfirmed isemailverified verified",
    "phone": "phonenumber mobile mobilenumber telephone tel",
    "address.street": "street streetaddress addressline1 address",
    "address.city": "city town locality",
    "address.region": "region state province",
    "address.postal_code": "postalcode postcode zip zipcode",
    "address.country": "addresscountrycode",
    "full_name": "name displayname",
    "given_name": "firstname forename",
    "family_name": "lastname surname",
    "birth_date": "dateofbirth dob birthday",
    "country": "countrycode",
    "location.latitude": "latitude lat",
    "location.longitude": "longitude lon lng",
    "location.accuracy": "accuracy",
    "locale": "language lang",
    "status": "accountstatus",
    "created_at": "created registeredat signupdate joinedat",
    "last_seen_at": "lastseen lastloginat lastlogin",
    "last_seen_ip": "ip ipaddress lastip lastloginip",
    "login_count": "logins signincount",
    "preferences.theme": "theme",
    "preferences.currency": "currency",
    "preferences.digest": "digest newsletterfrequency",
    "marketing_opt_in": "marketing newsletter optin",
    "device_ids": "devices deviceid",
    "password_hash": "password passwd pwd hash hashedpassword encryptedpassword passworddigest",
}
TARGETS: Final = tuple(_ALIASES)

_SEPARATORS: Final = re.compile(r"[\W_]+")
_SHOWABLE: Final = re.compile(r"\A[A-Za-z_][A-Za-z0-9_ .-]{0,39}\Z")
MAX_UNKNOWN: Final = 100


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name).lower()


def _known() -> Mapping[str, str]:
    exact = {_plain(target): target for target in TARGETS}
    others = {alias: target for target, aliases in _ALIASES.items() for alias in aliases.split()}
    return MappingProxyType({**others, **exact})


_KNOWN: Final = _known()


def target_of(name: str) -> str:
    """The stored field that `name` (`email`, `givenName`, `address.city`) means; raises `BadInput`."""
    for target in TARGETS:
        if _plain(target) == _plain(name):
            return target
    raise BadInput(f"There is no such field to import into. The fields are: {', '.join(TARGETS)}.")


@dataclass(slots=True)
class ColumnMapping:
    """From column names to stored fields.

    `explicit` is `{field: column}` and wins; `defaults` is `{field: text}` for rows that leave a
    field empty. `unknown` collects the columns that are not imported, as far as their names can be
    shown: what does not look like a name of a column may be a value.
    """

    explicit: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    _targets: dict[str, str | None] = field(default_factory=dict)

    def target(self, column: str) -> str | None:
        """The field that a column is imported into, or None."""
        try:
            return self._targets[column]
        except KeyError:
            pass
        found = next((target for target, name in self.explicit.items() if name == column), None)
        if found is None:
            known = _KNOWN.get(_plain(column))
            found = known if known not in self.explicit else None
        if found is None and len(self.unknown) < MAX_UNKNOWN:
            self.unknown.add(column if _SHOWABLE.match(column) else "(a column whose name cannot be shown)")
        if len(self._targets) < 1000:  # what a file of ever new keys could fill
            self._targets[column] = found
        return found

    def columns(self, header: Sequence[str]) -> list[tuple[int, str]]:
        """(position, field) of each column to import. Raises `BadInput` when people cannot be told apart."""
        names = [name.strip() for name in header]
        for target, column in self.explicit.items():
            if column not in names:
                raise BadInput(f"The column that --map gives for {target} is not in the first line.")
        meant = [(position, self.target(name)) for position, name in enumerate(names)]
        found = [(position, target) for position, target in meant if target is not None]
        _refuse_doubles(target for _, target in found)
        if not {"username", "email"} & {target for _, target in found}:
            self.unknown.clear()  # a file without a header has values here
            raise BadInput(
                "The first line names neither a user name nor an email column. "
                "Say which they are: --map email=COLUMN --map username=COLUMN."
            )
        return found


def _refuse_doubles(targets: Iterable[str]) -> None:
    seen: set[str] = set()
    for target in targets:
        if target in seen:
            raise BadInput(f"Two columns mean {target}. Say which one is right: --map {target}=COLUMN.")
        seen.add(target)
