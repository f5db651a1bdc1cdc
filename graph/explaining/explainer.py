"""Finds out what would become of an operation: the gate's own answer, with the reasons in words.

Runs nothing and reads no data. What a request would bring along is unknown here, so an answer may hang
on it: whose row an argument names, what a variable holds, whether a person has consented.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from graphql import (
    DirectiveNode,
    EnumValueNode,
    FragmentDefinitionNode,
    GraphQLIncludeDirective,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLSchema,
    GraphQLSkipDirective,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    Visitor,
    VisitorAction,
    get_named_type,
    visit,
)
from graphql.execution.values import VariableValues
from graphql.language import REMOVE

from auth.policy import Claim, Policy
from auth.principal import Principal
from graph.access import Rows, Writes
from graph.catalogue import Catalogue, input_claim
from graph.directives import PURPOSE_DIRECTIVE
from graph.documents import Documents
from graph.errors import ErrorMap, fieldward_error
from graph.explaining.findings import Findings, Place, closed_root, entry
from graph.explaining.roots import Roots, Setting
from graph.explaining.ruling import Asker, Rulings
from graph.plan import Planner
from graph.purpose import Declared, choose
from graph.types.access import AccessEntry, AccessProblem, AccessReport, AccessUse, AccessVerdict
from models.errors import BadInput
from models.vocabulary import Access, OnDenied, Purpose

N = TypeVar("N", OperationDefinitionNode, FragmentDefinitionNode)
_CONDITIONS: Final = frozenset({GraphQLSkipDirective.name, GraphQLIncludeDirective.name})
_NO_VARIABLES: Final = VariableValues({}, {})


class Explainer:
    """Explains documents, and what a caller may do, against one schema and policy."""

    def __init__(
        self, schema: GraphQLSchema, documents: Documents, planner: Planner, catalogue: Catalogue, policy: Policy
    ) -> None:
        self._schema = schema
        self._documents = documents
        self._planner = planner
        self._catalogue = catalogue
        self._rulings = Rulings(policy)
        self._roots = Roots(catalogue, policy, self._rulings)
        self.policy_version = policy.version
        self.region = policy.region

    def explain(self, text: str, name: str | None, who: Principal, header: str | None) -> AccessReport:
        """Report on one operation of a document, as if `who` sent it with `header` for its `Data-Purpose`."""
        document = self._documents.get(text)
        if document.errors:
            return self._invalid(document.errors)
        try:
            node = self._documents.operation(document, name)
        except BadInput as error:
            return self._invalid([fieldward_error(error)])
        findings = Findings()
        directive, on_denied = _declared(node, findings)
        fragments = {key: _assume_included(fragment) for key, fragment in document.fragments.items()}
        plan = self._planner.plan(_assume_included(node), fragments, _NO_VARIABLES)
        declared = Declared(directive, header)
        purpose, why_none = (None, "") if plan.public else choose(who, declared.directive, declared.header)
        if why_none:
            findings.note(why_none)
        setting = Setting(plan, Asker(who.shape, who.purposes, purpose), on_denied)
        for root in plan.roots:
            self._roots.explain(root, setting, findings)
        return AccessReport(
            verdict=findings.verdict,
            operation=node.name.value if node.name else None,
            purpose=purpose,
            purpose_from=declared.source if purpose else None,
            entries=list(findings.entries.values()),
            notes=list(findings.notes),
            policy_version=self.policy_version,
        )

    def reads(self, asker: Asker) -> list[AccessEntry]:
        """How every field that can be read shows to `asker`, and the lists that the purpose in force closes."""
        closed = [closed_root(self._rulings, asker, name, opens) for name, opens in self._catalogue.roots.items()]
        shown = [
            entry(self._rulings, asker, spec.claim, Place(AccessUse.READ))
            for name, fields in self._catalogue.types.items()
            if not isinstance(self._schema.type_map[name], GraphQLInterfaceType)
            for spec in fields.values()
        ]
        return [*shown, *filter(None, closed)]

    def writes(self, asker: Asker) -> list[AccessEntry]:
        """Whether `asker` may write each field that can be written by those who are signed in."""
        return [entry(self._rulings, asker, claim, place) for claim, place in dict(self._writable()).items()]

    def _writable(self) -> Iterator[tuple[Claim, Place]]:
        mutations = self._schema.mutation_type
        for name, definition in mutations.fields.items() if mutations else ():
            coordinate = f"Mutation.{name}"
            opens = self._catalogue.roots[coordinate]
            if opens.rows is Rows.SUBJECT:
                continue
            for label in opens.changes:
                yield (
                    Claim(coordinate, label, Access.WRITE),
                    Place(AccessUse.WRITE, own_only=opens.rows is Rows.OWN, opens=opens),
                )
            for argument in definition.args.values():
                yield from self._written(get_named_type(argument.type), ())

    def _written(self, kind: GraphQLNamedType, above: tuple[str, ...]) -> Iterator[tuple[Claim, Place]]:
        if not isinstance(kind, GraphQLInputObjectType) or kind.name in above:
            return
        guards = self._catalogue.inputs[kind.name]
        for name, field in kind.fields.items():
            guard = guards.get(name)
            if isinstance(guard, Writes):
                yield input_claim(self._catalogue, f"{kind.name}.{name}", guard), Place(AccessUse.WRITE)
            yield from self._written(get_named_type(field.type), (*above, kind.name))

    def _invalid(self, errors: Sequence[ErrorMap]) -> AccessReport:
        problems = []
        for error in errors:
            where = (error.get("locations") or [{}])[0]
            problems.append(
                AccessProblem(
                    message=error["message"],
                    code=error["extensions"]["code"],
                    line=where.get("line"),
                    column=where.get("column"),
                )
            )
        return AccessReport(verdict=AccessVerdict.INVALID, problems=problems, policy_version=self.policy_version)


def _declared(node: OperationDefinitionNode, findings: Findings) -> tuple[Purpose | None, OnDenied]:
    """What `@purpose` says where it is written out; a variable in it is unknown here."""
    values: dict[str, ValueNode] = {
        argument.name.value: argument.value
        for directive in node.directives or ()
        if directive.name.value == PURPOSE_DIRECTIVE
        for argument in directive.arguments or ()
    }
    for value in values.values():
        if isinstance(value, VariableNode):
            findings.note(f"What ${value.name.value} says of the purpose is unknown here.", AccessVerdict.DEPENDS)
    purpose, on_denied = values.get("is"), values.get("onDenied")
    return (
        Purpose(purpose.value) if isinstance(purpose, EnumValueNode) else None,
        OnDenied(on_denied.value) if isinstance(on_denied, EnumValueNode) else OnDenied.REJECT,
    )


def _assume_included(node: N) -> N:
    """The same without the conditions that hang on variables."""
    changed: N = visit(node, _Conditions())
    return changed


class _Conditions(Visitor):
    """Takes `@skip(if: $x)` and `@include(if: $x)` off."""

    def enter_directive(self, node: DirectiveNode, *_: object) -> VisitorAction:
        """Leave what is written out as true or false."""
        unknown = any(isinstance(argument.value, VariableNode) for argument in node.arguments or ())
        return REMOVE if unknown and node.name.value in _CONDITIONS else None
