"""Documents parsed, measured and validated once, and kept.

Nothing here depends on who asks: one document is one value, shared by all callers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    ValueNode,
    VariableDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from graphql.language import VisitorAction
from graphql.language.visitor import SKIP
from graphql.utilities.validate_input_value import validate_input_literal
from graphql.validation import ASTValidationRule, ValuesOfCorrectTypeRule

from graph.cost import Budget, Cost, prepare_all, total
from graph.errors import (
    VALIDATION_FAILED,
    ErrorMap,
    error_map,
    fieldward_error,
    locations_of,
    node_location,
    syntax_error,
    validation_error,
    value_problem,
)
from graph.limits import Limits, check_nesting, check_size
from graph.weighed import RandomlyWeighed, Weighed
from models.errors import BadInput, LimitExceeded

MAX_ERRORS: Final = 10
MAX_COMMENTS: Final = 1_000
_SAFE: Final = "fieldward"  # marks the extensions of errors that already are error maps


@dataclass(eq=False, slots=True, weakref_slot=True)
class Document:
    """A document, ready to be planned and run when `errors` is empty.

    `digest` is the SHA-256 of its text in hex, for logs; `errors` are response error maps;
    `tokens` is its size. With errors, `operations` and `fragments` are empty. `kept`: it is worth remembering
    what is made of it, too.
    """

    ast: DocumentNode
    digest: str
    tokens: int = 0
    operations: Mapping[str | None, OperationDefinitionNode] = field(default_factory=dict)
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    errors: tuple[ErrorMap, ...] = ()
    costs: Mapping[str | None, Cost] = field(default_factory=dict)
    kept: bool = False


class Documents:
    """A bounded store of documents by their text.

    While there is room, documents are simply kept. Then new ones stay in a small store of their own, and
    only one that is asked for again takes the place of the one used longest ago: a flood of documents
    that are sent once evicts none of those in use, and of more documents than there is room for, asked
    for in turn, as many are found as are held. Refused documents have a small store too. `weight` bounds
    the tokens of each store together.
    """

    def __init__(self, schema: GraphQLSchema, limits: Limits, size: int = 1_000, weight: int = 100_000) -> None:
        self._schema = schema
        self._limits = limits
        self._budget = Budget(limits.max_cost, limits.max_page)
        self._used = Weighed[str, Document](size, weight)
        self._fresh = RandomlyWeighed[str, Document](max(size // 4, 1), weight // 4)
        self._refused = Weighed[str, Document](100, weight // 10)

    def __len__(self) -> int:
        return len(self._used) + len(self._fresh) + len(self._refused)

    def get(self, text: str) -> Document:
        """The document of this text, from the store or made now. Never raises: see `errors`."""
        if (found := self._used.get(text) or self._refused.get(text)) is not None:
            return found
        if (found := self._fresh.take(text)) is not None:
            return self._keep(text, found)
        made = self._make(text)
        if made.errors:
            return self._refused.put(text, made, made.tokens)
        return self._keep(text, made) if self._used.has_room(made.tokens) else self._fresh.put(text, made, made.tokens)

    def _keep(self, text: str, document: Document) -> Document:
        document.kept = True
        return self._used.put(text, document, document.tokens)

    def operation(self, document: Document, name: str | None) -> OperationDefinitionNode:
        """The operation to run. Raises `BadInput` for an unknown name, or none among several."""
        return document.operations[self._name(document, name)]

    def check_cost(self, document: Document, name: str | None, variables: Mapping[str, object]) -> int:
        """The cost of an operation with its coerced variables; raises `LimitExceeded`."""
        return total(document.costs[self._name(document, name)], variables, self._budget)

    @staticmethod
    def _name(document: Document, name: str | None) -> str | None:
        operations = document.operations
        if name is None and len(operations) == 1:
            return next(iter(operations))
        if name is None and operations:
            raise BadInput("The document holds several operations: say which one to run in operationName.")
        if name is None or name not in operations:
            raise BadInput("The document holds no operation of the name in operationName.")
        return name

    def _make(self, text: str) -> Document:
        digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        try:
            check_nesting(text)
            ast = self._parse(text)
            check_size(ast, self._limits)
            errors = self._validate(ast)
        except LimitExceeded as error:
            return self._refuse(text, digest, [fieldward_error(error)])
        except GraphQLError as error:
            return self._refuse(text, digest, [syntax_error(error)])
        except RecursionError:
            return self._refuse(text, digest, [fieldward_error(LimitExceeded("The document is nested too deeply."))])
        if errors:
            return self._refuse(text, digest, errors)
        return self._accept(text, digest, ast)

    def _parse(self, text: str) -> DocumentNode:
        return parse(
            text,
            max_lexical_tokens=self._limits.max_tokens,
            max_comments=MAX_COMMENTS,
            max_source_length=self._limits.max_body_bytes,
            allow_empty_selection_sets=False,
        )

    def _validate(self, ast: DocumentNode) -> list[ErrorMap]:
        errors = validate(self._schema, ast, RULES, max_errors=MAX_ERRORS, hide_suggestions=True)
        return [(error.extensions or {}).get(_SAFE) or validation_error(error) for error in errors]

    def _refuse(self, text: str, digest: str, errors: Sequence[ErrorMap]) -> Document:
        return Document(DocumentNode(definitions=()), digest, tokens=len(text) // 4, errors=tuple(errors))

    def _accept(self, text: str, digest: str, ast: DocumentNode) -> Document:
        operations: dict[str | None, OperationDefinitionNode] = {}
        fragments: dict[str, FragmentDefinitionNode] = {}
        for definition in ast.definitions:
            if isinstance(definition, OperationDefinitionNode):
                operations[definition.name.value if definition.name else None] = definition
            elif isinstance(definition, FragmentDefinitionNode):
                fragments[definition.name.value] = definition
        try:
            costs = prepare_all(self._schema, operations, fragments, self._budget)
        except LimitExceeded as error:
            return self._refuse(text, digest, [fieldward_error(error)])
        tokens = max(ast.token_count, len(text) // 8)
        return Document(ast, digest, tokens, operations, fragments, (), costs)


class ValuesRule(ValuesOfCorrectTypeRule):
    """The library's rule on literals, saying where a literal is wrong and never what it is."""

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Not used: the `enter` methods below need the node's surroundings."""
        raise NotImplementedError

    def _check(
        self, node: ValueNode, input_type: GraphQLInputType | None, surroundings: Sequence[object]
    ) -> VisitorAction:
        if input_type:

            def refuse(error: GraphQLError, path: list[str | int]) -> None:
                message = f"{self._place(surroundings)} {value_problem(error, path, input_type)}."
                where = locations_of(error) or node_location(node)
                made = error_map(message, VALIDATION_FAILED, locations=where)
                self.report_error(GraphQLError(message, node, extensions={_SAFE: made}))

            validate_input_literal(node, input_type, refuse, None, None, hide_suggestions=True)
        return SKIP

    def _place(self, surroundings: Sequence[object]) -> str:
        """Name the argument or variable that holds a value, from the visitor's arguments."""
        _key, parent, _path, ancestors = surroundings
        above = ancestors if isinstance(ancestors, list) else []
        if isinstance(parent, VariableDefinitionNode):
            return f'The default of the variable "${parent.variable.name.value}"'
        if isinstance(parent, ArgumentNode):
            argument = f'The argument "{parent.name.value}"'
            holder = next((node for node in reversed(above) if isinstance(node, Node)), None)
            if isinstance(holder, DirectiveNode):
                return f"{argument} of the directive @{holder.name.value}"
            if isinstance(holder, FieldNode):
                return f"{argument} on {self.context.get_parent_type()}.{holder.name.value}"
            return argument
        return "A value"

    def enter_list_value(self, node: ValueNode, *surroundings: object) -> VisitorAction:
        """A list: the library's position is already that of its items."""
        return self._check(node, self.context.get_parent_input_type(), surroundings)

    def _enter(self, node: ValueNode, *surroundings: object) -> VisitorAction:
        return self._check(node, self.context.get_input_type(), surroundings)

    enter_null_value = enter_object_value = enter_enum_value = _enter
    enter_int_value = enter_float_value = enter_string_value = enter_boolean_value = _enter


RULES: Final[tuple[type[ASTValidationRule], ...]] = tuple(
    ValuesRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules
)
"""The rules of the GraphQL specification and the limit on introspection. None looks at the caller."""
