"""`intake case`: what people at the centre do to orders, one or many; each is an event with who and why."""

from __future__ import annotations

import click

from intake.commands.cases import claims, looks, many, single, visit_links


@click.group("case", help="中心处置工单 · what the centre does to orders")
def case_command() -> None:
    """Group."""


for found in (
    looks.list_command,
    looks.dossier_command,
    looks.advice_command,
    single.decide_command,
    single.review_command,
    single.visit_command,
    many.visits_command,
    visit_links.visit_link_command,
    single.close_command,
    single.reopen_command,
    single.urge_command,
    single.supervise_command,
    claims.exclude_command,
    claims.dispute_command,
    claims.claims_command,
    claims.judge_command,
    many.recall_command,
    many.reassign_command,
):
    case_command.add_command(found)
