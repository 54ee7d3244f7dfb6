"""The citizens of the demonstration, all invented: names, numbers and ways to write."""

from __future__ import annotations

import random

import msgspec

SURNAMES = "陈林黄周吴徐孙马朱胡郭何高罗郑梁谢宋唐许邓冯韩曹曾彭蔡潘田董袁余叶蒋杜苏魏吕丁沈任姚卢钟姜崔谭廖范汪陆金石"
GIVEN = (
    "秀兰",
    "建军",
    "桂英",
    "志远",
    "雨晴",
    "浩然",
    "晓燕",
    "德发",
    "玉珍",
    "佳琪",
    "国庆",
    "思源",
    "美玲",
    "振华",
    "欣怡",
    "大勇",
    "翠花",
    "子轩",
    "春梅",
    "长河",
    "若水",
    "俊杰",
    "阿妹",
    "永福",
)
NICKNAMES = (
    "湖边钓鱼佬",
    "今天也要早睡",
    "石桥老张头",
    "云泽小鱼干",
    "一碗阳春面",
    "枫林夜归人",
    "不吃香菜",
    "港口的风",
    "晚钟楼下",
    "新手奶爸",
    "退休教师老周",
    "楼下的猫",
    "柠檬不酸",
    "骑行去南屏",
    "竹溪山里人",
    "打工人阿强",
    "三号楼业主",
    "麦芽糖",
    "潮起潮落",
    "热心市民小顾",
    "双河放牛娃",
    "两个娃的妈",
    "夜班公交",
    "铁炉旧事",
    "书院墙外",
    "青溪一叶舟",
    "匿名用户7731",
    "momo",
    "用户9036625",
    "考研中勿扰",
    "海员家属",
    "白鹭飞过",
)


class Person(msgspec.Struct, frozen=True):
    """Somebody who writes or calls."""

    uid: int  #: 0 is anonymous
    name: str
    sex: str
    mobile: str
    nickname: str


def somebody(rng: random.Random, uid: int) -> Person:
    """Invent a citizen: the number is of a block that examples use."""
    name = rng.choice(SURNAMES) + rng.choice(GIVEN)
    nickname = rng.choice(NICKNAMES)
    return Person(uid=uid, name=name, sex=rng.choice("男女"), mobile=mobile(rng), nickname=nickname)


def mobile(rng: random.Random) -> str:
    """Invent a mobile number (手机号) that looks right."""
    return f"138000{rng.randrange(100000):05d}"


def resident_id(rng: random.Random) -> str:
    """Invent a resident id (身份证号) with a valid check digit, of a region and a day that do not exist."""
    body = f"999901{rng.randrange(1955, 2004)}0230{rng.randrange(1000):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


def mail(rng: random.Random) -> str:
    """Invent an e-mail address of a domain that is kept for examples."""
    return f"{rng.choice(('laochen', 'xiaoyu', 'wangxq', 'lily', 'zhou.sy'))}{rng.randrange(10, 99)}@example.com"
