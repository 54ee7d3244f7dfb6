"""Own sentences, and what breaks them."""

from collections.abc import Callable
from pathlib import Path

import pytest

TEXTS = Path(__file__).parents[3] / "demo" / "texts"
SENTENCES = (
    "小区东门外的路灯从上个月十号开始就不亮了，一共有六盏，晚上下班回来黑灯瞎火。",
    "楼下新开的烧烤店每天晚上六点到凌晨一点油烟直排，家里根本不敢开窗。",
    "我们一共二十三个人在安置房工地上做木工，到现在工资一分钱都没有给。",
    "请问社保转回老家需要带哪些材料，到哪个窗口办理，大概多少天可以办好？",
    "昨天下午在公交站等了四十多分钟，司机没有停就开过去了，车上明明还有空位。",
    "幼儿园门口的斑马线磨得看不清楚，接送孩子的家长和电动车挤在一起，非常危险。",
    "物业公司说电梯维修基金不够，让每户再交三百元，可是账目一直没有公开。",
    "河边的垃圾堆了两个多星期，天气一热就发臭，苍蝇到处飞，附近居民苦不堪言。",
    "学校旁边的工地半夜还在打桩，孩子第二天要上课，希望有关部门管一管。",
    "自来水发黄已经三天了，打电话给供水公司，对方说正在抢修管道。",
)


@pytest.fixture(scope="session")
def sentences() -> tuple[str, ...]:
    return SENTENCES


@pytest.fixture(scope="session")
def clean_sentences() -> list[str]:
    """All lines of our own demonstration texts."""
    return [
        line.strip() for path in sorted(TEXTS.glob("*.txt")) for line in path.read_text("utf-8").splitlines() if line
    ]


def sloppy(raw: bytes) -> str:
    """Decode as browsers decode cp1252: what it does not know stays as it is."""
    return "".join(
        chr(code) if code in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes((code,)).decode("cp1252") for code in raw
    )


def slipped(text: str, at: int, mark: bytes) -> str:
    """Lose the first byte of a character, as it happens when a page is edited byte by byte."""
    before = text[:at].encode("gbk")
    return (before + mark + text[at:].encode("gbk")[1:]).decode("gb18030", "replace")


@pytest.fixture(scope="session")
def slip() -> Callable[[str, int, bytes], str]:
    return slipped


@pytest.fixture(scope="session")
def sloppily() -> Callable[[bytes], str]:
    return sloppy
