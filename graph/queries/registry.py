"""The public registry of purposes."""

from __future__ import annotations

from typing import ClassVar

import strawberry

from auth.purposes import PURPOSES, REGISTRY_VERSION
from graph.access import Opens, Rows, root
from models.vocabulary import LawfulBasis, Purpose


@strawberry.type
class PurposeNotice:
    """What people are told about a purpose before they agree, and at any time after."""

    STRUCTURAL: ClassVar[str] = "the public registry"

    key: Purpose = strawberry.field(description="As written in `@purpose(is: ...)`.")
    version: int = strawberry.field(description="The version of the registry that this notice belongs to.")
    name: str = strawberry.field(description="In plain words.")
    description: str = strawberry.field(description="What it is for.")
    use: str = strawberry.field(description="The data use, a fideslang key.")
    lawful_basis: LawfulBasis = strawberry.field(description="GDPR article 6(1).")
    labels: list[str] = strawberry.field(
        description="The data categories it may use, fideslang keys; `=` marks one without those beneath it."
    )
    retention_days: int = strawberry.field(description="How long data is kept for it.")
    recipients: list[str] = strawberry.field(description="Who else receives data for it.")
    refusal: str = strawberry.field(description="What refusing means.")


@strawberry.type
class RegistryQuery:
    """Root fields that everybody may read."""

    @root(Opens(Rows.PUBLIC), "Every purpose that personal data may be used for.")
    def purposes(self) -> list[PurposeNotice]:
        """The registry, in its order."""
        return [
            PurposeNotice(
                key=key,
                version=REGISTRY_VERSION,
                name=spec.name,
                description=spec.description,
                use=spec.use,
                lawful_basis=spec.basis,
                labels=[str(pattern) for pattern in spec.labels],
                retention_days=spec.retention_days,
                recipients=list(spec.recipients),
                refusal=spec.refusal,
            )
            for key, spec in PURPOSES.items()
        ]
