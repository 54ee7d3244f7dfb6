"""Compile what every appeal goes through (编译热路径) by mypyc: the same sources. Everything else is in pyproject.toml.

Python takes a compiled module before its source, so that must be of it: `intake/compiled.py` says when it is
not. Without mypyc (pip's own build environment has none) or a C compiler, or with INTAKE_PLAIN=1, nothing is compiled
and everything runs as written, only slower.

A file that declares records of msgspec stays out: the compiler drops `frozen` and `kw_only` of their classes.
"""

import os
import shutil
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from setuptools import Extension, setup

#: Measured: each of these is on the way of every appeal, from the mapper to the decision.
COMPILED = (
    "normalizer/build.py",
    "normalizer/draft.py",
    "normalizer/mappers/hotline_12345.py",
    "normalizer/mappers/line.py",
    "normalizer/mappers/plain.py",
    "normalizer/mappers/reading.py",
    "normalizer/normalize.py",
    "normalizer/parting/cuts.py",
    "normalizer/parting/matters.py",
    "normalizer/places.py",
    "normalizer/steps/classify.py",
    "normalizer/steps/clean.py",
    "normalizer/steps/everyday.py",
    "normalizer/steps/fingerprint.py",
    "normalizer/steps/identify.py",
    "normalizer/steps/judge.py",
    "normalizer/steps/locate.py",
    "normalizer/steps/mask.py",
    "normalizer/steps/personal/accounts.py",
    "normalizer/steps/personal/doors.py",
    "normalizer/steps/personal/found.py",
    "normalizer/steps/personal/names.py",
    "normalizer/steps/personal/numbers.py",
    "normalizer/steps/prioritize.py",
    "normalizer/steps/recount.py",
    "normalizer/steps/refer.py",
    "normalizer/steps/repair/apply.py",
    "normalizer/steps/scan.py",
    "normalizer/steps/simplify.py",
    "normalizer/steps/title.py",
    "normalizer/tables.py",
    "normalizer/words.py",
    "router/dispatching/accused.py",
    "router/dispatching/decide.py",
    "router/dispatching/remembered.py",
    "router/dispatching/rules.py",
)


def compiled() -> list[Extension]:
    """Translate the modules to C; none where that cannot be built."""
    compiler = shutil.which((os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0])
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    if os.environ.get("INTAKE_PLAIN") or not (find_spec("mypyc") and compiler and headers.exists()):
        return []
    from mypyc.build import mypycify  # noqa: PLC0415  a machine that compiles nothing need not have it

    return mypycify(list(COMPILED), group_name="normalizer.native", debug_level="0")


setup(ext_modules=compiled())
