"""`intake bench`: throughput and latency here, as ratios against baselines of the same run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import click

from intake.cli import App, command, fail
from intake.settings import DEMO

ROOT = DEMO.parent.parent


@click.command("bench", help="基准测试，按比值 · throughput and latency here, as ratios")
@click.argument("names", nargs=-1)
@click.option("--quick", is_flag=True, help="小而粗 · smaller and noisier")
@command
def bench_command(app: App, names: tuple[str, ...], quick: bool) -> None:
    """It stands beside the source code, not in the installed package."""
    if not (ROOT / "bench" / "__main__.py").exists():
        fail("bench/ 不在这里，请在源码目录运行 · bench/ is not here: run it in the source tree")
    with tempfile.TemporaryDirectory(prefix="intake-bench-") as folder:
        file = Path(folder) / "bench.json"
        extra = [*(["--quick"] if quick else []), *(["--json", str(file)] if app.as_json else [])]
        # With --json the table goes to the error stream: standard output is for the program that reads.
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "bench", *extra, *names],
            cwd=ROOT,
            check=False,
            stdout=sys.stderr if app.as_json else None,
        )
        if app.as_json and file.exists():
            click.echo(file.read_text(encoding="utf-8"))
    if done.returncode:
        fail(f"基准测试没有完成 · the benches ended with {done.returncode}")
