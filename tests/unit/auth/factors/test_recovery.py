"""Recovery codes: what they look like, and how they may be typed."""

from __future__ import annotations

import pytest

from auth.factors.recovery import COUNT, code_hash, new_codes

CODE = "e7ch-wxd0-xebv-56ax-bbtm-1jj5"


def test_ten_codes_of_120_bits() -> None:
    """Six groups of four digits of 32, none twice."""
    codes = {code for _ in range(20) for code in new_codes()}
    assert len(codes) == 20 * COUNT
    assert {tuple(map(len, code.split("-"))) for code in codes} == {(4,) * 6}
    assert {sign for code in codes for sign in code} == set("0123456789abcdefghjkmnpqrstvwxyz-")


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.upper(),
        CODE.replace("-", ""),
        CODE.replace("-", " "),
        f"  {CODE}\n",
        CODE.replace("0", "O"),
        CODE.replace("1", "l"),
        CODE.replace("1", "I"),
    ],
)
def test_a_code_may_be_typed_as_it_is_read(typed: str) -> None:
    """Case, groups and look-alikes do not matter."""
    assert code_hash("usr_1", typed) == code_hash("usr_1", CODE)


@pytest.mark.parametrize("typed", ["", CODE[:-1], f"{CODE}5", "\ud800", "x" * 100_000])
def test_another_code_is_another(typed: str) -> None:
    """However odd."""
    assert code_hash("usr_1", typed) != code_hash("usr_1", CODE)


def test_a_code_is_one_persons() -> None:
    """Two people with one code would have two hashes."""
    assert code_hash("usr_1", CODE) != code_hash("usr_2", CODE)
