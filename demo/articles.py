"""The news (新闻) of 云泽市 that people comment on."""

from __future__ import annotations

from typing import NamedTuple


class Article(NamedTuple):
    """One page of the news site."""

    path: str
    title: str


ARTICLES = (
    Article("/news/2026/1103-metro-line-3.html", "地铁三号线旧驿至望屏段今起试运行"),
    Article("/news/2026/1106-winter-heating.html", "云泽提前五天点火，暖阳热力公布服务热线"),
    Article("/news/2026/1109-night-market.html", "水车坊夜市重新开街，周末人流破三万"),
    Article("/news/2026/1112-old-estate.html", "明年再改造老旧小区六十二个，名单公示"),
    Article("/news/2026/1114-school-canteen.html", "市教育局：中小学食堂下月起全部明厨亮灶"),
    Article("/news/2026/1116-lake-park.html", "明镜湖环湖步道合龙，全长十八公里"),
    Article("/news/2026/1118-bus-routes.html", "四十二条公交线路本月调整，征求意见"),
    Article("/news/2026/1119-flood-river.html", "双河水库除险加固工程通过验收"),
)
