"""Which new passwords are refused, and why."""

from __future__ import annotations

import pytest

from auth.screening import MAX_LENGTH, MIN_LENGTH, MIN_LENGTH_WITH_FACTOR, Problem, Screening, common_pieces, is_short

OWNER = ("alice", "Alice Liddell", "alice@wonderland.example")


@pytest.fixture(scope="module")
def screening() -> Screening:
    """The screening with the pieces that are shipped."""
    return Screening(common_pieces())


@pytest.mark.parametrize(
    "password",
    [
        "purple sofa runs the marathon",
        "fieldward-demo-password",
        "мой дядя самых честных правил",
        "吾輩は猫である名前はまだ無い。どこで",
        "482915730164829",
        "👩‍🚀 lands on a small moon",
        "has\0a null\0byte within",
        "alice walks over forty bridges",
    ],
)
def test_accepts_any_unicode_without_asking_for_kinds_of_characters(screening: Screening, password: str) -> None:
    """Letters of any script, spaces, digits alone: nothing but length and commonness counts."""
    assert screening.problems(password, OWNER) == []


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Passw0rd!Passw0rd!",
        "P@$$word-2024-P@$$word",
        "correct horse battery staple",
        "correcthorsebatterystaple",
        "qwertyuiopasdfghjkl",
        "123456789012345678",
        "iloveyou-iloveyou-1",
        "Summer2024Summer2024",
        "abababababababababab",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
    ],
)
def test_refuses_what_is_made_of_common_pieces(screening: Screening, password: str) -> None:
    """Repeated, run-on and look-alike spellings of common passwords are common too."""
    assert screening.problems(password) == [Problem.COMMON]


@pytest.mark.parametrize("password", ["alice-liddell-alice", "AliceLiddell.Wonderland", "wonderland alice 7"])
def test_refuses_what_is_made_of_its_owners_names(screening: Screening, password: str) -> None:
    """A password of which little is left without one's names and address is too personal."""
    assert screening.problems(password, OWNER) == [Problem.PERSONAL]


def test_a_password_without_names_is_not_personal(screening: Screening) -> None:
    """Names that do not occur count for nothing, however short they are."""
    assert Problem.PERSONAL not in screening.problems("zu kurz", ("Bo", "Li", ""))


@pytest.mark.parametrize(
    ("length", "problems"),
    [
        (MIN_LENGTH - 1, [Problem.TOO_SHORT]),
        (MIN_LENGTH, []),
        (MAX_LENGTH, []),
        (MAX_LENGTH + 1, [Problem.TOO_LONG]),
        (1_000_000, [Problem.TOO_LONG]),
    ],
)
def test_holds_the_length_at_both_ends(screening: Screening, length: int, problems: list[Problem]) -> None:
    """Fifteen to 128 code points (NIST SP 800-63B-4, section 3.1.1.2)."""
    assert screening.problems(("gvkwm bxtrh " * (length // 12 + 1))[:length]) == problems


@pytest.mark.parametrize(
    ("length", "problems", "short"),
    [
        (MIN_LENGTH_WITH_FACTOR - 1, [Problem.TOO_SHORT], True),
        (MIN_LENGTH_WITH_FACTOR, [], True),
        (MIN_LENGTH - 1, [], True),
        (MIN_LENGTH, [], False),
    ],
)
def test_with_a_second_factor_eight_are_enough(
    screening: Screening, length: int, problems: list[Problem], short: bool
) -> None:
    """Eight code points (NIST SP 800-63B-4, section 3.1.1.2); all that is known stays refused."""
    password = "gvkwm bxtrh pqzd"[:length]
    assert screening.problems(password, second_factor=True) == problems
    assert is_short(password) is short
    assert screening.problems("passw0rd1", second_factor=True) == [Problem.COMMON]


def test_counts_code_points_after_normalisation(screening: Screening) -> None:
    """A letter and its combining mark are one character."""
    decomposed = "e\u0301o\u0301a\u0300u\u0302i\u0308n\u0303u\u0308"
    assert len(decomposed) == 14
    assert screening.problems(decomposed) == [Problem.TOO_SHORT]
    assert screening.problems(decomposed + "x") == [Problem.TOO_SHORT]


def test_refuses_what_is_no_text(screening: Screening) -> None:
    """A lone surrogate has no UTF-8 form, so it cannot be hashed."""
    assert screening.problems("\ud800 and a long enough rest") == [Problem.NOT_TEXT]


def test_of_what_is_personal_only_the_beginning_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of 100,000 combining marks would take many seconds to normalise."""
    seen: list[int] = []

    def normalised(_form: str, text: str) -> str:
        seen.append(len(text))
        return text

    monkeypatch.setattr("auth.screening.normalize", normalised)
    Screening(["password"]).problems("a-quiet-harbour-at-dawn", ["\u0301\u0316" * 50_000])
    assert max(seen) <= 256
