"""A worker with one source and one sink of lines, for tests of the worker."""
import fcntl
import json
import os

import pytest
from harness import BUILD, Sluice, wait_until

PLUGINS = ",".join(os.path.join(BUILD, "tests", folder) for folder in ("worker_plugins", "plugins"))
SOURCE = "sluice.test.LineSourceConnector"
SINK = "sluice.test.LineSinkConnector"
WORKER = {"plugin.path": PLUGINS, "offset.flush.interval.ms": "100",
          "task.shutdown.graceful.timeout.ms": "1000", "sluice.plugin.timeout.ms": "60000",
          "sluice.task.memory.limit.bytes": str(256 << 20)}


class Lines:
    """A file that a source reads and one that a sink writes."""

    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder, "in.txt")
        self.out = os.path.join(folder, "out.txt")
        self.count = 0
        self.write(0)

    def connectors(self):
        return {"lines": {"connector.class": SOURCE, "file": self.path, "topic": "t"},
                "copy": {"connector.class": SINK, "file": self.out, "topics": "t"}}

    def write(self, count):
        with open(self.path, "a", encoding="utf-8") as file:
            for _ in range(count):
                file.write(f"line {self.count}\n")
                self.count += 1

    def seen(self):
        if not os.path.exists(self.out):
            return []
        with open(self.out, encoding="utf-8") as file:
            return [json.loads(line) if line.startswith('"') else line.rstrip("\n") for line in file]

    def arrive(self):
        wait_until(lambda: set(self.seen()) >= {f"line {i}" for i in range(self.count)},
                   what="every line at the other end")


@pytest.fixture
def lines(tmp_path):
    return Lines(str(tmp_path))


def start(folder, connectors, **worker):
    return Sluice(folder, connectors, {**WORKER, **worker})


def connector_state(sluice, name, state):
    wait_until(lambda: sluice.status(name).get("connector", {}).get("state") == state,
               what=f"{name} {state}\n{sluice.text()}")
    return sluice.status(name)["connector"]


def alive(pids):
    """Those that run; who waits for orphans of a killed worker is not our affair."""
    found = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] != "Z":
                    found.append(pid)
        except OSError:
            pass
    return found


def try_lock(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
