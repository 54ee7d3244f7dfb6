"""A request of a message that ends with a revision, without a department: its source is owed the news of the end."""

from __future__ import annotations

from dataclasses import replace as with_fields
from datetime import timedelta

import pytest
from msgspec.structs import replace

from normalizer.appeal import Appeal, Change, Links
from router.flow import route_page
from tests.router.city import appeal, handed, revised
from tests.router.conftest import Street


def part(name: str, other: str, to: str) -> Appeal:
    return replace(appeal(name, to), links=Links(same_message=[other]))


@pytest.mark.parametrize(("to", "change"), [("informed", Change.CHANGED), (None, Change.WITHDRAWN)])
@pytest.mark.parametrize("answered", [True, False])
async def test_a_revision_that_ends_a_request_owes_its_source_the_end(
    street: Street, to: str | None, change: Change, *, answered: bool
) -> None:
    room = with_fields(street.room, answering={"s": timedelta(hours=1)} if answered else {})
    one, other = part("m", "m-2", "ZJJ"), part("m-2", "m", "triage")
    await route_page(street.appeals.keep(handed(one), handed(other)), room)
    ended = revised(other, to) if to else revised(other)
    for _ in range(2):
        await route_page(street.appeals.keep(handed(ended, change)), room)
    handling = (await street.cases())["m-2"].handling
    told = [(row.status, row.state) for row in handling.answers] if handling else []
    assert told == ([("closed", "pending")] if answered else [])
