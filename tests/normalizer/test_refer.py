"""What is not ours to dispatch is seen, and so is who is complained about."""

from collections.abc import Callable

import pytest

from normalizer.appeal import Appeal


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("119", "楼下着火了"),
        ("110", "有人持刀砍人"),
        ("praise", "特此感谢社区工作人员，为他们点赞"),
        ("N3", "测试一下"),
        ("N1", "不服法院判决，法官判错了，要求再审，执行局不执行"),
        ("petition", "信访事项的复查复核意见不合理，信访局答复拖延，要求信访复查"),
        ("N5", "江门市蓬江区的路灯坏了没人修"),
        (None, "小区路灯坏了没人修"),
        (None, "物业把我们告到法院，物业费从来不公开，小区垃圾没人清，要求更换物业公司"),
        (None, "我是从长沙市岳麓区来的，云泽市的公交车等太久"),
    ],
)
def test_referrals(code: str | None, text: str, read: Callable[..., Appeal]) -> None:
    assert read(text).signals.referral == code


@pytest.mark.parametrize(
    ("accused", "text"),
    [
        (["城管局"], "城管局执法人员态度恶劣，当街骂人"),
        (["派出所"], "报警以后派出所不作为，人也不来"),
        (["交警大队"], "我要投诉交警大队，处理事故不公"),
        (["居委会"], "居委会互相推诿，垃圾没人管"),
        ([], "向城管局投诉了三次，烧烤店油烟还是直排"),
        ([], "投诉到派出所也没有用，邻居还是半夜吵"),
        ([], "物业不作为，请住建局管一管"),
        ([], "请问社保局几点上班？"),
    ],
)
def test_the_accused_are_those_complained_about_not_those_turned_to(
    accused: list[str], text: str, read: Callable[..., Appeal]
) -> None:
    assert read(text).signals.accused == accused
