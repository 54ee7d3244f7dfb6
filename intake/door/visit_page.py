"""What a citizen sees behind a call-back link (回访页): the number of the case, four questions, and nobody's data."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape

QUESTIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "contacted": ("承办单位联系过您吗？· Did they contact you?", {"yes": "联系过 · yes", "no": "没有 · no"}),
    "solved": (
        "您反映的问题解决了吗？· Is it solved?",
        {
            "yes": "已解决 · yes",
            "explained": "没有解决，但已说明原因，我认可 · explained, and I accept it",
            "partly": "部分解决 · partly",
            "no": "没有解决 · no",
        },
    ),
    "satisfied": (
        "您对办理满意吗？· Are you satisfied?",
        {
            "very": "非常满意 · very",
            "yes": "满意 · yes",
            "basically": "基本满意 · basically",
            "no": "不满意 · no",
            "not_at_all": "非常不满意 · not at all",
        },
    ),
}
NEEDED = frozenset({"solved", "satisfied"})
MOST_COMMENT = 500

_STYLE = (
    "body{font:1rem/1.6 sans-serif;max-width:36rem;margin:1rem auto;padding:0 1rem}"
    "fieldset{border:1px solid #bbb;margin:1rem 0}label{display:block;padding:.4rem 0}"
    "textarea{width:100%;box-sizing:border-box}button{font-size:1.1rem;padding:.6rem 2rem}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
#: Nothing runs, nothing is fetched, nobody frames it, no address of it travels on, nothing is kept.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


def form(case_no: str, opened: str, problem: str = "") -> str:
    """Ask. It is sent to the very address that it came from."""
    asked = "".join(_question(name, title, answers) for name, (title, answers) in QUESTIONS.items())
    told = f'<p role="alert"><strong>{escape(problem)}</strong></p>' if problem else ""
    return _page(
        f"<p>工单编号 · case <strong>{escape(case_no)}</strong>，登记于 · registered {escape(opened)}</p>{told}"
        f'<form method="post" accept-charset="utf-8">{asked}'
        "<label>还有什么要说的（选填，请不要写电话、身份证号）· anything else"
        f'<textarea name="comment" rows="4" maxlength="{MOST_COMMENT}"></textarea></label>'
        "<p>只能提交一次；选“没有解决”“部分解决”，会退回承办单位重新办理。· You can answer once; if it is not solved, "
        "it goes back to the department.</p>"
        '<p><button type="submit">提交 · Send</button></p></form>'
    )


def said(sentence: str) -> str:
    """Say one thing."""
    return _page(f"<p>{escape(sentence)}</p>")


def _question(name: str, title: str, answers: Mapping[str, str]) -> str:
    need = " required" if name in NEEDED else ""
    rows = "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{need}> {escape(label)}</label>'
        for value, label in answers.items()
    )
    return f"<fieldset><legend>{escape(title)}</legend>{rows}</fieldset>"


def _page(body: str) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>诉求办理回访 · Call-back</title><style>{_STYLE}</style></head>"
        f"<body><h1>诉求办理回访 · Call-back</h1>{body}</body></html>"
    )
