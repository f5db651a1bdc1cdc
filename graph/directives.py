"""The directives that `schema.graphql` shows, and the one that clients write.

`@label` and `@permit` are made from the label and rule tables, never by hand. `@purpose` is a plain
graphql-core directive that is read from the document: an executable Strawberry directive would be
called for every field.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Optional

import strawberry
from graphql import DirectiveLocation, GraphQLArgument, GraphQLDirective, GraphQLEnumType, GraphQLNonNull
from strawberry import UNSET
from strawberry.schema_directive import Location

from auth.rules import RULES, Rule, Who
from graph.types import enums as _enums  # noqa: F401 - Purpose must be a GraphQL enum before it is used
from models.labels import LABELS
from models.vocabulary import Access, Label, OnDenied, Outcome, Purpose

PURPOSE_DIRECTIVE: Final = "purpose"
_GUARDED: Final = [Location.FIELD_DEFINITION, Location.INPUT_FIELD_DEFINITION]


@strawberry.enum(description="How a permitted value is shown: as it is, or masked.")
class PermitAs(StrEnum):
    """The permitting outcomes, as the schema prints them."""

    CLEAR = "CLEAR"
    MASKED = "MASKED"


@strawberry.schema_directive(
    name="label",
    locations=_GUARDED,
    description="The data category of a field, a fideslang key, and whether it is encrypted where it is stored.",
)
class LabelDirective:
    """`@label(is: "user.contact.email", encrypted: true)`."""

    is_: str = strawberry.directive_field(name="is")
    encrypted: Optional[bool] = strawberry.directive_field(name="encrypted", default=UNSET)  # noqa: UP045 - as below


@strawberry.schema_directive(
    name="permit",
    locations=_GUARDED,
    repeatable=True,
    description="Who may read (output) or write (input) a field, for which purposes.",
)
class PermitDirective:
    """`@permit(who: "SUPPORT", purposes: [SUPPORT], as: MASKED)`."""

    who: str
    purposes: list[Purpose]
    as_: Optional[PermitAs] = strawberry.directive_field(name="as", default=UNSET)  # noqa: UP045 - resolved by Strawberry


@strawberry.schema_directive(
    name="reads",
    locations=[Location.INPUT_FIELD_DEFINITION, Location.ENUM_VALUE],
    description="Using this argument needs the right to read that field.",
)
class ReadsDirective:
    """`@reads(field: "User.country")`."""

    field: str


def guards_values(kind: GraphQLEnumType) -> bool:
    """Whether some value of an enum needs a right of its own, so that not everybody is told of it."""
    definition = kind.extensions.get("strawberry-definition")
    values = definition.values if definition is not None else ()
    return any(isinstance(directive, ReadsDirective) for value in values for directive in value.directives)


def label_directives(label: Label, access: Access, *, encrypted: bool) -> list[object]:
    """`@label` and one `@permit` per rule that speaks of `label`; `encrypted` says that the stored field is sealed."""
    permits = [
        PermitDirective(
            who=str(rule.who),
            purposes=list(rule.purposes),
            as_=PermitAs.MASKED if rule.outcome is Outcome.MASKED else UNSET,
        )
        for rule in rules_for(label, access)
        if rule.who is not Who.SERVICE
    ]
    return [LabelDirective(is_=label.value, encrypted=encrypted or UNSET), *permits]


def rules_for(label: Label, access: Access) -> list[Rule]:
    """The permits of the default policy that cover `label`, in table order."""
    return [
        rule for rule in RULES if rule.access is access and rule.outcome is not Outcome.DENIED and label in rule.covers
    ]


def describe_access(label: Label, access: Access) -> str:
    """Who may, in words, for a field's description."""
    verb = "Read" if access is Access.READ else "Written"
    clauses = [
        f"{_who(rule)} for {', '.join(rule.purposes)}{' (masked)' if rule.outcome is Outcome.MASKED else ''}"
        for rule in rules_for(label, access)
        if rule.who is not Who.SERVICE
    ]
    services = f"services with the scope `{label}:{access}`"
    return f"{LABELS[label].title} (`{label}`). {verb} by {'; '.join([*clauses, services])}."


def _who(rule: Rule) -> str:
    return "the person" if rule.who is Who.SELF else str(rule.who)


def purpose_directive(purpose: GraphQLEnumType, on_denied: GraphQLEnumType) -> GraphQLDirective:
    """`@purpose(is: Purpose!, onDenied: OnDenied = REJECT) on QUERY | MUTATION | SUBSCRIPTION`."""
    return GraphQLDirective(
        name=PURPOSE_DIRECTIVE,
        locations=[DirectiveLocation.QUERY, DirectiveLocation.MUTATION, DirectiveLocation.SUBSCRIPTION],
        args={
            "is": GraphQLArgument(GraphQLNonNull(purpose), description="The one purpose of this operation."),
            "onDenied": GraphQLArgument(
                on_denied,
                default_value=OnDenied.REJECT,
                description="Refuse the operation, or give null for what is denied.",
            ),
        },
        description="What this operation is for. Without it the header `Data-Purpose` counts.",
    )
