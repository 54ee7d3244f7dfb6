"""The city's tables, read by those who use them."""

import tomllib
from pathlib import Path

from normalizer.appeal import Place
from router.dispatching.directory import Directory, read_directory

CITY = Path(__file__).parents[2] / "demo" / "city"


def table(name: str) -> dict[str, object]:
    return tomllib.loads((CITY / name).read_text("utf-8"))


def districts() -> dict[str, list[str]]:
    found = table("places.toml")["district"]
    assert isinstance(found, list)
    return {district["name"]: [street["name"] for street in district["street"]] for district in found}


def directory() -> Directory:
    return read_directory(CITY / "directory.toml", districts())


def test_there_are_six_districts_and_more_than_twenty_streets() -> None:
    assert list(districts()) == ["望湖区", "青枫区", "临港区", "石桥区", "南屏区", "云溪县"]
    assert sum(len(streets) for streets in districts().values()) >= 20


def test_every_point_of_interest_stands_in_a_street_and_a_community_that_exist() -> None:
    places = table("places.toml")
    found, pois = places["district"], places["poi"]
    assert isinstance(found, list)
    assert isinstance(pois, list)
    communities = {
        (f"{district['name']}/{street['name']}", community)
        for district in found
        for street in district["street"]
        for community in street["communities"]
    }
    assert len(pois) >= 60
    assert {(poi["area"], poi["community"]) for poi in pois} <= communities


def test_some_communities_share_a_name() -> None:
    """A name alone does not always say where."""
    found = table("places.toml")["district"]
    assert isinstance(found, list)
    names = [each for district in found for street in district["street"] for each in street["communities"]]
    assert names.count("新民社区") == names.count("永安社区") == 2


def test_all_kinds_of_units_are_there_and_more_than_sixty_units() -> None:
    units = directory()
    assert len(units) >= 100
    assert len(units.roles) == 51
    assert units.roles == units.known_roles


def test_a_role_and_a_place_lead_to_the_nearest_unit() -> None:
    units = directory()
    assert [unit.code for unit in units.resolve("CGJ", Place(district="望湖区"))] == ["CGJ_WANGHU"]
    assert [unit.code for unit in units.resolve("CGJ", Place())] == ["CGJ"]
    assert [unit.code for unit in units.resolve("JDB", Place(district="望湖区", street="柳荫街道"))] == ["JDB_LIUYIN"]
    assert [unit.code for unit in units.resolve("RQGS", Place(district="云溪县"))] == ["RQGS"]


def test_every_district_and_the_city_have_a_fallback() -> None:
    units = directory()
    for district in districts():
        fallback = units.fallback(Place(district=district))
        assert fallback is not None
        assert fallback.role == "QXZF"
    fallback = units.fallback(Place())
    assert fallback is not None
    assert fallback.code == "ZWJ"


def test_some_units_have_an_urgent_lane() -> None:
    assert [code for code, unit in directory().units.items() if unit.urgent_lane] == ["YJJ", "RQGS"]


def test_every_number_is_one_that_no_exchange_has() -> None:
    for unit in directory().units.values():
        assert unit.liaison is not None
        assert unit.liaison.phone.startswith("0000-")
        assert unit.duty_phone is not None
        assert unit.duty_phone.startswith("0000-")
