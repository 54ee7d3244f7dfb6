"""What is not dispatched but answered at the desk or handed over, and the sentence for it (不予受理与告知).

Codes N1 … N9 are those of domain/DOMAIN.md section 3.3. Each sentence says why and names the channel that is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from router.dispatch import Outcome


class Informed(msgspec.Struct, frozen=True):
    """How a code ends, in words."""

    outcome: Outcome
    sentence: str


_DESK = Outcome.INFORMED
_OVER = Outcome.HANDED_OVER

INFORMED: Mapping[str, Informed] = MappingProxyType(
    {
        "N1": Informed(
            _DESK,
            "此事须走法定途径：诉讼找人民法院（12368），劳动争议找仲裁委员会，党员干部违纪找纪检监察机关（12388），"
            "行政复议找司法行政部门，信息公开找制作机关，信访找信访部门",
        ),
        "N2": Informed(_DESK, "内容涉及国家秘密、工作秘密、商业秘密或个人隐私，热线不能受理；请向主管机关当面反映"),
        "N3": Informed(
            _DESK, "没有可以办理的诉求，或内容违反法律法规、公序良俗；写明事情、地点和要求后可再次提出（12345）"
        ),
        "N4": Informed(_OVER, "属于紧急事项，已即时转接；危险正在发生请直接拨打110、119、120或122"),
        "N5": Informed(_OVER, "事情不在本市，已转有管辖权的地方；也可拨打当地区号加12345"),
        "N6": Informed(
            _DESK, "属于军队、党委、人大、政协、法院、检察院等的职责，请向该机关反映（法院12368，检察院12309）"
        ),
        "N7": Informed(_DESK, "同一事项已经办结，没有新情况；如有新的事实或理由，请补充后再次提出（12345）"),
        "N8": Informed(_DESK, "同一事项正在办理，已并入原工单并催办；进度请凭原工单编号查询（12345）"),
        "N9": Informed(_DESK, "内容不清而且无法联系；写明事情、地点和联系方式后可再次提出（12345）"),
        "110": Informed(_OVER, "涉及人身安全或正在发生的违法犯罪，已即时转110；请同时直接拨打110"),
        "119": Informed(_OVER, "涉及火灾或需要抢险救援，已即时转119；请同时直接拨打119"),
        "120": Informed(_OVER, "需要医疗急救，已即时转120；请同时直接拨打120"),
        "122": Informed(_OVER, "属于道路交通事故，已即时转122；请同时直接拨打122"),
        "petition": Informed(_OVER, "已经进入信访程序，已转信访部门；进度请向信访局或国家信访局网站查询"),
        "praise": Informed(_DESK, "感谢您的肯定，已转告有关单位，不另派单"),
    }
)


def informed_because(code: str) -> Informed | None:
    """Find how a code ends; None for a code that nobody knows, which then decides nothing."""
    return INFORMED.get(code)
