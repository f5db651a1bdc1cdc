"""Ariadne, with a schema directive on every field."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any, Final

from ariadne import ObjectType, QueryType, ScalarType, SchemaDirectiveVisitor, make_executable_schema
from ariadne.asgi import GraphQL
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    SelectionSetNode,
    default_field_resolver,
    parse,
    validate,
)
from starlette.requests import Request

from bench.peers.python.common import MASKS, SDL, Callers, People, Raw, Shared, serve

_QUIET: Final = "bench.ariadne"


class MayDirective(SchemaDirectiveVisitor):
    """`@may`: asks the rules before the field is resolved."""

    def visit_field_definition(
        self, field: GraphQLField, object_type: GraphQLObjectType | GraphQLInterfaceType
    ) -> GraphQLField:
        """Put the question in front of the resolver."""
        resolve = field.resolve or default_field_resolver
        coordinate = f"{object_type.name}.{self.visited_type.ast_node.name.value}"

        def guarded(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:  # noqa: ANN401 - any value
            if info.context["access"].denied(coordinate):
                raise GraphQLError(f"{coordinate} is not permitted.", extensions={"code": "FORBIDDEN"})
            return resolve(source, info, **arguments)

        field.resolve = guarded
        return field


def schema(shared: Shared, people: People) -> GraphQLSchema:
    """The executable schema."""
    query, types = QueryType(), {name: ObjectType(name) for name in ("User", "Address")}
    moment, day = ScalarType("DateTime"), ScalarType("Date")
    moment.set_serializer(lambda value: value.isoformat())
    day.set_serializer(lambda value: value)
    for coordinate, path in shared.paths.items():
        type_name, _, name = coordinate.partition(".")
        if type_name in types:
            types[type_name].set_field(name, _reader(coordinate, path.rpartition(".")[2]))

    @query.field("user")
    async def resolve_user(_root: None, info: GraphQLResolveInfo, by: dict[str, str]) -> Raw | None:
        return await people.one(by["id"], _selected(info.field_nodes[0].selection_set), info.context["access"])

    @query.field("users")
    async def resolve_users(
        _root: None, info: GraphQLResolveInfo, first: int, after: str | None = None
    ) -> dict[str, list[Raw]]:
        selections = info.field_nodes[0].selection_set.selections
        nodes = next(it for it in selections if it.name.value == "nodes")
        return {"nodes": await people.many(first, after, _selected(nodes.selection_set), info.context["access"])}

    return make_executable_schema(
        SDL.read_text(), query, *types.values(), moment, day, directives={"may": MayDirective}
    )


def _reader(coordinate: str, path: str) -> Any:  # noqa: ANN401 - a resolver
    mask = MASKS.get(coordinate)
    if mask is None:
        return lambda raw, _info: raw.get(path)

    def masked(raw: Raw, info: GraphQLResolveInfo) -> str | None:
        value = raw.get(path)
        return mask(value) if value is not None and info.context["access"].masked(coordinate) else value

    return masked


def _selected(selection_set: SelectionSetNode) -> list[str]:
    return [selection.name.value for selection in selection_set.selections]


def application() -> GraphQL:
    """The application, from the environment; documents are parsed and validated once."""
    shared = Shared.load()
    callers, people = Callers(shared), People(shared, tz_aware=True)
    logging.getLogger(_QUIET).setLevel(logging.CRITICAL + 1)  # a denial is no failure to be logged with its trace
    remembered_parse = lru_cache(1000)(parse)

    @lru_cache(1000)
    def remembered_validate(_schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
        return validate(_schema, document)

    def context(request: Request, _data: dict[str, Any]) -> dict[str, Any]:
        return {"request": request, "access": callers.access(request)}

    return GraphQL(
        schema(shared, people),
        context_value=context,
        query_parser=lambda _context, data: remembered_parse(data["query"]),
        query_validator=lambda checked, document, *_args, **_options: remembered_validate(checked, document),
        introspection=True,
        logger=_QUIET,
    )


if __name__ == "__main__":
    serve(application())
