#!/usr/bin/env python3
"""Posting emulator of the Pinterest pipeline: pin, geo and user rows, over REST, as the app would.

Draws row numbers as the original does (random.seed(100); per turn one randrange(0, 2) for the pause
and one randint(0, 11000) for the row), finds the three rows by key in rows/*.jsonl, and posts each to
its topic, one record a request; with --streams it puts them to streams, as the original's other half does. `ind` is sent as `index`, as the original renames it. By default it
posts draws 1-3, 1-3 again, then 1-131: 137 triples, 411 records. Standard library only.
"""
import argparse
import contextlib
import http.client
import itertools
import json
import os
import random
import sqlite3
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = ("pin", "geo", "user")
TABLES = {"pin": "pinterest_data", "geo": "geolocation_data", "user": "user_data"}
KNOWN_DRAWS = 131
# No answer, busy, failed, stopping: what may be different the next time. Others come from a request
# of the wrong kind, or from another program on the port.
REPEATED = (0, 429, 500, 503)
CONTENT_TYPE = "application/vnd.kafka.json.v2+json"


def as_sent(row):
    """`ind` goes out as `index`, in front."""
    key = row.get("index", row.get("ind"))
    return {"index": key, **{name: value for name, value in row.items() if name not in ("index", "ind")}}


def load_rows(folder):
    """{kind: {key: row as sent}}; a row's key is `index` or `ind`, and goes out as `index`."""
    tables = {}
    for kind in KINDS:
        table = {}
        with open(os.path.join(folder, kind + ".jsonl"), encoding="utf-8") as lines:
            for line in lines:
                row = as_sent(json.loads(line))
                table[row["index"]] = row
        tables[kind] = table
    return tables


def load_database(path):
    """The same out of a SQLite database with the original's tables; rows in their order with column `posted`."""
    tables = {}
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        for kind, name in TABLES.items():
            rows = [dict(row) for row in db.execute(f"SELECT * FROM {name}")]
            rows = [json.loads(row["posted"]) if "posted" in row else row for row in rows]
            tables[kind] = [as_sent(row) for row in rows]
    return tables


def draws():
    """Endless (pause, row number) pairs in the original's order."""
    generator = random.Random(100)
    while True:
        yield generator.randrange(0, 2), generator.randint(0, 11000)


def schedule(follow):
    """The turns of a run: 1-3, 1-3 again, 1-131; with follow, the known draws again and again."""
    generator = draws()
    known = [next(generator) for _ in range(KNOWN_DRAWS)]
    yield from known[:3]
    yield from known[:3]
    yield from known
    while follow:
        yield from known


def paused(seconds, wanted):
    if wanted:
        time.sleep(seconds)


class Refused(SystemExit):
    """This row is not taken, however often it is sent."""


class Poster:
    """One keep-alive connection; a failed request is repeated, so a row may be posted twice but never none."""

    def __init__(self, url, patience, server=None):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port or 80
        self.base = parts.path.rstrip("/")
        self.patience = patience
        self.server = server
        self.connection = None

    def once(self, path, body, method="POST", content_type=CONTENT_TYPE):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        self.connection.request(method, self.base + path, body, {"Content-Type": content_type})
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")

    def post(self, topic, row):
        """Partition and offset of the record, by the REST Proxy's API."""
        def send():
            status, text = self.once("/topics/" + urllib.parse.quote(topic), json.dumps({"records": [{"value": row}]}))
            if status == 200:
                entry = json.loads(text)["offsets"][0]
                if entry["error_code"] is None:
                    return 200, (entry["partition"], entry["offset"])
                # 2 may be different the next time, 1 never.
                status, text = (500 if entry["error_code"] == 2 else 400), str(entry["error"])
            return status, text
        return self.repeat(topic, send)

    def put(self, stream, row, key):
        """Shard and sequence number, by Kinesis' API behind a gateway."""
        body = json.dumps({"StreamName": stream, "Data": row, "PartitionKey": key})

        def send():
            status, text = self.once(f"/streams/{urllib.parse.quote(stream)}/record", body, "PUT", "application/json")
            return status, (tuple(json.loads(text).values()) if status == 200 else text)
        return self.repeat(stream, send)

    def repeat(self, topic, send):
        deadline = time.monotonic() + self.patience
        pause = 0.02
        while True:
            try:
                status, text = send()
            except (OSError, http.client.HTTPException) as error:
                self.connection = None
                status, text = 0, str(error)
            if status == 200:
                return text
            if status == 0 and self.server_left():
                raise SystemExit("emulator: the server has ended, nobody takes the posts")
            if status not in REPEATED:
                raise Refused(f"emulator: {topic}: {status}: {text[:300]}")
            if time.monotonic() >= deadline:
                raise SystemExit(f"emulator: {topic}: {status or 'no answer'}: {text[:300]}")
            time.sleep(pause)
            pause = min(pause * 2, 1)

    def server_left(self):
        """Whether the process that was to answer is known to have ended."""
        if self.server is None:
            return False
        try:
            with open(f"/proc/{self.server}/stat", encoding="ascii", errors="replace") as stat:
                return stat.read().rpartition(")")[2].split()[0] == "Z"  # Its parent waits for us.
        except OSError:
            return True


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--url", default="http://127.0.0.1:8082", help="REST source")
    options.add_argument("--prefix", help="topics are PREFIXpin, ..geo, ..user; by default 12471ce1b695.")
    options.add_argument("--streams", action="store_true",
                         help="put to streams PREFIXpin, .. (streaming-12471ce1b695-pin) instead of posting to topics")
    options.add_argument("--rows", default=os.path.join(HERE, "rows"), help="folder of the rows")
    options.add_argument("--database", metavar="FILE", help="SQLite database with the rows, instead of a folder")
    options.add_argument("--all", action="store_true", help="post every row of the database, in its order")
    options.add_argument("--follow", action="store_true", help="go on, with the original's pauses")
    options.add_argument("--patience", type=float, default=30, help="seconds to repeat a failed post")
    options.add_argument("--server-pid", type=int, metavar="PID",
                         help="give up at once when this process has ended and nobody answers")
    options.add_argument("--acknowledged", metavar="FILE",
                         help="append topic, partition, offset and row of each acknowledged post")
    options.add_argument("--quiet", action="store_true")
    arguments = options.parse_args()
    prefix = arguments.prefix or ("streaming-12471ce1b695-" if arguments.streams else "12471ce1b695.")

    if arguments.database:
        lists = load_database(arguments.database)
        tables = {kind: {row["index"]: row for row in rows} for kind, rows in lists.items()}
    else:
        tables = load_rows(arguments.rows)
        lists = {kind: list(table.values()) for kind, table in tables.items()}
    poster = Poster(arguments.url, arguments.patience, arguments.server_pid)
    ledger = open(arguments.acknowledged, "a", encoding="utf-8") if arguments.acknowledged else None
    begin = time.monotonic()
    posted = turns = 0
    try:
        if arguments.all:
            turn_list = itertools.zip_longest(*(lists[kind] for kind in KINDS))
        else:
            turn_list = (paused(pause, arguments.follow and turn >= KNOWN_DRAWS + 6) or
                         [tables[kind][number] for kind in KINDS]
                         for turn, (pause, number) in enumerate(schedule(arguments.follow)))
        for rows in turn_list:
            for kind, row in zip(KINDS, rows):
                if row is None:
                    continue
                topic = prefix + kind
                try:
                    partition, offset = poster.put(topic, row, kind) if arguments.streams else poster.post(topic, row)
                except Refused as refusal:
                    if not arguments.all:
                        raise
                    print(f"{refusal}; the row {json.dumps(row)[:60]}.. is left out", file=sys.stderr)
                    continue
                posted += 1
                if ledger:
                    ledger.write(json.dumps([topic, partition, offset, row]) + "\n")
                    ledger.flush()
            turns += 1
            if not arguments.quiet and turns % 20 == 0:
                print(f"emulator: {turns} triples, {posted} records acknowledged", flush=True)
    except KeyboardInterrupt:
        pass
    seconds = max(time.monotonic() - begin, 1e-9)
    print(f"emulator: done, {turns} triples, {posted} records acknowledged in {seconds:.2f} s "
          f"({posted / seconds:.0f}/s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
