"""What `intake schema` prints: JSON Schemas generated from the types, and the coded list of categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from intake.cli import App
from intake.feedback import AnyFeedback
from normalizer.appeal import Appeal
from router.dispatching.message import CaseEvent

SCHEMAS = ("appeal", "dispatch", "feedback", "taxonomy")

#: 字段的中文名: the titles of fields in every schema, Chinese first.
TITLES: Mapping[str, str] = {
    "accused": "被反映单位",
    "address": "地址",
    "alternatives": "备选单位",
    "appeal_score": "诉求性评分",
    "area": "辖区",
    "assist": "协办单位",
    "at": "时间",
    "attachments": "附件",
    "attempts": "次数",
    "clause": "条款",
    "days": "天数",
    "fix_kind": "解决方式",
    "method": "方式",
    "proposed_owner": "建议承办单位",
    "reply_internal": "内部答复",
    "reply_public": "公开答复",
    "resolution": "办结情况",
    "signed_by": "签发人",
    "basis": "依据",
    "by": "答复单位",
    "case": "案件编号",
    "case_no": "工单编号",
    "category": "诉求分类",
    "channel": "渠道",
    "channel_detail": "渠道细类",
    "citizen": "诉求人",
    "city": "市",
    "code": "代码",
    "community": "社区",
    "confidence": "置信度",
    "confidential": "是否保密",
    "contact_mode": "联系方式提供方式",
    "data": "正文",
    "datacontenttype": "正文类型",
    "deadline": "办结时限",
    "deadline_class": "时限等级",
    "deadlines": "各节点时限",
    "decided_by": "决定方式",
    "decision": "派单依据",
    "department": "单位",
    "dislikes": "点踩",
    "dispatch": "派单消息编号",
    "display": "称呼",
    "district": "区县",
    "end": "止",
    "engagement": "互动",
    "evidence": "依据文字",
    "field": "字段",
    "fingerprint": "相似指纹",
    "given": "来源原分类",
    "handler": "来源承办单位",
    "has_contact": "是否留有联系方式",
    "id": "编号",
    "is_appeal": "是否诉求",
    "kind": "种类",
    "lat": "纬度",
    "lead": "主办单位",
    "likes": "点赞",
    "links": "关联",
    "lng": "经度",
    "local": "当地时间",
    "location": "坐标",
    "masked": "脱敏计数",
    "media_type": "文件类型",
    "name": "名称",
    "native_id": "来源编号",
    "notes": "备注",
    "occurred_at": "发生时间",
    "official_reply": "官方答复",
    "parent": "上级",
    "path": "分类路径",
    "place": "事发地",
    "poi": "地点",
    "posted_at": "提交时间",
    "provisional": "暂定",
    "quality": "质量",
    "raw": "原始地址",
    "reason": "原因",
    "received_at": "接收时间",
    "ref": "诉求人标识",
    "referral": "移交或不予受理代码",
    "replayed": "补发",
    "replies": "回复数",
    "reply_required": "是否要求答复",
    "repairs": "修复",
    "request_type": "诉求类型",
    "revision": "版次",
    "role": "主办协办",
    "root": "主帖",
    "routing": "派单",
    "rule": "规则",
    "runners_up": "其他可能分类",
    "same_event": "同一事件",
    "same_person": "同一人",
    "schema_version": "结构版本",
    "scheme": "分类体系",
    "sentence": "理由",
    "sequence": "序号",
    "sha256": "文件摘要",
    "signals": "信号",
    "size": "大小",
    "source": "来源",
    "specversion": "CloudEvents 版本",
    "start": "起",
    "street": "街道乡镇",
    "subject": "案件编号",
    "subject_entity": "被反映对象",
    "test": "测试",
    "text": "内容",
    "text_truncated": "内容已截断",
    "thread": "讨论串",
    "time": "时间",
    "title": "标题",
    "trace": "追踪号",
    "transport": "接入方式",
    "type": "类型",
    "urgency": "紧急程度",
    "url": "链接",
    "versions": "表版本",
    "views": "浏览",
    "why": "说明",
}


def schema(app: App, what: str) -> Any:  # noqa: ANN401 - a JSON document
    """Give one document; `taxonomy` is the table that the settings name."""
    if what == "appeal":
        return titled(msgspec.json.schema(Appeal), "诉求 · Appeal")
    if what == "dispatch":
        return titled(msgspec.json.schema(CaseEvent), "派单消息 · Dispatch message")
    if what == "feedback":
        return titled(msgspec.json.schema(AnyFeedback), "部门反馈 · Feedback")
    return taxonomy(app)


def titled(made: dict[str, Any], title: str) -> dict[str, Any]:
    """Put a title in Chinese and English on every field."""
    for name, definition in made.get("$defs", {}).items():
        _title_fields(definition)
        definition.setdefault("title", name)
    _title_fields(made)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **made}


def _title_fields(definition: dict[str, Any]) -> None:
    for name, field in definition.get("properties", {}).items():
        english = name.replace("_", " ")
        field["title"] = f"{TITLES[name]} · {english}" if name in TITLES else english


def taxonomy(app: App) -> dict[str, Any]:
    """Give the coded list of categories."""
    _, tables = app.settings_and_tables()
    classes = [
        {"code": each.code, "name": each.name, "path": list(each.path)} for each in tables.normalizer.classes.values()
    ]
    return {"version": tables.normalizer.versions["taxonomy"], "categories": classes}
