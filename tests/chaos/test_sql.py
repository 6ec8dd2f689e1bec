"""kill -9 of the sink's task, the worker and the database while rows are upserted: the table is the topic's last word.

Repeatable by SLUICE_SEED; SLUICE_ROUNDS sets how many (6; 60 with --full).
"""
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from harness import PATIENCE, SLUICE, Sluice, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from sql_servers import MariaDb, Postgres, Sqlite  # noqa: E402

SEED = int(os.environ.get("SLUICE_SEED", "8"))
ROUNDS = int(os.environ.get("SLUICE_ROUNDS", "60" if os.environ.get("SLUICE_FULL") else "6"))
ROWS = 4000  # a round


def produce(sluice, rows):
    lines = "".join(json.dumps({"key": str(key), "value": value}) + "\n" for key, value in rows)
    subprocess.run([SLUICE, "produce", "--bootstrap-server", sluice.worker["bootstrap.servers"], "--topic", "t", "--json"],
                   input=lines, text=True, check=True, timeout=PATIENCE)


@pytest.mark.parametrize("kind", [Sqlite, Postgres, MariaDb])
def test_table_equals_topic(tmp_path, kind):
    rng = random.Random(SEED)
    database = kind().start()
    properties = {"connector.class": "JdbcSink", "topics": "t", "connection.url": database.url, **database.login,
                  "insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true",
                  "auto.create": "true", "auto.evolve": "true", "max.retries": "1000", "retry.backoff.ms": "100",
                  "key.converter": "org.apache.kafka.connect.storage.StringConverter",
                  "sluice.restart.max.attempts": "1000", "sluice.restart.backoff.ms": "50"}
    # Text keys of fixed width: all three databases order and index them.
    expected = {}
    sluice = Sluice(tmp_path, {"sq": properties}, {"sluice.restart.max.attempts": "1000",
                                                   "sluice.restart.backoff.ms": "50"})
    victims = []
    try:
        sluice.start()
        for number in range(ROUNDS):
            rows = []
            for _ in range(ROWS):
                key, draw = f"k{rng.randrange(3000):05d}", rng.random()
                value = None if draw < 0.1 else {"n": rng.randrange(10**6), **({"extra": number} if draw < 0.3 else {})}
                rows.append((key, value))
                if value is None:
                    expected.pop(key, None)
                else:
                    # A row written without a member keeps what it had.
                    expected[key] = {**expected.get(key, {"extra": None}), **value}
            produce(sluice, rows)
            victim = rng.choice(["task", "worker", "database"])
            victims.append(victim)
            if victim == "task":
                for pid in sluice.pids("sluice-host", "task"):
                    os.kill(pid, signal.SIGKILL)
            elif victim == "worker":
                sluice.process.kill()
                sluice.process.wait()
                sluice.start()
            elif not isinstance(database, Sqlite):
                database.kill()
                database.start()

        def table():
            rows = database.run("SELECT id, n, extra FROM t ORDER BY id", check=False)
            return rows and {row[0]: (row[1], row[2]) for row in rows}
        wanted = {key: (str(row["n"]), None if row["extra"] is None else str(row["extra"])) for key, row in expected.items()}
        # It may be far behind, on a busy machine: what is waited for is that it goes on until it is there.
        seen = {"table": None, "since": time.monotonic()}

        def arrived_or_stuck():
            found = table()
            if found != seen["table"]:
                seen.update(table=found, since=time.monotonic())
            return found == wanted or time.monotonic() - seen["since"] > PATIENCE
        wait_until(arrived_or_stuck, 5 * PATIENCE, every=0.2)
        if table() != wanted:
            found = table() or {}
            differ = [(k, wanted.get(k), found.get(k)) for k in sorted({*wanted, *found}) if wanted.get(k) != found.get(k)]
            raise AssertionError(f"seed {SEED}, {victims}: {len(differ)} rows differ: {differ[:5]}\n{sluice.text()}")
    finally:
        sluice.stop()
        database.close()
