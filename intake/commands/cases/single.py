"""What is done to one case: press, decide, review, visit, close."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click

from intake.cli import App, command
from intake.commands.cases.desk import BY, DESPITE, ONE, REASON, one, plain
from intake.street.rooms import Rooms
from router import centre
from router.cases.case import Case
from router.cases.centre import Visit, reply_of
from router.cases.work import Ask
from router.desk import find_case
from router.flow import Room

Simply = Callable[[str, str, str, Room], Awaitable[Case]]


def _simply(name: str, help_: str, do: Simply) -> click.Command:
    """Make a command for what needs nobody's word but who and why."""

    @click.command(name, help=help_)
    @ONE
    @BY
    @REASON
    @command
    def made(app: App, id_: str, person: str, reason: str) -> None:
        one(app, id_, lambda found, rooms: do(found, person, plain(reason), rooms.router))

    return made


#: The department gets a message of the same name: `appeal.urged.v1`, …
urge_command = _simply("urge", "催办 · press the department", centre.urge)
supervise_command = _simply("supervise", "督办 · put it under supervision", centre.supervise)
reopen_command = _simply("reopen", "重办 · give it back to its lead for another round", centre.reopen)
#: What nobody visits in time is closed by the clock.
close_command = _simply("close", "办结，须已回访 · end it; only after a call-back", centre.close)


@click.command("decide", help="决定退单、延期、挂起申请 · grant or refuse what a department asks for")
@ONE
@click.option("--grant/--refuse", "granted", required=True, default=None, help="同意或驳回 · which")
@click.option("--department", help="哪个单位的申请 · whose, where several ask")
@click.option(
    "--ask", type=click.Choice([ask.value for ask in Ask]), help="哪一项申请 · which, where there are several"
)
@click.option("--to", help="退单成立后改派给 · where an upheld return goes; else it is routed anew")
@DESPITE
@BY
@REASON
@command
def decide_command(
    app: App,
    *,
    id_: str,
    granted: bool,
    department: str | None,
    ask: str | None,
    to: str | None,
    despite: bool,
    person: str,
    reason: str,
) -> None:
    """The department gets `appeal.decided.v1`."""

    async def act(name: str, rooms: Rooms) -> Case:
        return await centre.decide(
            name,
            department.upper() if department else None,
            Ask(ask) if ask else None,
            person,
            plain(reason),
            rooms.router,
            granted=granted,
            to=to.upper() if to else None,
            despite=despite,
            arbiter=app.settings().arbiter or centre.ARBITER,
        )

    one(app, id_, act)


@click.command("review", help="审核公开答复 · let a public reply out, or send it back")
@ONE
@click.option("--approve/--reject", "approved", required=True, default=None, help="通过或退回 · which")
@click.option(
    "--text",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="改过的答复 · the reply as you mended it",
)
@BY
@click.option("--reason", help="退回的理由 · why it goes back")
@command
def review_command(app: App, *, id_: str, approved: bool, text: Path | None, person: str, reason: str | None) -> None:
    """Without it no department's word reaches a citizen. What you write is masked like everything else."""
    mended = None if text is None else plain(text.read_text(encoding="utf-8").strip())

    async def act(name: str, rooms: Rooms) -> Case:
        words = mended or reply_of(await find_case(name, rooms.router))
        return await centre.review(
            name, person, rooms.router, text=words if approved else None, reason=reason and plain(reason)
        )

    one(app, id_, act)


@click.command("visit", help="回访 · write down a call-back")
@ONE
@click.option("--reached/--not-reached", default=True, help="是否联系上 · was the citizen reached")
@click.option("--contacted/--not-contacted", default=None, help="承办单位联系过吗 · had the department been in touch")
@click.option("--solved", type=click.Choice(["yes", "explained", "partly", "no"]), help="是否解决 · is it solved")
@click.option("--satisfied", type=click.Choice(["very", "yes", "basically", "no", "not_at_all"]), help="满意度")
@click.option("--objective", is_flag=True, help="未解决属客观原因 · unsolved for reasons not the department's")
@click.option("--comment", help="意见，会脱敏 · in the citizen's words; masked")
@click.option("--channel", default="phone", show_default=True, help="回访方式 · how")
@BY
@command
def visit_command(app: App, *, id_: str, person: str, comment: str | None, **said: Any) -> None:  # noqa: ANN401 - options
    """Solved: the case is closed. Not solved: it goes back to its lead."""
    if said["reached"] and said["solved"] is None:
        raise click.UsageError("联系上了就要写 --solved · who was reached said whether it is solved: --solved")
    visit = Visit(comment=comment and plain(comment), **said)
    one(app, id_, lambda name, rooms: centre.visit(name, visit, person, rooms.router))
