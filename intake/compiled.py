"""Whether what is compiled (编译件, setup.py) is of the source beside it: Python would run another one without a word.

`make setup` writes down what it compiled of what. By content: the times of files that were copied here tell nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("normalizer", "router")
SUFFIX = EXTENSION_SUFFIXES[0]
#: What all compiled modules share.
LIBRARY = f"normalizer/native__mypyc{SUFFIX}"
#: As sha256sum writes it: the sources when the compiler began, and what it made of them.
RECORD = Path(".venv") / ".compiled"


def outdated(root: Path = ROOT) -> list[str]:
    """Name the sources that are not what was compiled of them, and what is gone. In a checkout only."""
    if not (root / "setup.py").exists():
        return []
    built = {path.relative_to(root).as_posix() for room in ROOMS for path in (root / room).rglob(f"*{SUFFIX}")}
    if not built:
        return []
    written = _written(root / RECORD)
    made = {name for name in written if name.endswith(SUFFIX)}
    sources = {name: name.removesuffix(SUFFIX) + ".py" for name in built - {LIBRARY}}
    changed = {
        source for name, source in sources.items() if name not in made or _digest(root / source) != written.get(source)
    }
    return sorted(changed | (made - built))


def _written(record: Path) -> dict[str, str]:
    if not record.exists():
        return {}
    lines = (line.partition("  ") for line in record.read_text("utf-8").splitlines())
    return {name: digest for digest, _, name in lines}


def _digest(source: Path) -> str:
    return sha256(source.read_bytes()).hexdigest() if source.exists() else "gone"


def advice(names: Iterable[str]) -> str:
    """Say what to do about them."""
    listed = ", ".join(names)
    return (
        f"编译件旧于源码（{listed}）：请先运行 make setup；只想按源码运行就用 make plain · "
        "what is compiled is older than its source: run `make setup`, or `make plain` to run the sources as they are"
    )
