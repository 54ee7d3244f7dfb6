"""Who looks: the login of whoever runs a command, unless another name is given; it is written down (`who-saw`)."""

from __future__ import annotations

import getpass

import click


def login() -> str:
    """Name the login; a container may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


VIEWER = click.option(
    *("--by", "--actor", "viewer"),
    default=login,
    show_default="登录名 · your login",
    help="谁在看，留痕 · who looks; recorded",
)
