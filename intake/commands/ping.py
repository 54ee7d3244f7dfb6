"""`intake departments ping CODE`: is a department's own address there, and does it take what we sign?"""

from __future__ import annotations

from datetime import UTC, datetime

import click

from intake.cli import App, command, fail, print_json, run
from intake.pushing.judging import Next
from intake.pushing.pushing import ping_once

_WHAT_NEXT = {
    Next.REFUSED: "地址通，但不收探测：请单位对 department.ping.v1 回 2xx · it is there and refuses a ping",
    Next.FAILED: "现在不通，推送会自己再试 · not now; pushing tries again by itself",
    Next.REST: "它要求稍后再来，推送会等 · it asks for patience; pushing waits",
    Next.WRONG: "地址、证书或签名不对，改好以前什么也不推 · address, certificate or signature is wrong",
}


@click.command("ping", help="探测单位的推送地址，不动队列 · is a department's push address there")
@click.argument("department")
@command
def ping_command(app: App, department: str) -> None:
    """Post one signed ping; exit 1 unless it was answered with 2xx."""
    code, settings = department.upper(), app.settings()
    push = next((each for each in settings.pushes if each.department == code), None)
    if push is None:
        fail(f"设置里没有 {code} 的 [[push]] · the settings have no [[push]] for {code}")
    verdict = run(ping_once(push, settings.environment, lambda: datetime.now(UTC)))
    if app.as_json:
        print_json({"department": code, "answer": verdict.next.value, "reason": verdict.reason})
    if verdict.next is not Next.DONE:
        fail(f"{code}：{verdict.reason}。{_WHAT_NEXT[verdict.next]}")
    if not app.as_json:
        click.echo(f"{code}：{verdict.reason}，通了，签名被接受 · it is there and takes our signature")
