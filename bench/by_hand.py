"""What one would write by hand: a Scrapy spider, an item pipeline into MongoDB, another into RabbitMQ with confirms.

It reads the same orders from files, stores each as it comes (majority and journal) and publishes it to one quorum queue
with `mandatory`; it normalizes, masks and decides nothing, and remembers nothing of what it sent.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pika
import pymongo
import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

from bench.city import orders_of
from bench.ground import Task
from bench.row import Sample
from bench.stopwatch import Stopwatch

QUEUE = "bench.by_hand"
COLLECTION = "orders"


def run(task: Task) -> Sample:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        pages = list(_pages(task, Path(folder)))
        watch = Stopwatch(task)
        crawl = CrawlerProcess(
            {
                "LOG_LEVEL": "ERROR",
                "TELNETCONSOLE_ENABLED": False,
                "ITEM_PIPELINES": {"bench.by_hand.Stored": 100, "bench.by_hand.Queued": 200},
                "BENCH": task,
            }
        )
        crawl.crawl(Orders, urls=pages)
        crawl.start()
        seconds, facts = watch.stop(task.records)
    _check(task)
    return Sample(task.records / seconds, facts)


class Orders(scrapy.Spider):
    """Reads pages of a hotline's order table."""

    name = "orders"
    custom_settings: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def __init__(self, urls: list[str]) -> None:
        super().__init__()
        self.start_urls = urls

    def parse(self, response: Response, **_: Any) -> Iterator[dict[str, Any]]:
        for row in json.loads(response.body):
            yield {
                "_id": row["orderId"],
                "title": row["title"],
                "text": row["majorContent"].strip(),
                "name": row["callerName"],
                "phone": row["callerPhone"],
                "posted_at": row["callTime"],
            }


class Stored:
    """The usual MongoDB pipeline."""

    def __init__(self, task: Task) -> None:
        self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            task.mongo_url, w="majority", journal=True
        )
        self._orders = self._client[task.database][COLLECTION]

    @classmethod
    def from_crawler(cls, crawler: Any) -> Stored:
        return cls(crawler.settings["BENCH"])

    def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        self._orders.insert_one(item)
        return item

    def close_spider(self) -> None:
        self._client.close()


class Queued:
    """The usual RabbitMQ pipeline."""

    def __init__(self, task: Task) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(task.amqp_url))
        self._channel = self._connection.channel()
        self._channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        self._channel.confirm_delivery()

    @classmethod
    def from_crawler(cls, crawler: Any) -> Queued:
        return cls(crawler.settings["BENCH"])

    def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        properties = pika.BasicProperties(delivery_mode=2, message_id=item["_id"], content_type="application/json")
        body = json.dumps(item, ensure_ascii=False).encode()
        self._channel.basic_publish("", QUEUE, body, properties, mandatory=True)
        return item

    def close_spider(self) -> None:
        self._connection.close()


def _pages(task: Task, folder: Path) -> Iterator[str]:
    orders, number = orders_of(task), 0
    while rows := list(islice(orders, task.page)):
        number += 1
        file = folder / f"{number}.json"
        file.write_bytes(b"[%s]" % b",".join(rows))
        yield file.as_uri()


def _check(task: Task) -> None:
    """A baseline that loses something is none."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(task.mongo_url)
    stored = client[task.database][COLLECTION].count_documents({})
    client.close()
    connection = pika.BlockingConnection(pika.URLParameters(task.amqp_url))
    queued = connection.channel().queue_declare(QUEUE, passive=True).method.message_count
    connection.close()
    if (stored, queued) != (task.records, task.records):
        raise RuntimeError(f"by hand took {task.records} orders, stored {stored} and queued {queued}")
