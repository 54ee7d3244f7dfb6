"""What a page changes: promise 4 as a table, and its parts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import BadItem, Item, Page
from connectors.keeping.compare import Destroyed, Head, Row, absent, compare, digest_of, rows_of
from connectors.keeping.pages import What

AT = datetime(2026, 11, 22, tzinfo=UTC)
ROW = Row(id="x", native_id="1", payload=b"p", content=b"c", digest=b"d", context={}, scope="")
HEAD = Head("x", "1", 3, b"c", b"d", False, False, 0, AT)  # noqa: FBT003  a record's fields in their order

other = msgspec.structs.replace


@pytest.mark.parametrize(
    ("row", "head", "what", "revision"),
    [
        (ROW, None, What.NEW, 1),
        (ROW, HEAD, None, None),
        (other(ROW, digest=b"likes"), HEAD, What.REFRESHED, 3),
        (other(ROW, content=b"words", digest=b"x"), HEAD, What.CHANGED, 4),
        (other(ROW, deleted=True), HEAD, What.WITHDRAWN, 4),
        (other(ROW, deleted=True), None, What.WITHDRAWN, 1),
        (other(ROW, deleted=True), other(HEAD, withdrawn=True), None, None),
        (ROW, other(HEAD, withdrawn=True), What.CHANGED, 4),
        (other(ROW, bad="no id"), None, What.BAD, 1),
        (other(ROW, bad="no id"), other(HEAD, parked=True), None, None),
        (other(ROW, bad="no id", digest=b"x"), other(HEAD, parked=True), What.BAD, 4),
        (other(ROW, bad="no id"), HEAD, What.BAD, 4),
        (ROW, other(HEAD, parked=True), What.CHANGED, 4),
        (absent(HEAD, "a"), HEAD, What.WITHDRAWN, 4),
        # Its text is no longer kept: new likes do not bring it back, new words of its author are another matter.
        (other(ROW, digest=b"likes"), other(HEAD, destroyed=Destroyed.EXPIRED), None, None),
        (other(ROW, content=b"words", digest=b"x"), other(HEAD, destroyed=Destroyed.EXPIRED), What.CHANGED, 4),
        (other(ROW, deleted=True), other(HEAD, destroyed=Destroyed.EXPIRED), What.WITHDRAWN, 4),
        (other(ROW, content=b"words", digest=b"x"), other(HEAD, destroyed=Destroyed.ERASED), None, None),
        (other(ROW, deleted=True), other(HEAD, destroyed=Destroyed.ERASED), None, None),
        (other(ROW, bad="no id"), other(HEAD, destroyed=Destroyed.ERASED), None, None),
    ],
)
def test_what_a_row_is(row: Row, head: Head | None, what: What | None, revision: int | None) -> None:
    changes = compare([row], {} if head is None else {"x": head})

    assert [(change.what, change.revision) for change in changes] == ([] if what is None else [(what, revision)])


def test_what_was_never_seen_alive_and_what_cannot_be_read_is_not_handed_on() -> None:
    rows = [ROW, other(ROW, deleted=True), other(ROW, bad="no id")]

    assert [compare([row], {})[0].is_handed_on for row in rows] == [True, False, False]


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_other_words_have_another_digest(first: list[str], second: list[str]) -> None:
    """Also where the parts run together to the same whole."""
    assert (digest_of(first) == digest_of(second)) == (first == second)


items = st.builds(
    Item,
    native_id=st.sampled_from("abc"),
    payload=st.sampled_from([b"1", b"2"]),
    content=st.sampled_from([("x",), ("y",)]),
    deleted=st.booleans(),
)


def after(rows: dict[str, Row], heads: dict[str, Head]) -> dict[str, Head]:
    """What the store holds once these changes are in."""
    known = dict(heads)
    for change in compare(rows.values(), heads):
        row = change.row
        known[row.id] = Head(
            row.id, row.native_id, change.revision, row.content, row.digest, row.deleted, row.bad is not None, 0, AT
        )
    return known


def page(read: list[Item], bad: list[BadItem]) -> Page:
    return Page(offered=(), items=tuple(read), bad=tuple(bad), cursor=None)


@given(st.lists(st.lists(items, max_size=4), max_size=5), st.booleans())
def test_a_page_that_comes_again_changes_nothing(history: list[list[Item]], spoiled: Any) -> None:
    heads: dict[str, Head] = {}
    for read in history:
        bad = [BadItem(native_id="a", payload=b"{", reason="not JSON")] if spoiled else []
        rows = rows_of("board", page(read, bad))
        heads = after(rows, heads)

        assert compare(rows.values(), heads) == []
