"""Every document class there is, and the check that each personal field carries its label."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from beanie import Document

from models.activity import DeviceDocument, EventDocument, IpLogDocument
from models.base import PersonalDocument
from models.bookkeeping import ImportDocument, MarkerDocument
from models.break_glass import BreakGlassDocument
from models.client import AssertionDocument, ClientDocument
from models.erasure import ErasureDocument
from models.errors import ConfigurationError
from models.factor import FactorDocument, FactorRemovalDocument
from models.fields import labels_of
from models.role_change import RoleChangeDocument
from models.sealed import check_sealed
from models.session import RevocationDocument, SessionDocument
from models.throttle import ThrottleDocument
from models.ticket import TicketDocument
from models.user import UserDocument

DOCUMENTS: Final[tuple[type[Document], ...]] = (
    UserDocument,
    DeviceDocument,
    IpLogDocument,
    EventDocument,
    SessionDocument,
    FactorDocument,
    FactorRemovalDocument,
    TicketDocument,
    RoleChangeDocument,
    BreakGlassDocument,
    RevocationDocument,
    ThrottleDocument,
    ClientDocument,
    AssertionDocument,
    MarkerDocument,
    ImportDocument,
    ErasureDocument,
)


def check_labels(documents: Iterable[type[Document]] = DOCUMENTS) -> None:
    """Hold requirements U3 and E1: raises `ConfigurationError` naming every personal field without a label, and
    every one that is stored in the clear where its label asks for encryption."""
    problems: list[str] = []
    for document in documents:
        if issubclass(document, PersonalDocument):
            try:
                labels_of(document)
                check_sealed(document)
            except ConfigurationError as error:
                problems.append(error.message)
    if problems:
        raise ConfigurationError(" ".join(problems))
