"""The base of every document that holds personal data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from beanie import Document
from pydantic import ConfigDict

from models.fields import labelled
from models.vocabulary import Label

SORTED: Final = "lists are sorted by it, and the database deletes by it"
COMPARED: Final = "the database compares it, and it says little by itself"
KEYED_CODES: Final = "codes under a key that is not in this database"


def now() -> datetime:
    """The present moment in UTC, to the millisecond, as MongoDB stores it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class PersonalDocument(Document):
    """A document about one person. Every stored field carries exactly one label.

    `PERSON` is the stored path that holds the person's id, so that reading, export and erasure
    find everything of a person without knowing the class.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    PERSON: ClassVar[str] = "person"
    SHOWN: ClassVar[Mapping[str, object]] = {}  # what a row must be like to show in a list
    # The sealed fields that rows are looked up by, each with what makes one spelling of equal values. Their codes
    # are stored beside them, under the same name with `_index` behind it.
    LOOKED_UP: ClassVar[Mapping[str, Callable[[str], str]]] = {}
    OUTLIVES_PERSON: ClassVar[bool] = False  # kept when the account is deleted; the class says why

    id: str = labelled(Label.UNIQUE_ID, alias="_id")  # type: ignore[assignment]  # Beanie's own default is an ObjectId

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Nothing of the person shows in a repr."""
        return ()
