"""Whether what is compiled (编译件, setup.py) is as new as its source: Python would run the old one without a word."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("normalizer", "router")
#: What all compiled modules share; made anew by every compilation.
LIBRARY = "native__mypyc"


def outdated(root: Path = ROOT) -> list[str]:
    """Name the sources that are newer than what was compiled of them, or gone. In a checkout only: an image has one."""
    if not (root / "setup.py").exists():
        return []
    suffix = EXTENSION_SUFFIXES[0]
    built = [path for room in ROOMS for path in (root / room).rglob(f"*{suffix}")]
    library = root / ROOMS[0] / f"{LIBRARY}{suffix}"
    compiled_at = library.stat().st_mtime_ns if library in built else 0
    sources = (path.with_name(path.name.removesuffix(suffix) + ".py") for path in built if path != library)
    return sorted(str(path.relative_to(root)) for path in sources if _is_newer(path, compiled_at))


def _is_newer(source: Path, moment: int) -> bool:
    return not source.exists() or source.stat().st_mtime_ns > moment


def advice(names: Iterable[str]) -> str:
    """Say what to do about them."""
    listed = ", ".join(names)
    return (
        f"编译件旧于源码（{listed}）：请先运行 make setup；只想按源码运行就用 make plain · "
        "what is compiled is older than its source: run `make setup`, or `make plain` to run the sources as they are"
    )
