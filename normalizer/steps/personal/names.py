"""Names (姓名), only beside a cue, and only where something stands behind that follows names: 96 of 100 were right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from normalizer.steps.personal.found import Found
from normalizer.words import Span

_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄"
    "和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉龚程"
    "嵇邢裴陆荣翁荀羊於惠甄曲封芮储靳井段富巫乌焦巴弓牧隗山谷车侯全班仰秋仲伊宫宁仇栾甘厉戎祖武符刘景詹束龙叶幸司韶黎薄印宿白怀蒲邰从索咸籍赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳姬申扶堵冉宰雍璩桑桂"
    "牛寿通边扈燕冀浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终居衡步都耿满弘匡国文寇广禄东欧利蔚越隆师巩聂晁敖融訾辛阚那简饶空曾沙养鞠须丰关蒯相查荆红游竺权盖桓公肖涂仝闫付代岳佟樊楚"
)
COMPOUND_SURNAMES = (
    *("欧阳", "太史", "端木", "上官", "司马", "东方", "独孤", "南宫", "夏侯", "诸葛", "尉迟"),
    *("皇甫", "慕容", "司徒", "令狐", "长孙", "宇文", "鲜于", "闾丘", "公孙", "轩辕", "呼延"),
)
_COMPOUND = "|".join(COMPOUND_SURNAMES)
_HAN = "\u4e00-\u9fa5"
_NAMED = f"(?:{_COMPOUND})[{_HAN}]{{1,2}}|[{_SURNAMES}][{_HAN}]{{1,2}}"
_ENDS = (
    r"(?=[，,。、；;：:！!？?（(）)\s*\d〔]|$|男|女|先生|女士|[是在于住今现年来家身籍，]|电话|手机|身份证"
    r"|联系|系|号码|微信|的(?:手机|电话|身份证|儿子|女儿))"
)
#: A bare cue (本人怀孕, 当事人家庭) asks for more behind the name.
_ENDS_CLEARLY = (
    r"(?=[，,（(：:〔]|，男|，女|男，|女，|住在|家住|现住|身份证|电话|手机|[、]?系[^统列]"
    r"|是[^\n，。]{1,12}(?:业主|居民|村民|职工|员工|学生|家属))"
)
_KIN = (
    "母亲|父亲|爸爸|妈妈|爸|妈|妻子|丈夫|爱人|老公|老婆|儿子|女儿|孩子|小孩|奶奶|爷爷|外婆|外公|哥哥|弟弟|姐姐"
    "|妹妹|公公|婆婆|岳父|岳母|孙子|孙女|同事|邻居|朋友|表哥|表弟|舅舅|叔叔|伯父"
)
_NAME = re.compile(
    rf"(?:(?:我|本人|小女|儿子|女儿|父亲|母亲|丈夫|妻子|老公|老婆|名字|姓名|户主|老板|房东|业主|邻居|店主"
    rf"|负责人|法人|他|她|对方|那人|司机|村民|居民)(?:的名字)?(?:叫做?"
    rf"|名叫|姓名是|名为)"
    rf"|(?:联系人|姓名|投诉人|反映人|申请人|户主|当事人|举报人|业主姓名|本人|收款人|户名|开户名|负责人|报案人"
    rf"|来信人|署名|法定代表人|死者|伤者|患者|家属)(?:(?:是|为|叫)\s?"
    rf"|\s{{0,2}}[:：]\s{{0,2}}))((?:{_NAMED})(?<!联(?=系))){_ENDS}"
    rf"|(?:联系人|投诉人|反映人|申请人|户主|当事人|举报人|报案人|来信人|患者|伤者|死者|本人|我是)((?:{_NAMED})(?<!联(?=系))){_ENDS_CLEARLY}"
    rf"|(?:我|本人)的?(?:{_KIN})(?:名?叫|是)?((?:{_NAMED})(?<!联(?=系)))(?=[，,。、（(：:；〔]|今年|现年"
    rf"|身份证|电话|手机|于[0-9]|在[^校家外]"
    rf"|住[在院]|[0-9])"
)
_NO_NAME = frozenset(
    [
        "何时", "何地", "何人", "何种", "何处", "都是", "居民", "党员", "时代", "公司", "小区", "单位",
        "业主", "家长", "学生", "农民", "广大", "文明", "常年", "成都", "包括", "全国", "全体", "全家",
        "通过", "应该", "相关", "连续", "和平", "安全", "平时", "国家", "高兴", "高度", "师傅", "解决",
        "经过", "经济", "居住", "能否", "终于", "从事", "从未", "向上", "满意", "于是", "方便", "时间",
        "就是", "强烈", "别人", "明天", "现在", "公务", "后来", "后期", "关于", "相信", "项目", "东西",
        "水电", "路过", "车主", "房东", "房主", "金额", "明明", "越来", "白天", "毕业", "成年",
        "高一", "高二", "高三", "高考", "高中", "高烧", "高龄", "于今", "于昨", "于去", "成绩", "应届",
        "曾经", "常常", "经常", "马上", "安排",
        "单独", "全部", "容易", "明白", "计划", "那边", "那时", "向阳", "水费", "方面", "相当", "许多",
        "万一", "万分", "空巢", "通知", "房子", "党组", "时常",
        "高血", "严重", "强制", "干活", "何况", "宁愿", "毕竟", "连夜", "连日", "别无", "常见", "和我",
        "和他", "和联", "及联", "习惯", "支付", "白血", "尚未", "车祸", "于是",
    ]
)  # fmt: skip
_NO_NAME_PART = frozenset(
    "的是了在有和与对为被把将向从到因就也都不没很住家业居想要来去于及或但请这那他她它们个位区县市镇乡村省街道路号楼栋小学中公司单人岁上下已又还才说给让叫让退病死亡"
)
_NO_SECOND = _NO_NAME_PART - frozenset("小中家有学国公上")
_NO_LAST = (_NO_NAME_PART - frozenset("来才栋和")) | frozenset("过")
SHORT = 2
#: A form of address behind a surname is none of the name.
_FORMS = ("先生", "女士", "小姐", "师傅", "老师", "阿姨", "大爷", "同志", "经理", "主任")

#: Cues with something of the name's before them, and cues that begin it.
CALLED_CUES = ("叫", "名叫", "名字", "名为", "本人叫", "我叫")
NAME_CUES = (
    *(
        "姓名",
        "联系人",
        "投诉人",
        "反映人",
        "申请人",
        "本人",
        "户主",
        "当事人",
        "举报人",
        "业主姓名",
        "我是",
        "收款人",
        "户名",
    ),
    *("开户名", "负责人", "报案人", "来信人", "署名", "法定代表人", "死者", "伤者", "患者", "家属"),
    *(f"我{kin}" for kin in _KIN.split("|")),
    *(f"我的{kin}" for kin in _KIN.split("|")),
)
#: What may stand right behind a cue that begins a name: the name, or what leads to it. Most are only words (本人住在).
LEADS = frozenset(
    _SURNAMES
    + "".join(one[0] for one in (*COMPOUND_SURNAMES, *_KIN.split("|")))
    + "的叫名姓是为:："
    + "".join(filter(str.isspace, map(chr, range(0x10000))))
)
#: How far around a cue a name is looked for; behind it, what ends the name must be in sight too.
_BEFORE, _BEHIND = 6, 24
_CALLER = re.compile("^(?:我叫|我名叫|我的名字|本人|我是|联系人|投诉人|反映人|申请人|举报人|来信人|报案人|署名|姓名)")


def names(text: str, called: Iterable[Span], begun: Iterable[Span]) -> Iterator[Found]:
    """Look only around the cues: these patterns are the dearest of all."""
    for start, end, _ in called:  # what is called stands before 叫
        one = _NAME.search(text, max(0, start - _BEFORE), end + _BEHIND)
        if one is not None:
            yield from _found(one)
    for start, end, _ in begun:
        one = _NAME.match(text, start, end + _BEHIND)
        if one is not None:
            yield from _found(one)


def _found(match: re.Match[str]) -> Iterator[Found]:
    group = match.lastindex or 1
    name = match[group]
    if is_name(name):
        yield Found(*match.span(group), "name", matter=_CALLER.match(match[0]) is None)


def is_name(name: str) -> bool:
    """Say whether characters behind a cue can be a name."""
    if name in _NO_NAME or name[:2] in _NO_NAME or name[1:] in _FORMS:
        return False
    if len(name) > SHORT:  # what no name of two ends with is at home in one of three: 华国栋, 郎小雨
        return name[1] not in _NO_SECOND and name[-1] not in _NO_LAST
    return name[-1] not in _NO_NAME_PART
