"""An item's identity is written into every collection and every message: it may never be another."""

import hashlib
from base64 import b32hexencode

from hypothesis import given
from hypothesis import strategies as st

from connectors.raw_appeal import appeal_id

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(NAMES, NAMES)
def test_an_id_is_120_bits_in_the_digits_of_rfc_4648(source: str, native_id: str) -> None:
    digest = hashlib.blake2b(f"{source}\0{native_id}".encode(), digest_size=15).digest()
    assert appeal_id(source, native_id) == b32hexencode(digest).decode().lower()


def test_an_id_is_the_same_for_ever() -> None:
    assert appeal_id("bench-hotline", "B0001501") == "2ggg1447knft184s8cg7uc6r"
