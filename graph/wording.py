"""What a bad document is told: every message rebuilt from an allow-list, never passed on.

The GraphQL library's messages quote what the client sent. Here each message it is known to make is
recognised by its beginning and said anew with nothing but names out of it (types, fields,
arguments, variables, fragments, directives); whatever is not recognised becomes one plain
sentence. Literals, variable values and suggestions have no place to get through.
"""

from __future__ import annotations

import re
from typing import Final

MAX_NAME: Final = 64
_NAME: Final = r"([_A-Za-z][_0-9A-Za-z]*)"
_TYPE: Final = r"([\[\]!_0-9A-Za-z]+)"
_ANY: Final = r"(?s:.*)"

# What the library says (N a name, T a type, * anything), and what is said instead.
_VALIDATION: Final = (
    ("Cannot query field 'N' on type 'T'.", 'The type {1} has no field "{0}".'),
    ("Fragment cannot condition on non composite type 'T'.", "There is no selecting within {0}: it has no fields."),
    (
        "Fragment 'N' cannot condition on non composite type 'T'.",
        'The fragment "{0}" cannot be on {1}, which has no fields.',
    ),
    ("Unknown argument 'N' on directive '@N'.", 'The directive @{1} has no argument "{0}".'),
    ("Unknown argument 'N' on field 'N.N'.", 'The field {1}.{2} has no argument "{0}".'),
    ("Directive '@N' may not be used on N.", "The directive @{0} may not be used on {1}."),
    ("Unknown directive '@N'.", "There is no directive @{0}."),
    ("Unknown fragment 'N'.", 'There is no fragment "{0}" in the document.'),
    ("The N operation is not supported by the schema.", "There are no operations of the kind {0} here."),
    ("Unknown type 'N'.", 'There is no type "{0}".'),
    (
        "This anonymous operation must be the only defined operation.",
        "An operation without a name must be the only one in its document.",
    ),
    ("Maximum introspection depth exceeded", "The introspection goes too deep."),
    ("Cannot spread fragment 'N' within itself*", 'The fragment "{0}" spreads itself, at once or through others.'),
    ("Variable '$N' is not defined*", 'The variable "${0}" is used but not declared by the operation.'),
    ("Fragment 'N' is never used.", 'The fragment "{0}" is never used.'),
    ("Variable '$N' is never used*", 'The variable "${0}" is declared but never used.'),
    ("Fields 'N' conflict because*", 'Fields that answer as "{0}" differ: give them different aliases.'),
    (
        "Fragment cannot be spread here as objects of type 'T' can never be of type 'T'.",
        "Nothing can be selected on {1} here: the type is {0}.",
    ),
    (
        "Fragment 'N' cannot be spread here as objects of type 'T' can never be of type 'T'.",
        'The fragment "{0}" on {2} cannot be spread here: the type is {1}.',
    ),
    (
        "Argument '@N(N:)' of type 'T' is required, but it was not provided.",
        'The directive @{0} needs the argument "{1}" ({2}).',
    ),
    (
        "Argument 'N.N(N:)' of type 'T' is required, but it was not provided.",
        'The field {0}.{1} needs the argument "{2}" ({3}).',
    ),
    (
        "Field 'N' must not have a selection since type 'T' has no subfields.",
        'The field "{0}" takes no selection: {1} has no fields.',
    ),
    (
        "Field 'N' of type 'T' must have a selection of subfields.*",
        'The field "{0}" needs a selection of the fields of {1}.',
    ),
    (
        "Field 'N' of type 'T' must have at least one field selected.",
        'The field "{0}" needs a selection of the fields of {1}.',
    ),
    ("There can be only one argument named 'N'.", 'The argument "{0}" is given more than once.'),
    ("There can be only one input field named 'N'.", 'The input field "{0}" is given more than once.'),
    ("There can be only one fragment named 'N'.", 'There is more than one fragment "{0}".'),
    ("There can be only one operation named 'N'.", 'There is more than one operation "{0}".'),
    ("There can be only one variable named '$N'.", 'The variable "${0}" is declared more than once.'),
    (
        "The directive '@N' can only be used once at this location.",
        "The directive @{0} can be used only once at one place.",
    ),
    ("Variable '$N' cannot be non-input type 'T'.", 'The variable "${0}" cannot be of the type {1}.'),
    (
        "Variable '$N' of type 'T' used in position expecting type 'T'.",
        'The variable "${0}" is of the type {1}, but {2} is needed where it is used.',
    ),
    (
        "Variable '$N' is of type 'T' but must be non-nullable to be used for OneOf Input Object 'T'.",
        'The variable "${0}" is of the type {1}; within {2} it must be non-null ({1}!).',
    ),
    ("The 'N' definition is not executable.", "Only operations and fragments can be sent."),
    ("The schema definition is not executable.", "Only operations and fragments can be sent."),
    (
        "Too many validation errors, error limit reached. Validation aborted.",
        "There are more errors; only the first ones are listed.",
    ),
    ("Validation aborted.", "The document is too involved to be checked."),
)

# What is wrong with one input value; what follows "found" is the value and is dropped.
_VALUES: Final = (
    ("Expected value of type 'T' to include required field 'N'*", 'needs the field "{1}" of {0}'),
    ("Expected value of type 'T' not to include unknown field*", "has a field that {0} does not have"),
    ("Expected value of non-null type 'T' not to be None.", "expects {0}, and it cannot be null"),
    ("Expected a value of non-null type 'T' to be provided.", "expects {0}, and it was not given"),
    ("Expected value of type 'T' to be an object*", "expects an object of the type {0}"),
    ("Within OneOf Input Object type 'T'*", "expects exactly one field of {0}, and not null"),
    ("Expected variable '$N' provided to type 'T' to provide a runtime value.", 'needs a value for "${0}" ({1})'),
    ("Expected variable '$N' provided to non-null type 'T'*", 'expects {1}, and "${0}" is null'),
    ("Expected variable '$N' provided to field 'N' for OneOf Input Object type 'T'*", 'needs a value for "${0}"'),
)

_KINDS: Final = {
    "Name": "a name",
    "Int": "a number",
    "Float": "a number",
    "String": "a string",
    "BlockString": "a string",
    "<EOF>": "the end of the document",
    **{f"'{sign}'": f'"{sign}"' for sign in ("!", "$", "&", "(", ")", "...", ":", "=", "@", "[", "]", "{", "|", "}")},
    "'on'": '"on"',
    "'fragment'": '"fragment"',
}
_EXPECTED: Final = re.compile(r"Syntax Error: Expected ([^,]+), found ([^ ]+?)[.]?(?: .*)?", re.DOTALL)
_UNEXPECTED: Final = re.compile(r"Syntax Error: Unexpected ([^ ]+?)[.]?(?: .*)?", re.DOTALL)


def _compile(table: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(_as_pattern(said)), instead) for said, instead in table)


def _as_pattern(said: str) -> str:
    """Turn `'N'`-style places (and the N of `a N operation`) into groups."""
    pattern = re.escape(said).replace(r"\*", _ANY)
    pattern = re.sub(r"(?<![A-Za-z])N(?![A-Za-z])", lambda _: _NAME, pattern)
    return re.sub(r"(?<![A-Za-z])T(?![A-Za-z])", lambda _: _TYPE, pattern)


_VALIDATION_PATTERNS: Final = _compile(_VALIDATION)
_VALUE_PATTERNS: Final = _compile(_VALUES)


def _reword(message: str, patterns: tuple[tuple[re.Pattern[str], str], ...]) -> str | None:
    for pattern, instead in patterns:
        if (match := pattern.fullmatch(message)) is not None:
            return instead.format(*(name if len(name) <= MAX_NAME else "..." for name in match.groups()))
    return None


def syntax_message(message: str) -> str:
    """Say a syntax error of the library without the text it quotes."""
    if (match := _EXPECTED.fullmatch(message)) and (expected := _KINDS.get(match[1])) is not None:
        other = _KINDS.get(match[2], "something else")
        return f"The document has a syntax error: {expected} was expected, {other} was found."
    if (match := _UNEXPECTED.fullmatch(message)) and (found := _KINDS.get(match[1])) is not None:
        return f"The document has a syntax error: {found} is not expected here."
    if message == "Syntax Error: Unterminated string.":
        return "The document has a syntax error: a string is not closed."
    return "The document has a syntax error."


def validation_message(message: str) -> str:
    """Say a validation error of the library with nothing but names in it."""
    return _reword(message, _VALIDATION_PATTERNS) or "The document does not fit the schema."


def value_message(message: str) -> str | None:
    """What is wrong with an input value, as the end of a sentence; None for "not of its type"."""
    return _reword(message, _VALUE_PATTERNS)
