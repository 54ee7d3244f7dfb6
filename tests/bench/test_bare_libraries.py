import msgspec
import pytest
from bson import decode

from bench.bare_libraries import chain, clean, keywords_of, personal_data
from bench.texts import letters, places


def test_the_chain_does_what_each_library_is_there_for() -> None:
    texts = [letter.text for letter in letters(200)]
    run = chain(keywords_of(texts), places())

    as_json, as_bson = run("<p>我家住望湖区柳荫街道柳荫社区，這裏的路燈壞了，联系电话13900001234。</p>")

    record = msgspec.json.decode(as_json)
    assert record["text"] == "我家住望湖区柳荫街道柳荫社区，这里的路灯坏了，联系电话13900001234。"
    assert record["place"] == ["望湖区", "柳荫街道", "柳荫社区"]
    assert [kind for kind, _, _ in record["found"]] == ["mobile"]
    assert decode(as_bson)["text"] == record["text"]


def test_about_22_keywords_stand_in_a_text() -> None:
    """The figure that the libraries were chosen at; twice as many would make the baseline slow."""
    texts = [letter.text for letter in letters(500)]
    keywords = keywords_of(texts)
    run = chain(keywords, {"望湖区": ("望湖区",)})

    hits = [len(msgspec.json.decode(run(text)[0])["keywords"]) for text in texts]

    assert len(keywords) == len(set(keywords)) == 3000
    assert 15 <= sum(hits) / len(hits) <= 30


@pytest.mark.parametrize(
    ("dirty", "clean_"),
    [
        ("\r\n\t\t　　路灯\xa0\r\n", "路灯"),
        ("<p>&nbsp;路灯</p><br/>", "路灯"),
        ("１３８ＡＢ", "138AB"),
        ("路灯", "路灯"),
    ],
)
def test_clean_takes_off_the_usual_dirt(dirty: str, clean_: str) -> None:
    assert clean(dirty) == clean_


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("身份证号11010519491231002X。", ["resident"]),
        ("身份证号110105194912310021。", []),
        ("邮箱 someone1@example.com。", ["mail"]),
        ("加vx：abc_12345", ["wechat"]),
        ("QQ：12345678", ["qq"]),
        ("联系人：王小明，", ["name"]),
        ("路灯不亮", []),
    ],
)
def test_personal_data_is_found_by_exact_patterns(text: str, kinds: list[str]) -> None:
    found = [kind for kind, _, _ in personal_data(text)]

    assert [kind for kind in found if kind != "bank"] == kinds
