"""Loading a backup's collections into databases, and proving that what lies there is what the file holds."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from deploy.ops.archive import ArchiveReader
from deploy.ops.errors import Wrong
from deploy.ops.snapshot import PREFIX, persist
from deploy.ops.tables import say

Document = dict[str, Any]

# No name that begins as the services' do, so that nothing takes it for one of them.
TRIAL_PREFIX = "foyertrial_"
# There for as long as a restore is under way.
UNFINISHED = "foyerrestore_under_way"
_BATCH_DOCUMENTS = 1_000
_BATCH_BYTES = 8 * 1024 * 1024
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(RawBSONDocument)


def load_all(client: "pymongo.MongoClient[Document]", archive: ArchiveReader, names: Mapping[str, str] | None = None) -> None:
    """Load every collection, under other databases' names where `names` says so. Raises Wrong when one is not as in the file.

    Indexes come last: with its index, the database would delete at once what has expired since, before it was compared.
    """
    for described, documents in archive.collections():
        database = client[(names or {}).get(described["database"], described["database"])]
        _load(database, described, documents)
    for described in archive.manifest["collections"]:
        database = client[(names or {}).get(described["database"], described["database"])]
        _compare(database, described)
        _make_indexes(database, described)


def try_out(client: "pymongo.MongoClient[Document]", path: Path) -> None:
    """Load a file into databases of another name, compare, and drop them. Raises Wrong."""
    archive = ArchiveReader(path)
    archive.verify()
    mark = secrets.token_hex(4)
    bases = {each["database"] for each in archive.manifest["collections"]}
    names = {base: f"{TRIAL_PREFIX}{mark}_{base.removeprefix(PREFIX)}" for base in bases}
    try:
        load_all(client, archive, names)
    finally:
        for name in names.values():
            if not persist(partial(client.drop_database, name)):
                say(f"{name} is left: the database does not answer. The next backup removes it.")


def _load(database: "Database[Document]", described: Mapping[str, Any], documents: Iterator[bytes]) -> None:
    database.create_collection(described["collection"], **described["options"])
    collection = database.get_collection(described["collection"], codec_options=_RAW)
    for batch in _batches(documents):
        collection.insert_many([RawBSONDocument(each) for each in batch], ordered=False)


def _compare(database: "Database[Document]", described: Mapping[str, Any]) -> None:
    name = described["collection"]
    collection = database.get_collection(name, codec_options=_RAW)
    count = collection.count_documents({})
    digest = hashlib.sha256()
    for batch in collection.find_raw_batches({}, sort=[("_id", 1)], batch_size=_BATCH_DOCUMENTS):
        digest.update(batch)
    if count != described["documents"] or digest.hexdigest() != described["sha256"]:
        raise Wrong(
            f"{database.name}.{name} is not what the backup holds: {count:,} documents of {described['documents']:,}"
            f"{'' if count != described['documents'] else ', with another content'}.",
            "Is something writing to it? Stop the services, and restore again with --replace.",
        )


def _make_indexes(database: "Database[Document]", described: Mapping[str, Any]) -> None:
    name = described["collection"]
    wanted = {index["name"]: _comparable(index) for index in described["indexes"]}
    made = [index for index in described["indexes"] if index["name"] != "_id_"]
    if made:
        database.command("createIndexes", name, indexes=[_definition(index) for index in made])
    found = {index["name"]: _comparable(index) for index in database[name].list_indexes()}
    if found != wanted:
        raise Wrong(f"The indexes of {database.name}.{name} are not what the backup says: {sorted(found)} for {sorted(wanted)}.")


def _definition(index: Mapping[str, Any]) -> Document:
    return {key: value for key, value in index.items() if key != "ns"}


def _comparable(index: Mapping[str, Any]) -> Document:
    # Numbers come back as whole ones or not; the order of a key's fields is part of it.
    return {key: list(value.items()) if key == "key" else value for key, value in index.items() if key not in ("v", "ns")}


def _batches(documents: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document)
        if len(batch) >= _BATCH_DOCUMENTS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
