"""What one normalize costs, all steps on, for appeals of about 150 characters: microseconds of CPU, and where.

python bench/normalize_speed.py [--rounds 7] [--steps]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import median
from time import process_time

from connectors.raw_appeal import RawAppeal, appeal_id
from normalizer.build import normalized
from normalizer.mappers import MAPPERS
from normalizer.normalize import STEPS, normalize
from normalizer.tables import Tables, load_tables

KEY = b"speed" * 6
PLACES = Path(__file__).parent.parent / "demo" / "city" / "places.toml"

#: Written for this bench; plain, dirty, with a number, Traditional, long-winded, short of breath.
TEXTS = (
    (
        "您好，我是望湖区柳荫街道荷风社区的居民。小区东门外的路灯从上个月十号开始就不亮了，一共有六盏，晚上下班回来黑灯瞎火，前天还有一位老人在台阶上摔了一跤。"
        "我们向物业反映过三次，物业说路灯归市政管，让我们自己去找，打了两次电话都说登记了，到今天也没有人来看过，希望有关部门尽快派人维修，谢谢。"
    ),
    (
        "投诉楼下新开的烧烤店，排烟管直接对着居民楼三单元的窗户，每天晚上六点到凌晨一点油烟直排，家里根本不敢开窗。跟老板沟通过，他说装了净化器，可是味道一点没有少，"
        "老人有哮喘，孩子第二天还要上学。请城管部门来检查一下他们有没有手续，净化器是不是在用，晚上的噪音能不能也管一管，联系电话13800138000。"
    ),
    (
        "<p>请问领导，我的户口在云溪县，社保在市里交了十一年，今年五月公司搬走了，现在想把社保转回老家去。&nbsp;打电话问了三个地方，说法都不一样，有的说要先停保，有的说可以直接转。</p>"
        "<p>请问需要带哪些材料，到哪个窗口办理，能不能在网上办，大概多少天可以办好？我人在外地打工，来回一趟要请两天的假，不想白跑，麻烦告知，谢谢。</p>"
    ),
    (
        "我们一共二十三个人，今年三月到九月在临港区的安置房工地上做木工，包工头说项目结束就结账，可是到现在工资一分钱都没有给，打电话不接，去项目部找人，说钱早就给了包工头。"
        "大家都是从外地来的，家里等着钱过年，孩子的学费还是借的。我们手里有考勤表，也有他写的欠条，恳请劳动监察部门帮我们讨回血汗钱，拜托了。"
    ),
    (
        "昨天下午在青枫区的公交站等车，等了四十多分钟一班车都没有来，站牌上写的是十二分钟一班。好不容易来了一辆，司机没有停就开过去了，车上明明还有很多空位。"
        "这条线路最近一个月经常这样，尤其是早上七点到八点，学生和上班的人都挤在一起。建议公交公司增加班次，也请管一管甩站的司机，给一个答复。"
    ),
)


def raws() -> list[RawAppeal]:
    made = []
    for number in range(500):
        text = TEXTS[number % len(TEXTS)]
        row = {
            "text": text[:150] if not text.startswith("<") else text[:170],
            "title": text[2:18],
            "author": f"网友{number}",
            "likes": number,
        }
        native = str(number)
        made.append(
            RawAppeal(
                id=appeal_id("speed", native),
                source="speed",
                kind="line",
                channel="forum",
                native_id=native,
                payload=json.dumps(row, ensure_ascii=False).encode(),
            )
        )
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", action="store_true")
    options = parser.parse_args()
    tables = load_tables(places=PLACES if PLACES.exists() else None)
    page = raws()
    times = []
    for _ in range(options.rounds):
        begin = process_time()
        for raw in page:
            normalize(raw, tables, KEY)
        times.append((process_time() - begin) / len(page) * 1e6)
    print(f"normalize: {median(times):.1f} µs an appeal (best {min(times):.1f}), {1e6 / median(times):.0f} a second")
    if options.steps:
        for name, spent in by_step(page, tables).items():
            print(f"  {name:<12} {spent:6.1f} µs")
    return 0


def by_step(page: list[RawAppeal], tables: Tables) -> dict[str, float]:
    spent: dict[str, float] = {"map": 0.0, **{step.__name__: 0.0 for step in STEPS}, "build": 0.0}
    for raw in page:
        begin = process_time()
        draft = MAPPERS[raw.kind](raw)
        end = process_time()
        spent["map"] += end - begin
        for step in STEPS:
            begin = end
            step(draft, tables)
            end = process_time()
            spent[step.__name__] += end - begin
        begin = end
        normalized(raw, draft, tables, KEY)
        spent["build"] += process_time() - begin
    return {name: value / len(page) * 1e6 for name, value in spent.items()}


if __name__ == "__main__":
    sys.exit(main())
