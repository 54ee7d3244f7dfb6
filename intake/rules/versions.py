"""The versions of tables that decisions were made with (表的版本留存): each text is kept once, under its digest.

`table_versions` says of which texts a version was made, `table_texts` has them. So whatever a decision names can be
read again, however the files have changed since.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pymongo import UpdateOne

from intake.house import Database
from intake.settings import TableFiles
from intake.tables import Tables
from normalizer.table_files import PACKAGED
from router.dispatching.sheet import Written


class VersionNotKept(Exception):
    """A decision names a version that was made before versions were kept, or by another installation."""


async def keep(db: Database, tables: Tables, files: TableFiles) -> None:
    """Keep everything that decisions made with these tables rest on; what is kept already costs one look."""
    wanted = await asyncio.to_thread(_layers, tables, files)
    known = {row["_id"] async for row in db.table_versions.find({"_id": {"$in": list(wanted)}}, {"_id": 1})}
    for name in wanted.keys() - known:
        await keep_texts(db, name, wanted[name])


async def keep_texts(db: Database, name: str, layers: Sequence[Written]) -> None:
    """Keep one version: first its texts, then that it is made of them."""
    digests = [_digest(layer.text) for layer in layers]
    texts = dict(zip(digests, (layer.text for layer in layers), strict=True))
    await db.table_texts.bulk_write(
        [UpdateOne({"_id": digest}, {"$setOnInsert": {"text": text}}, upsert=True) for digest, text in texts.items()]
    )
    made_of = [{"name": Path(layer.name).name, "text": digest} for layer, digest in zip(layers, digests, strict=True)]
    row = {"layers": made_of, "at": datetime.now(UTC)}
    await db.table_versions.update_one({"_id": name}, {"$setOnInsert": row}, upsert=True)


async def texts_of(db: Database, name: str) -> tuple[Written, ...]:
    """Read the texts of a version, the packaged layer first.

    Raises:
        VersionNotKept: with the version's name.
    """
    row = await db.table_versions.find_one({"_id": name})
    if row is None:
        raise VersionNotKept(f"版本 {name} 没有留存 · the version {name} was not kept")
    wanted = [layer["text"] for layer in row["layers"]]
    texts = {each["_id"]: each["text"] async for each in db.table_texts.find({"_id": {"$in": wanted}})}
    return tuple(Written(layer["name"], texts[layer["text"]]) for layer in row["layers"])


def name_of(kind: str, version: str) -> str:
    """Say under which name a version of one table is kept."""
    return f"{kind}/{version}"


def _layers(tables: Tables, files: TableFiles) -> Mapping[str, Sequence[Written]]:
    versions = tables.router.versions
    kept = {
        name_of("rules", versions.rules): tables.router.texts["rules"],
        name_of("directory", versions.directory): tables.router.texts["directory"],
    }
    for kind, own in (("taxonomy", files.taxonomy), ("words", files.words), ("places", files.places)):
        path = own or PACKAGED / f"{kind}.toml"
        if path.is_file():
            written = Written(str(path), path.read_text("utf-8"))
            kept[name_of(kind, tables.normalizer.versions[kind])] = (written,)
    return kept


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
