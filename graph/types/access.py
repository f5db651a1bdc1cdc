"""What a caller may do, and why, as the API tells it. Holds names of fields, never a value."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import ClassVar, Final

import strawberry

from auth.principal import Kind
from graph.access import structural
from graph.purpose import PurposeSource
from models.vocabulary import Outcome, Purpose, Reason, Role, Wanted

_NO_DATA: Final = "the rule table applied to names of fields: public, and no personal data"

strawberry.enum(Kind, name="PrincipalKind", description="The kinds of callers.")
strawberry.enum(PurposeSource, description="Where the purpose in force came from; the first that there is counts.")
strawberry.enum(Outcome, name="AccessOutcome", description="What a decision comes to.")
strawberry.enum(Reason, name="DenialReason", description="Why a field is denied.")
strawberry.enum(Wanted, name="WantedProof", description="By what to confirm who one is, where the reason is STEP_UP.")


@strawberry.enum(description="What becomes of an operation as a whole.")
class AccessVerdict(StrEnum):
    """From everything to nothing."""

    ALLOWED = "ALLOWED"  # nothing is denied
    DEPENDS = "DEPENDS"  # on whose rows they are, on consent or age, or on what variables hold
    PARTIAL = "PARTIAL"  # under onDenied: NULL it runs, and what is denied is null
    REFUSED = "REFUSED"  # nothing of it runs
    INVALID = "INVALID"  # it is no document of this schema


@strawberry.enum(description="What an operation does with a field.")
class AccessUse(StrEnum):
    """A look-up makes do with a masked right; a filter or an order needs the clear value."""

    READ = "READ"
    LOOK_UP = "LOOK_UP"
    FILTER = "FILTER"
    ORDER = "ORDER"
    WRITE = "WRITE"


@strawberry.type(description="One answer of the policy.")
class AccessDecision:
    """For one field, and one's own row or another's."""

    STRUCTURAL: ClassVar[str] = _NO_DATA

    outcome: Outcome = strawberry.field(description="In clear, masked, or denied.")
    rule: str = strawberry.field(description="The rule that made it so.")
    reason: Reason | None = strawberry.field(default=None, description="Why it is denied.")
    wanted: Wanted | None = strawberry.field(default=None, description="What to prove first, where that is why.")
    remedy: str | None = strawberry.field(default=None, description="What would allow it, in words.")


@strawberry.type(description="What the policy says of one field as it is used.")
class AccessEntry:
    """A field may be used in several ways; each is an entry."""

    STRUCTURAL: ClassVar[str] = _NO_DATA

    coordinate: str = strawberry.field(description="As in access errors, like `User.email`.")
    use: AccessUse = strawberry.field(description="What is done with it.")
    label: str = strawberry.field(description="Its data category, a fideslang key.")
    own: AccessDecision | None = strawberry.field(description="On one's own row; null for those who have none.")
    others: AccessDecision | None = strawberry.field(description="On other people's rows; null where none can be.")
    via: str | None = strawberry.field(default=None, description="The argument that uses it, if another.")
    certain: bool = strawberry.field(default=True, description="False when it hangs on what a variable holds.")
    line: int | None = strawberry.field(default=None, description="Where in the document, from 1.")
    column: int | None = strawberry.field(default=None, description="Where in that line, from 1.")


@strawberry.type(description="Why a document cannot be run by anybody.")
class AccessProblem:
    """As the API would answer it."""

    STRUCTURAL: ClassVar[str] = _NO_DATA

    message: str = strawberry.field(description="For people.")
    code: str = strawberry.field(description="As in `errors[].extensions.code`.")
    line: int | None = strawberry.field(default=None, description="Where in the document, from 1.")
    column: int | None = strawberry.field(default=None, description="Where in that line, from 1.")


@strawberry.type(description="What would become of an operation, found out without running it.")
class AccessReport:
    """Variables are unknown: conditional fields count as selected, given arguments as used."""

    STRUCTURAL: ClassVar[str] = _NO_DATA

    verdict: AccessVerdict = strawberry.field(description="The operation as a whole.")
    operation: str | None = strawberry.field(default=None, description="The name of the operation.")
    purpose: Purpose | None = strawberry.field(default=None, description="The purpose it would act for.")
    purpose_from: PurposeSource | None = strawberry.field(default=None, description="Where that purpose comes from.")
    entries: list[AccessEntry] = strawberry.field(default_factory=list, description="One per field and use.")
    notes: list[str] = strawberry.field(default_factory=list, description="What the verdict hangs on, in words.")
    problems: list[AccessProblem] = strawberry.field(default_factory=list, description="Why it is INVALID.")
    policy_version: str = strawberry.field(default="", description="The policy that says so.")


@strawberry.type(description="What the caller may do.")
class MyAccess:
    """Of the token, and of the purpose in force."""

    STRUCTURAL: ClassVar[str] = _NO_DATA

    kind: Kind = strawberry.field(description="A person, a service, or nobody.")
    roles: list[Role] = strawberry.field(description="Staff roles of the token.")
    scopes: list[str] = strawberry.field(description="What a service's token covers, like `user.contact:read`.")
    purposes: list[Purpose] = strawberry.field(description="The purposes that the token may act for.")
    purpose: Purpose | None = strawberry.field(description="The one in force for this request.")
    purpose_from: PurposeSource | None = strawberry.field(description="Where that one came from.")
    problem: str | None = strawberry.field(description="Why nobody is signed in, or why no purpose is in force.")
    policy_version: str = strawberry.field(description="The policy that decides.")
    reads: strawberry.Private[Callable[[], list[AccessEntry]]]
    changes: strawberry.Private[Callable[[], list[AccessEntry]]]

    @structural(
        "Every field that can be read, and how it shows for the purpose in force; and the lists that it closes."
    )
    def fields(self) -> list[AccessEntry]:
        """In the schema's order."""
        return self.reads()

    @structural("Every field that can be written, and whether it may be for the purpose in force.")
    def writes(self) -> list[AccessEntry]:
        """Input fields, and what calling a mutation changes by itself."""
        return self.changes()
