"""The schema, and its SDL with the directives that say who may read what."""

from __future__ import annotations

from typing import Final

import strawberry
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema
from graphql.utilities.print_schema import print_directive
from strawberry.schema.config import StrawberryConfig

from graph.directives import PURPOSE_DIRECTIVE as _PURPOSE
from graph.directives import purpose_directive
from graph.mutations.account import AccountMutation
from graph.mutations.break_glass import BreakGlassMutation
from graph.mutations.consent import ConsentMutation
from graph.mutations.factors import FactorMutation
from graph.mutations.mail import MailMutation
from graph.mutations.roles import RoleMutation
from graph.mutations.second_step import SecondStepMutation
from graph.mutations.session import SessionMutation
from graph.queries.access import AccessQuery
from graph.queries.break_glass import BreakGlassQuery
from graph.queries.people import PeopleQuery
from graph.queries.registry import RegistryQuery
from graph.rows import read_attribute
from graph.types.enums import ENUMS
from graph.types.scalars import SCALARS
from graph.types.user import User

PURPOSE_DIRECTIVE: Final = _PURPOSE


@strawberry.type(description="Reading.")
class Query(PeopleQuery, RegistryQuery, AccessQuery, BreakGlassQuery):
    """All root fields that read."""


@strawberry.type(description="Changing. Each takes one input and gives one payload with typed `errors`.")
class Mutation(
    AccountMutation,
    SessionMutation,
    SecondStepMutation,
    FactorMutation,
    ConsentMutation,
    MailMutation,
    RoleMutation,
    BreakGlassMutation,
):
    """All root fields that change."""


def build() -> strawberry.Schema:
    """Make the schema with `@purpose` among its directives."""
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        types=[User, *ENUMS],
        config=StrawberryConfig(
            scalar_map=SCALARS,
            default_resolver=read_attribute,
            disable_field_suggestions=True,
        ),
    )
    core = graphql_schema(schema)
    purpose, on_denied = core.type_map["Purpose"], core.type_map["OnDenied"]
    if not isinstance(purpose, GraphQLEnumType) or not isinstance(on_denied, GraphQLEnumType):
        raise TypeError("Purpose and OnDenied are enums")
    core.directives = (*core.directives, purpose_directive(purpose, on_denied))
    for kind in core.type_map.values():
        # Strawberry checks this itself, but only when a resolver is called: too late for a clear refusal.
        if isinstance(kind, GraphQLInputObjectType):
            kind.is_one_of = kind.extensions["strawberry-definition"].is_one_of
        if isinstance(kind, GraphQLInputObjectType | GraphQLObjectType) and "strawberry-definition" in kind.extensions:
            # What is sent and answered is full of passwords, tokens and data: none of it shows in a repr.
            kind.extensions["strawberry-definition"].origin.__repr__ = _name_alone
    return schema


def _name_alone(value: object) -> str:
    return f"<{type(value).__name__}>"


def graphql_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema inside; Strawberry keeps it under a private name."""
    return schema._schema


def sdl() -> str:
    """`schema.graphql`: generated, compared by `make lint`."""
    schema = build()
    purpose = next(d for d in graphql_schema(schema).directives if d.name == PURPOSE_DIRECTIVE)
    printed = schema.as_str()
    directive = "" if f"directive @{PURPOSE_DIRECTIVE}(" in printed else f"{print_directive(purpose)}\n\n"
    return f"{directive}{printed}\n"
