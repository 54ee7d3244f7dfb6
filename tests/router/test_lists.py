"""What is asked again and again is answered from an index: a city's collection has millions of cases."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from router.delivering import deliver_forgotten
from router.flow import route_page
from tests.router.city import appeal, handed
from tests.router.conftest import Street

Ask = Callable[[Street], Awaitable[object]]

#: The clock, the sweeps and the screens ask these every few seconds.
ASKED: dict[str, Ask] = {
    "due": lambda street: street.store.lists.due(street.now() + timedelta(days=30)),
    "to_answer": lambda street: street.store.lists.to_answer(street.now()),
    "answers_parked": lambda street: street.store.lists.answers_parked(),
    "triage": lambda street: street.store.lists.triage(),
    "waiting_critical": lambda street: street.store.lists.waiting_critical(street.now()),
    "parked": lambda street: street.store.lists.parked(),
    "parked of one": lambda street: street.store.lists.parked(department="ZJJ"),
    "at_work": lambda street: street.store.lists.at_work(["in_progress"]),
    "at_work of one": lambda street: street.store.lists.at_work(["in_progress"], department="ZJJ"),
    "visits": lambda street: street.store.lists.visits(),
    "visits since": lambda street: street.store.lists.visits(street.now()),
    "counts_by_work": lambda street: street.store.lists.counts_by_work(),
    "unsent": lambda street: street.store.lists.unsent(),
    "forgotten": lambda street: deliver_forgotten(street.room),
}


@pytest.mark.parametrize("name", ASKED)
async def test_no_question_that_is_asked_again_and_again_reads_all_cases(street: Street, name: str) -> None:
    await route_page(street.appeals.keep(*(handed(appeal(f"a{n}", "ZJJ")) for n in range(5))), street.room)
    database = street.database
    await database.command({"profile": 2})
    try:
        await ASKED[name](street)
    finally:
        await database.command({"profile": 0})
    asked = await database["system.profile"].find({"ns": f"{database.name}.cases"}).to_list(None)

    assert asked
    assert [one["planSummary"] for one in asked if one.get("planSummary", "COLLSCAN") == "COLLSCAN"] == []
