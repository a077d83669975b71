"""Bare reads of a page from the product's own database: the driver's client and an index, without service, calls and HTTP."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import pymongo

from tests.load.bare.measures import Found
from tests.load.numbers import summarise
from tests.support.stack import Stack

Document = dict[str, Any]


def measure_finds(
    stack: Stack,
    collection: str,
    queries: Sequence[Document],
    sort: Sequence[tuple[str, int]],
    *,
    limit: int,
    readers: int,
    seconds: float,
) -> Found:
    """So many readers of messaging's database, each taking the queries in turn, for so many seconds."""
    client: pymongo.MongoClient[Document]
    client = pymongo.MongoClient(stack.database.uri, timeoutMS=10_000, maxPoolSize=readers)
    found = client.foyer_messaging[collection]
    spans: list[float] = []
    end = time.perf_counter() + seconds

    def read(number: int) -> None:
        while (begun := time.perf_counter()) < end:
            list(found.find(queries[number % len(queries)]).sort(list(sort)).limit(limit))
            spans.append(time.perf_counter() - begun)
            number += readers

    try:
        list(found.find(queries[0]).sort(list(sort)).limit(limit))
        threads = [threading.Thread(target=read, args=(number,)) for number in range(readers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        client.close()
    if not spans:
        raise RuntimeError("a bare read never ended, so there is no ceiling")
    summary = summarise(spans)
    return Found(len(spans) / seconds, summary.p50, summary.p99)
