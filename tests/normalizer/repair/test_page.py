"""A text is taken off the page it stood on; every sentence of it stays."""

import pytest

from normalizer.draft import Draft
from normalizer.steps.clean import clean_text
from normalizer.steps.repair.page import off_page

BODY = "我们小区的路灯从上个月开始就不亮了，晚上出门很不方便。\n物业说要等维修基金，居委会说要等物业，没有一个准话。"


@pytest.mark.parametrize(
    ("head", "tail", "repair"),
    [
        ("亚洲精品在线观看_国产毛片_久久一区二区\n", "", "spam"),
        ("", "\n澳门百家乐_真人娱乐_棋牌平台", "spam"),
        ("首页 > 民生 > 正文\n", "", "furniture"),
        ("网站首页 | 网站地图\n", "", "furniture"),
        ("小字号分享让更多人看到\n", "", "furniture"),
        ("", "\n返回顶部", "furniture"),
        ("", "\n(责任编辑：某某)", "furniture"),
        ("", "（责任编辑：某某）", "furniture"),
        ("", "\n版权声明：凡注明来源的作品，未经许可不得转载。\n违者必究。", "furniture"),
        ("", "\n上一篇：停水通知\n下一篇：停电通知", "furniture"),
    ],
)
def test_what_belongs_to_the_page_goes(head: str, tail: str, repair: str) -> None:
    made = off_page(f"{head}{BODY}\n请尽快处理。{tail}")

    assert made.text == f"{BODY}\n请尽快处理。"
    assert {spot.repair for spot in made.spots} == {repair}


def test_noise_of_scrapers_goes() -> None:
    made = off_page("诉@@求人信息受法律保护@@，请派人来。9sd}Z,l\n路灯坏了。&5S]nE")

    assert made.text == "诉求人信息受法律保护，请派人来。\n路灯坏了。"
    assert {spot.repair for spot in made.spots} == {"at_signs", "latin_tail"}


@pytest.mark.parametrize(
    "text",
    [
        "举报一个网站，全是黄色小视频、棋牌、百家乐，请查处。\n网址在下面。\n谢谢。",
        "请看http://a.example.com/x?y=1。\n车牌是湘A12345！\n邮箱a@b.com。",
        "联系人：某先生\n地址：三栋\n责任单位：物业",
        "停电了!!!\n请来人OK!!\n真的[doge]",
        "首页打不开\n返回顶部的按钮坏了，请修复网站。\n谢谢",
        "第一条、路灯不亮\n第二条、井盖松动\n第三条、垃圾成堆\n第四条、绿化太差",
        "尊敬的领导\n您好\n我家停水了，三天没有人来修，请尽快处理\n谢谢",
    ],
)
def test_what_somebody_wrote_stays(text: str) -> None:
    assert off_page(text).text == text


def test_a_sentence_cut_by_the_end_of_a_column_is_joined() -> None:
    first = "居民反映小区东门的路灯不亮，物业多次报修。街道安排人员到现场查看，并要求供电单"
    made = off_page(f"路灯亮了\n{first}\n位在三天之内修好，方便居民出行。\n居民们都说好。")

    assert made.text == f"路灯亮了\n{first}位在三天之内修好，方便居民出行。\n居民们都说好。"
    assert [spot.repair for spot in made.spots] == ["columns"]


def test_a_narrow_column_is_joined() -> None:
    text = (
        "近日，望湖区各单位纷纷开展入户走访活动，深入每一个社区、每一户家庭，与群众面对面交流，"
        "着力解决停车、充电、路灯维修等方面的问题，为大家营造舒适的环境。"
    )
    column = "\n".join(text[at : at + 14] for at in range(0, len(text), 14))

    assert off_page(column).text.count("\n") <= 1
    assert off_page(column).text.replace("\n", "") == text


def test_an_empty_shell_of_tags_leaves_only_the_words() -> None:
    shell = '<dfn id="frt51"><code id="q1"></code></dfn><p>路灯坏了<dfn id="x"></dfn></p><code id="z"></code>'

    assert clean_text(shell, Draft()) == "路灯坏了"
