"""What the caller may do, and what would become of a document: `myAccess`, `explainAccess`."""

from __future__ import annotations

import strawberry

from auth.principal import PROVEN, Kind, Principal, Shape
from auth.rules import purposes_lent, purposes_of_person
from graph.access import Opens, Rows, root
from graph.context import Info
from graph.explaining.ruling import Asker
from graph.purpose import choose
from graph.types.access import AccessReport, MyAccess
from models.vocabulary import Purpose, Role


@strawberry.type
class AccessQuery:
    """Root fields that answer from the rule table alone."""

    @root(Opens(Rows.PUBLIC), "What the caller may do; without a token, what nobody may.")
    def my_access(self, info: Info) -> MyAccess:
        """Of the token and this request."""
        context = info.context
        principal, declared, explainer = context.principal, context.declared, context.explainer
        purpose, why_none = choose(principal, declared.directive, declared.header)
        asker = Asker(principal.shape, principal.purposes, purpose)
        return MyAccess(
            kind=principal.shape.kind,
            roles=sorted(principal.shape.roles),
            scopes=sorted(map(str, principal.shape.scopes)),
            purposes=[it for it in Purpose if it in principal.purposes],
            purpose=purpose,
            purpose_from=declared.source if purpose else None,
            problem=(why_none or None) if principal.authenticated else principal.problem,
            policy_version=explainer.policy_version,
            reads=lambda: explainer.reads(asker),
            changes=lambda: explainer.writes(asker),
        )

    @root(
        Opens(Rows.NONE),
        "What would become of a document, field by field and as a whole. It is not run, and no data is read. "
        "`role` asks for somebody who holds that role alone and has done every step-up, instead of the caller, and "
        "with `purpose: EMERGENCY` has broken the glass, if that role may; `purpose` stands for the header "
        "`Data-Purpose`, so an `@purpose` in the document comes first, as in a request.",
    )
    def explain_access(
        self,
        info: Info,
        document: str,
        operation_name: str | None = None,
        role: Role | None = None,
        purpose: Purpose | None = None,
    ) -> AccessReport:
        """From the rule table, which is public to whoever is signed in."""
        context = info.context
        declared = context.declared.directive or context.declared.header
        who, stated = context.principal, purpose or declared
        if role is not None:
            held = frozenset({role})
            shape = Shape(Kind.PERSON, held, region=context.services.region, assurance=PROVEN)
            purposes = purposes_of_person(held) | purposes_lent(held, purpose)
            who, stated = Principal(shape, purposes=purposes), purpose
        return context.explainer.explain(document, operation_name, who, stated)
