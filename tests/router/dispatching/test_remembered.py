"""What is remembered by place: asked for once, and never more places than a process can bear."""

from __future__ import annotations

import pytest

from router.dispatching import remembered
from router.dispatching.remembered import Area, ByPlace


def test_what_is_found_for_a_role_at_a_place_is_asked_for_once() -> None:
    asked: list[tuple[str, Area]] = []

    def find(role: str, area: Area) -> str:
        asked.append((role, area))
        return f"{role} of {'/'.join(area)}"

    by_place = ByPlace(find)
    for _ in range(2):
        assert by_place["望湖区",]["CGJ"] == "CGJ of 望湖区"
        assert by_place["青枫区",]["CGJ"] == "CGJ of 青枫区"
        assert by_place["青枫区",]["JDB"] == "JDB of 青枫区"
    assert asked == [("CGJ", ("望湖区",)), ("CGJ", ("青枫区",)), ("JDB", ("青枫区",))]


def test_no_more_places_are_kept_than_the_bound_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "PLACES", 3)
    by_place = ByPlace(lambda role, area: (role, *area))
    for number in range(10):
        assert by_place[str(number),]["CGJ"] == ("CGJ", str(number))
        assert len(by_place) <= 3
