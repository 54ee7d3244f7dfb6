"""The letters of two years, imported: the events that were found by eye, and the pairs that were judged by reading.

Only ids are kept here; the letters are read where they lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.house import opened

HERE = Path(__file__).parent
LETTERS = HERE.parents[3] / "shared" / "data" / "appeals_stream_4326.csv"
SETTINGS = HERE.parents[2] / "demo" / "letters" / "intake.toml"
#: An event of fewer people than this need not be among the first twenty.
LARGE = 5

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not LETTERS.exists(), reason="the letters are not here: ../shared/data/appeals_stream_4326.csv"),
]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def focus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Row]]:
    with opened(tmp_path_factory.mktemp("letters"), SETTINGS.read_text(encoding="utf-8")) as house:
        house.intake("import", str(LETTERS), "--source", "letters")
        yield house.json("focus")


def noted(file: str) -> dict[str, list[str]]:
    """Read what was written down, by its headings."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in (HERE / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line and not line.startswith("#"):
            found.setdefault(name, []).append(line)
    return found


def events() -> dict[str, frozenset[str]]:
    """Read the events that were found by eye."""
    return {name: frozenset(" ".join(lines).split()) for name, lines in noted("known_events.txt").items()}


def test_ten_large_events_stand_once_among_the_first_twenty_nearly_whole_and_nearly_pure(focus: list[Row]) -> None:
    told, good = [], 0
    for name, members in events().items():
        rows = [row for row in focus if len(members & set(row["members"])) > len(members) / 2]
        assert len(rows) == 1, f"{name} stands {len(rows)} times"
        (row,) = rows
        inside = members & set(row["members"])
        recall, purity = len(inside) / len(members), len(inside) / len(row["members"])
        told.append(f"{name}: rank {row['rank']}, recall {recall:.2f}, purity {purity:.2f}")
        good += row["rank"] <= 20 and recall >= 0.8 and purity >= 0.95
    assert good >= 11, "\n".join(told)


@pytest.mark.parametrize("draw", ["first", "second", "third"])
def test_of_300_candidate_pairs_at_most_one_is_a_false_link(focus: list[Row], draw: str) -> None:
    home = {member: row["rank"] for row in focus for member in row["members"]}
    pairs = [line.split() for line in noted("judged_pairs.txt")[draw]]
    assert len(pairs) == 300
    linked = [(verdict, one, other) for verdict, one, other in pairs if one in home and home[one] == home.get(other)]
    assert len(linked) >= 25
    # Whatever was not read as one matter counts as false.
    assert len([pair for pair in linked if pair[0] != "="]) <= 1, linked


def test_rows_are_ranked_by_people_and_people_are_not_voices(focus: list[Row]) -> None:
    people = [row["people"] for row in focus]
    assert people == sorted(people, reverse=True)
    assert [row["rank"] for row in focus] == list(range(1, len(focus) + 1))
    assert all(row["people"] <= row["voices"] == len(row["members"]) for row in focus)
    assert len([member for row in focus for member in row["members"]]) == len(
        {m for row in focus for m in row["members"]}
    )
    assert all(("strong" in row["criteria"]) >= (row["people"] >= LARGE) for row in focus)
