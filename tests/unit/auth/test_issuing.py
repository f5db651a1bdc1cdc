"""What several proofs amount to."""

from __future__ import annotations

import pytest

from auth.issuing import united


@pytest.mark.parametrize(
    ("proofs", "strong"),
    [
        ([["pwd"]], False),
        ([["otp"]], False),
        ([["otp"], ["otp"]], False),
        ([["hwk"]], False),
        ([["pwd"], ["otp"]], True),
        ([["pwd"], ["hwk"]], True),
        ([["hwk", "user"]], True),
        ([["mfa"], ["pwd"]], True),
        ([[], []], False),
    ],
    ids=str,
)
def test_two_kinds_of_proof_are_mfa(proofs: list[list[str]], strong: bool) -> None:
    """What one knows and what one has (RFC 8176); the same kind twice is one."""
    methods = united(*proofs)
    assert ("mfa" in methods) is strong
    assert methods - {"mfa"} == {each for proof in proofs for each in proof} - {"mfa"}
