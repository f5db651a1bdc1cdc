"""The place where renderers plug into execution.

Subclasses Strawberry's own executor and answers for the completion of object and list values that
are rows; everything else goes the ordinary way. `tests/unit/graph/test_executor.py` fails when a new
version no longer calls these hooks.
"""

from __future__ import annotations

from typing import Any

from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graph.context import Context
from graph.rows import Row, RowList


class RowExecutor(StrawberryGraphQLCoreExecutionContext):
    """Completes rows by their renderers."""

    context_value: Context

    def complete_object_value(
        self,
        return_type: Any,  # noqa: ANN401 - as in the base class
        field_details_list: Any,  # noqa: ANN401 - as in the method that it overrides
        info: Any,  # noqa: ANN401 - as in the method that it overrides
        path: Path,
        result: Any,  # noqa: ANN401 - as in the method that it overrides
        position_context: Any,  # noqa: ANN401 - as in the method that it overrides
    ) -> Any:  # noqa: ANN401 - as in the method that it overrides
        """A row by its renderer; anything else by its fields."""
        if type(result) is Row:
            answer = self.context_value.render(result, _position(path))
            if answer is not None:
                return answer
        return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)

    def complete_list_value(
        self,
        return_type: Any,  # noqa: ANN401 - as in the method that it overrides
        field_details_list: Any,  # noqa: ANN401 - as in the method that it overrides
        info: Any,  # noqa: ANN401 - as in the method that it overrides
        path: Path,
        result: Any,  # noqa: ANN401 - as in the method that it overrides
        position_context: Any,  # noqa: ANN401 - as in the method that it overrides
    ) -> Any:  # noqa: ANN401 - as in the method that it overrides
        """A list of rows by their renderers; any other list item by item."""
        if type(result) is RowList:
            answer = self.context_value.render_all(result.loaded, _position(path))
            if answer is not None:
                return answer
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)


def _position(path: Path) -> tuple[str, ...]:
    """The response keys from the root, without list indices."""
    keys: list[str] = []
    step: Path | None = path
    while step is not None:
        if isinstance(step.key, str):
            keys.append(step.key)
        step = step.prev
    return tuple(reversed(keys))
