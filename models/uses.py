"""What the service itself opens of sealed data, without anybody asking for it by GraphQL: each use and its fields.

Nothing else is opened but by the reader, under a grant.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from beanie import Document

from models.factor import FactorDocument, FactorRemovalDocument
from models.ticket import TicketDocument
from models.user import UserDocument


class Use(StrEnum):
    """A use that the service makes of what it holds."""

    PASSWORD = "PASSWORD"  # noqa: S105 - comparing a password with its hash
    SCREENING = "SCREENING"  # refusing a new password that holds the person's own names
    MAIL = "MAIL"  # writing to the person
    SECOND_FACTOR = "SECOND_FACTOR"  # checking a code
    IMPORT = "IMPORT"  # telling who is here already
    OPERATOR = "OPERATOR"  # showing on the command line which factors there are, and why some were removed


USES: Final[Mapping[Use, Mapping[type[Document], tuple[str, ...]]]] = MappingProxyType(
    {
        Use.PASSWORD: {UserDocument: ("password_hash",)},
        Use.SCREENING: {UserDocument: ("email", "full_name")},
        Use.MAIL: {UserDocument: ("email",), TicketDocument: ("email",)},
        Use.SECOND_FACTOR: {FactorDocument: ("secret",)},
        Use.IMPORT: {UserDocument: ("email", "import_key")},
        Use.OPERATOR: {FactorDocument: ("name",), FactorRemovalDocument: ("reason",)},
    }
)
