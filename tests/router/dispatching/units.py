"""A small city for pure tests: three levels, two districts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from router.dispatching.directory import Directory, Unit
from router.dispatching.tables import Tables, load_tables

UNITS = (
    Unit(code="CGJ", name="云泽市城市管理局", short="城管局", role="CGJ", aliases=["市城管局"], fallback=True),
    Unit(code="CGJ_WH", name="望湖区城市管理局", short="望湖城管", role="CGJ", area="望湖区", parent="CGJ"),
    Unit(code="CGJ_LY", name="柳荫街道城管中队", short="柳荫城管", role="CGJ", area="望湖区/柳荫街道", parent="CGJ_WH"),
    Unit(code="ZJJ", name="云泽市住房和城乡建设局", short="住建局", role="ZJJ", aliases=["住建委"]),
    Unit(code="GAJ", name="云泽市公安局", short="公安局", role="GAJ", aliases=["派出所"]),
    Unit(code="JJZD", name="云泽市交警支队", short="交警支队", role="JJZD", parent="GAJ"),
    Unit(code="SCJ", name="云泽市市场监督管理局", short="市场监管局", role="SCJ"),
    Unit(code="WJW", name="云泽市卫生健康委员会", short="卫健委", role="WJW", covers=["第一医院"]),
    Unit(code="ZWJ", name="云泽市政务服务管理局", short="政务局", role="ZWJ"),
    Unit(code="JW", name="云泽市纪委监委", short="纪委监委", role="JW", kind="na"),
    Unit(
        code="QX_WH", name="望湖区人民政府", short="望湖区政府", role="QXZF", area="望湖区", kind="terr", fallback=True
    ),
    Unit(
        code="JD_LY",
        name="柳荫街道办事处",
        short="柳荫街道",
        role="JDB",
        area="望湖区/柳荫街道",
        kind="terr",
        parent="QX_WH",
    ),
    Unit(code="WATER_N", name="城北水厂", short="北水", role="GSGS", area="青枫区", kind="util"),
    Unit(code="WATER_S", name="城南水厂", short="南水", role="GSGS", area="青枫区", kind="util"),
)


@cache
def packaged() -> Tables:
    return load_tables(taxonomy_version="t1", ref_key=b"k" * 32)


@cache
def city() -> Tables:
    return replace(packaged(), directory=Directory("d1", "云泽市", UNITS, packaged().directory.kinds))
