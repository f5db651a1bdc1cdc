"""A small schema, documents that are hard on a server, and what the tests of limits share."""

from __future__ import annotations

from graphql import GraphQLSchema, build_schema

SDL = """
type Query {
  me: User
  user(by: UserBy!): User
  users(first: Int = 20, filter: Filter): UserConnection
  node: Node
}
type Mutation { rename(input: RenameInput!): User }
interface Node { id: ID }
type User implements Node { id: ID name(style: Style): String best: User friends(first: Int): [User] tags: [Tag!]! }
type Tag { text: String user: User }
type UserConnection { nodes: [User!]! totalCount: Int }
enum Style { LONG SHORT }
input UserBy @oneOf { id: ID username: String }
input Filter { country: String style: Style any: [Filter!] since: Int }
input RenameInput { id: ID! name: String }
"""


def small_schema() -> GraphQLSchema:
    """A fresh schema: no test changes that of another."""
    return build_schema(SDL)


def doubling_fragments(count: int) -> str:
    """Fragments that each spread the next one twice: 2 ** count fields in a few bytes."""
    chain = "".join(f"fragment F{i} on User{{...F{i + 1} ...F{i + 1}}}" for i in range(count))
    return f"{{me{{...F0}}}}{chain}fragment F{count} on User{{id}}"


def circular_fragments(count: int) -> str:
    """Fragments that each spread the next one, and the last the first."""
    return "{me{...F0}}" + "".join(f"fragment F{i} on User{{id ...F{(i + 1) % count}}}" for i in range(count))
