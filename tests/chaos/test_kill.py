"""kill -9 of task, connector host, embedded log and worker at random instants while rows are posted.

What was acknowledged to the emulator must be in the bucket, under its one key, with its content
(invariants 1 and 2). Repeatable by SLUICE_SEED; SLUICE_KILLS sets how many (50; 200 with --full).
"""
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from harness import EXAMPLE, Sluice, free_port, object_key, objects, read_properties, wait_until

SEED = int(os.environ.get("SLUICE_SEED", "20261124"))
KILLS = int(os.environ.get("SLUICE_KILLS", "200" if os.environ.get("SLUICE_FULL") else "50"))
BUCKET = "user-12471ce1b695-bucket"
VICTIMS = ["sink task", "source task", "connector host", "embedded log", "worker"]


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def direct_children(pid):
    children = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/children", encoding="utf-8") as file:
                children += file.read().split()
        except OSError:
            pass
    return [int(child) for child in children]


class Cluster:
    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        rest = read_properties(os.path.join(EXAMPLE, "rest-source.properties"))
        raw = read_properties(os.path.join(EXAMPLE, "s3-raw.properties"))
        rest["listeners"] = f"http://127.0.0.1:{self.port}"
        raw["store.url"] = f"file:{folder}/lake"
        rest.pop("name")
        raw.pop("name")
        self.sluice = Sluice(folder, {"rest-source": rest, "s3-raw": raw})

    def revive(self):
        """Restarts what is not running; what fails by itself comes back by the worker."""
        if self.sluice.process.poll() is not None:
            self.sluice.process.wait()
            self.sluice.start()
        for name in ("rest-source", "s3-raw"):
            status = self.sluice.status(name)
            if status["connector"]["state"] == "FAILED":
                self.sluice.call("POST", f"/connectors/{name}/restart?includeTasks=true&onlyFailed=true")
            for task in status["tasks"]:
                if task["state"] == "FAILED":
                    self.sluice.call("POST", f"/connectors/{name}/tasks/{task['id']}/restart")

    def strike_connector_host(self):
        """It lives for the milliseconds in which a connector is set up: restarts one until it is caught."""
        worker = self.sluice.process.pid
        for _ in range(20):
            threading.Thread(target=self.sluice.call, daemon=True,
                             args=("POST", "/connectors/s3-raw/restart?includeTasks=true")).start()
            deadline = time.monotonic() + 0.3
            while time.monotonic() < deadline:
                for pid in direct_children(worker):
                    try:
                        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as line:
                            if "connector" in line.read().split("\0")[1:2] and kill(pid):
                                return True
                    except OSError:
                        pass
        return False

    def strike(self, victim):
        sluice = self.sluice
        if victim == "worker":
            kill(sluice.process.pid)
            sluice.process.wait()
            return True
        if victim == "connector host":
            return self.strike_connector_host()
        words = {"sink task": ("sluice-host", "task", "s3-raw"), "embedded log": ("sluice-log",),
                 "source task": ("sluice-host", "task", "rest-source")}[victim]
        pids = sluice.pids(*words)
        return any([kill(pid) for pid in pids[:1]])


def test_nothing_acknowledged_is_lost(tmp_path):
    chance = random.Random(SEED)
    cluster = Cluster(tmp_path)
    ledger = tmp_path / "acknowledged"
    struck = {victim: 0 for victim in VICTIMS}
    cluster.sluice.start()
    try:
        for number in range(KILLS):
            victim = VICTIMS[number % len(VICTIMS)]
            emulator = subprocess.Popen([sys.executable, os.path.join(EXAMPLE, "emulator.py"), "--quiet",
                                         "--url", f"http://127.0.0.1:{cluster.port}", "--patience", "60",
                                         "--acknowledged", str(ledger)])
            instant = chance.random() * 0.6
            try:
                emulator.wait(instant)
            except subprocess.TimeoutExpired:
                pass
            struck[victim] += cluster.strike(victim)
            wait_until(lambda: not cluster.revive() and emulator.poll() is not None,
                       what=f"emulator after kill {number} of {victim}\n{cluster.sluice.text()}")
            assert emulator.returncode == 0, cluster.sluice.text()
        wait_until(lambda: not cluster.revive() and cluster.sluice.running("s3-raw"), what="sink running")

        posted = [json.loads(line) for line in ledger.read_text().splitlines()]
        lake = tmp_path / "lake" / BUCKET
        keys = {object_key(topic, partition, offset): row for topic, partition, offset, row in posted}
        wait_until(lambda: keys.keys() <= objects(lake).keys(), what="all objects\n" + cluster.sluice.text())
    finally:
        cluster.sluice.stop()

    found = objects(lake)
    assert len(keys) == len(posted), "two acknowledged rows share an offset"
    for key, row in keys.items():
        assert json.loads(found[key]) == row, key
    for victim, count in struck.items():
        print(f"{victim}: {count} kills")
        assert count >= KILLS // len(VICTIMS) - 2, f"{victim} was hardly ever there to be killed"
    # each offset has its one object: no gaps, no strangers
    per_topic = {}
    for key in found:
        topic, partition, offset = os.path.basename(key)[:-len(".json")].rsplit("+", 2)
        per_topic.setdefault((topic, partition), set()).add(int(offset))
    for offsets in per_topic.values():
        assert offsets == set(range(len(offsets)))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s"]))
