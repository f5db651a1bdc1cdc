"""Documents: parsed, limited and validated once; told what is wrong without a value."""

from __future__ import annotations

import pytest
from graphql import get_introspection_query

from graph.documents import Documents
from graph.limits import Limits
from models.errors import BadInput
from tests.unit.graph.small_schema import circular_fragments, doubling_fragments, small_schema

SECRET = "planted"


@pytest.fixture
def documents() -> Documents:
    """A fresh store."""
    return Documents(small_schema(), Limits())


def test_a_document_is_made_once(documents: Documents) -> None:
    """The same text gives the same document."""
    assert documents.get("{me{id}}") is documents.get("{me{id}}")


def test_a_refused_document_is_made_once(documents: Documents) -> None:
    """Refusals are kept too."""
    assert documents.get("{nothing}") is documents.get("{nothing}")


def test_a_document_that_is_in_use_survives_a_flood() -> None:
    """Documents that are sent once, good or bad, do not evict one that is sent again."""
    documents = Documents(small_schema(), Limits(), size=20)
    documents.get("{me{id}}")
    used = documents.get("{me{id}}")
    for number in range(500):
        documents.get(f"{{a{number}: me{{id}}}}")
        documents.get(f"{{bad{number}}}")
    assert documents.get("{me{id}}") is used


@pytest.mark.parametrize("count", [18, 40])
def test_of_documents_asked_for_in_turn_as_many_are_found_as_are_held(count: int) -> None:
    """There is no cliff where they begin to be more than there is room for."""
    documents = Documents(small_schema(), Limits(), size=20)
    texts = [f"{{a{number}: me{{id}}}}" for number in range(count)]
    before = [documents.get(text) for text in texts]
    after = [documents.get(text) for text in texts]
    assert sum(one is other for one, other in zip(before, after, strict=True)) >= min(count, 20)


def test_new_documents_take_the_place_of_old_ones() -> None:
    """Other clients, with more documents than new ones are kept for: asked for in turn, they are soon all found."""
    documents = Documents(small_schema(), Limits(), size=40)
    for number in range(50):
        documents.get(f"{{old{number}: me{{id}}}}")
    texts = [f"{{new{number}: me{{id}}}}" for number in range(20)]
    for _ in range(200):
        for text in texts:
            documents.get(text)
    assert all(documents.get(text) is documents.get(text) for text in texts)
    assert all(documents.get(text).kept for text in texts)


def test_what_was_asked_for_once_is_worth_nothing_more_while_others_need_the_room() -> None:
    """With room it is kept at once, without when it comes again."""
    documents = Documents(small_schema(), Limits(), size=4)
    assert all(documents.get(f"{{a{number}: me{{id}}}}").kept for number in range(4))
    assert not documents.get("{me{id}}").kept
    assert documents.get("{me{id}}").kept


def test_the_store_is_bounded_by_number() -> None:
    """However many documents come, few are held."""
    documents = Documents(small_schema(), Limits(), size=8)
    for number in range(300):
        documents.get(f"{{a{number}: me{{id}}}}")
        documents.get(f"{{a{number}: me{{id}}}}")
    assert len(documents) <= 8 + 2


def test_the_store_is_bounded_by_weight() -> None:
    """A few large documents are as many as a lot of small ones."""
    documents = Documents(small_schema(), Limits(), weight=1_000)
    for number in range(50):
        text = "{" + "me{id}" * 50 + f" a{number}: me{{id}}}}"
        documents.get(text)
        documents.get(text)
    assert len(documents) <= 5


def test_the_only_operation_needs_no_name(documents: Documents) -> None:
    """One operation, named or not, is the one to run."""
    assert documents.operation(documents.get("query Q {me{id}}"), None).name is not None


def test_operations_are_found_by_name(documents: Documents) -> None:
    """With several, the name says which."""
    document = documents.get("query A {me{id}} query B {me{name}}")
    name = documents.operation(document, "B").name
    assert name is not None
    assert name.value == "B"


@pytest.mark.parametrize("name", [None, "C", ""])
def test_several_operations_need_a_name_that_is_theirs(documents: Documents, name: str | None) -> None:
    """Neither none nor an unknown one will do."""
    with pytest.raises(BadInput, match="operationName"):
        documents.operation(documents.get("query A {me{id}} query B {me{name}}"), name)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{me{}}", "GRAPHQL_PARSE_FAILED"),
        ("\0", "GRAPHQL_PARSE_FAILED"),
        ("{me{id}", "GRAPHQL_PARSE_FAILED"),
        ("{me}", "GRAPHQL_VALIDATION_FAILED"),
        ("{nothing}", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {me{id}}", "GRAPHQL_VALIDATION_FAILED"),
        ("type A {b: Int}", "GRAPHQL_VALIDATION_FAILED"),
        (circular_fragments(1), "GRAPHQL_VALIDATION_FAILED"),
        (circular_fragments(3), "GRAPHQL_VALIDATION_FAILED"),
        ("{__schema{types{fields{type{fields{type{fields{name}}}}}}}}", "GRAPHQL_VALIDATION_FAILED"),
        (doubling_fragments(30), "LIMIT_EXCEEDED"),
        ("{a" * 10_000, "LIMIT_EXCEEDED"),
        ("{" + "me{id}" * 1_000 + "}", "LIMIT_EXCEEDED"),
        ("{" + " ".join(f"a{i}: me{{id}}" for i in range(1_000)) + "}", "LIMIT_EXCEEDED"),
        ("#\n" * 2_000 + "{me{id}}", "LIMIT_EXCEEDED"),
    ],
)
def test_each_bad_document_has_its_code(documents: Documents, text: str, code: str) -> None:
    """What cannot be parsed, what does not fit and what is too large are told apart."""
    errors = documents.get(text).errors
    assert errors
    assert {error["extensions"]["code"] for error in errors} == {code}


def test_errors_are_bounded(documents: Documents) -> None:
    """A document of nothing but errors is told the first ones."""
    assert len(documents.get("{" + " ".join(f"x{i}" for i in range(500)) + "}").errors) <= 11


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{users(first: "planted"){totalCount}}', 'The argument "first" on Query.users expects Int.'),
        ("{users(first: 4294967296){totalCount}}", 'The argument "first" on Query.users expects Int.'),
        ("{me{name(style: PLANTED)}}", 'The argument "style" on User.name expects Style (one of LONG, SHORT).'),
        (
            '{users(filter: {any: [{country: "x"}, {country: 1}]}){totalCount}}',
            'The argument "filter" on Query.users at "any.1.country" expects String.',
        ),
        (
            '{users(filter: {planted: "planted"}){totalCount}}',
            'The argument "filter" on Query.users has a field that Filter does not have.',
        ),
        (
            '{user(by: {id: "planted", username: "planted"}){id}}',
            'The argument "by" on Query.user expects exactly one field of UserBy, and not null.',
        ),
        ('query($a: Int = "planted"){users(first: $a){totalCount}}', 'The default of the variable "$a" expects Int.'),
        ('{me{id @include(if: "planted")}}', 'The argument "if" of the directive @include expects Boolean!.'),
        ("{me{id @include}}", 'The directive @include needs the argument "if" (Boolean!).'),
        ("{me{nmae}}", 'The type User has no field "nmae".'),
        ("{me{id(x: 1)}}", 'The field User.id has no argument "x".'),
        ("{user{id}}", 'The field Query.user needs the argument "by" (UserBy!).'),
        ("{me{id{x}}}", 'The field "id" takes no selection: ID has no fields.'),
        ("{me}", 'The field "me" needs a selection of the fields of User.'),
        ("{me{...F}}", 'There is no fragment "F" in the document.'),
        ("query($a: Nope){me{id}}", 'There is no type "Nope".'),
        ("{me{id @nope}}", "There is no directive @nope."),
        ("{users(first: $a){totalCount}}", 'The variable "$a" is used but not declared by the operation.'),
        (
            "query($a: String){users(first: $a){totalCount}}",
            'The variable "$a" is of the type String, but Int is needed where it is used.',
        ),
        ("{me{x: id x: name}}", 'Fields that answer as "x" differ: give them different aliases.'),
        ("{me{... on Tag{text}}}", "Nothing can be selected on Tag here: the type is User."),
        (
            "query Q { me { id ",
            "The document has a syntax error: a name was expected, the end of the document was found.",
        ),
        ('{me{id} "planted"}', "The document has a syntax error: a name was expected, a string was found."),
        ('{users(first: "planted', "The document has a syntax error: a string is not closed."),
    ],
)
def test_messages_say_what_to_mend(documents: Documents, text: str, message: str) -> None:
    """Messages name what the schema names, and nothing that was sent as a value."""
    messages = [error["message"] for error in documents.get(text).errors]
    assert message in messages
    assert SECRET not in str(documents.get(text).errors).lower()


@pytest.mark.parametrize(
    "text",
    [
        '{me{name(style: "planted")}}',
        "{user(by: {id: {planted: 1}}){id}}",
        "{user(by: planted){id}}",
        "{users(filter: {style: planted}){totalCount}}",
        '{users(filter: ["planted"]){totalCount}}',
        '{users(first: {a: "planted"}){totalCount}}',
        'query($a: Filter = {country: ["planted", 3]}){users(filter: $a){totalCount}}',
        '"planted" {me{id}}',
        '{me{id}} """planted""" x',
        "{me{id}} # planted\n planted",
        '{user(by: "planted" "planted"){id}}',
        r'{user(by: "\planted"){id}}',
        r'{user(by: "\u{planted}"){id}}',
        "{user(by: 1planted){id}}",
        "{user(by: 'planted'){id}}",
    ],
)
def test_no_value_ever_shows(documents: Documents, text: str) -> None:
    """Literals of every kind, in valid and broken syntax, stay out of errors."""
    errors = documents.get(text).errors
    assert errors
    assert SECRET not in str(errors).lower()


def test_there_are_no_suggestions(documents: Documents) -> None:
    """A misspelt name is not an oracle for what a caller may not see."""
    assert "mean" not in str(documents.get("{me{nam}} query Q($a: Usr){me{id(frst: 1)}}").errors)


def test_a_long_name_is_cut(documents: Documents) -> None:
    """A name that is none is not repeated."""
    assert "x" * 65 not in str(documents.get("{" + "x" * 70 + "}").errors)


def test_errors_say_where(documents: Documents) -> None:
    """Lines and columns from 1."""
    [error] = documents.get("{\n  me { nope }\n}").errors
    assert error["locations"] == [{"line": 2, "column": 8}]


def test_the_introspection_query_of_clients_is_valid(documents: Documents) -> None:
    """GraphiQL sends it first of all."""
    assert not documents.get(get_introspection_query(specified_by_url=True, input_value_deprecation=True)).errors
