"""What must hold of masks whatever the value: something is hidden, and the rest says little."""

from __future__ import annotations

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from models.labels import BULLET, LABELS, mask_email, mask_phone
from models.vocabulary import Label
from tests.properties.policies import QUICK

LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABC0123456789éüñßжяλ東"
local_parts = st.text(LETTERS + "._+-'", min_size=1, max_size=20)
domains = st.lists(st.text(LETTERS + "-", min_size=1, max_size=12), min_size=1, max_size=4).map(".".join)
emails = st.builds("{}@{}".format, local_parts, domains)


@QUICK
@given(local_parts, domains)
def test_a_masked_email_hides_both_its_halves(local: str, domain: str) -> None:
    """It keeps its one `@`, shows at least one bullet, and holds neither the local part nor the domain whole."""
    masked = mask_email(f"{local}@{domain}")
    shown_local, shown_domain = masked.split("@")
    assert BULLET in masked
    assert local not in shown_local
    assert domain not in shown_domain


@QUICK
@given(emails, emails)
def test_masked_emails_tell_no_length(one: str, other: str) -> None:
    """All that is shown besides the bullets is a first letter and a top-level domain."""
    for email in (one, other):
        shown_local, shown_domain = mask_email(email).split("@")
        top = shown_domain.replace(BULLET, "").removeprefix(".")
        assert shown_local.replace(BULLET, "") in (email[0], "")
        assert shown_local.count(BULLET) == shown_domain.count(BULLET) == 3
        assert top == "" or email.endswith(f".{top}")
        assert "." not in top


@QUICK
@given(st.text("0123456789 +-()./", max_size=25))
def test_a_masked_phone_shows_two_digits_at_most(phone: str) -> None:
    """Bullets, and at most the last two digits."""
    masked = mask_phone(phone)
    shown = masked.replace(BULLET, "")
    digits = "".join(c for c in phone if c.isdigit())
    assert BULLET in masked
    assert len(shown) <= 2
    assert digits.endswith(shown)


@QUICK
@given(st.text("0123456789", min_size=7, max_size=15), st.sampled_from(["", "+"]))
def test_a_masked_phone_shows_its_last_two_digits(digits: str, plus: str) -> None:
    """Of any number that ITU-T E.164 knows: up to fifteen digits, in practice seven or more."""
    assert mask_phone(plus + digits).replace(BULLET, "") == digits[-2:]


@QUICK
@given(st.sampled_from(Label), st.text(LETTERS + "@. ", max_size=20) | st.integers())
def test_every_mask_hides_something(label: Label, value: object) -> None:
    """No label's mask shows a value as it is."""
    masked = LABELS[label].mask(value)
    assert BULLET in masked
    assert masked != value
