"""Exactly-once objects against an S3 service that fails, with kill -9 of task and worker among it.

A round: two topics (small records and one PUT an object; large ones and parts of 5 MiB), every seventh
request fails in one of the ways of fault_s3/, processes are killed at random instants. In the end the
bucket is compared with the topic record by record: the very objects that flush.size makes, nothing lost,
nothing twice, no multipart upload left open (invariants 1 to 4).

10 rounds; 200 with SLUICE_FULL=1. Repeatable by SLUICE_SEED.
"""
import gzip
import json
import os
import random
import signal
import subprocess
import time

import pytest
from fault_s3 import FaultS3
from harness import PATIENCE, SLUICE, Sluice, object_key

SEED = int(os.environ.get("SLUICE_SEED", "20261128"))
ROUNDS = int(os.environ.get("SLUICE_ROUNDS", "200" if os.environ.get("SLUICE_FULL") else "10"))
PARTITIONS = 2
FAULTS = int(os.environ.get("SLUICE_FAULTS", "140"))  # of 1000 requests


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Round:
    def __init__(self, folder, seed, service):
        self.random = random.Random(seed)
        self.service = service
        self.gzip = self.random.random() < 0.4
        base = {"connector.class": "io.confluent.connect.s3.S3SinkConnector", **service.properties,
                "storage.class": "io.confluent.connect.s3.storage.S3Storage",
                "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
                "s3.part.size": "5242880", "s3.retry.backoff.ms": "10", "retry.backoff.ms": "100",
                "s3.compression.type": "gzip" if self.gzip else "none", "s3.compression.level": "1",
                "consumer.override.session.timeout.ms": "6000"}
        self.flush = {"small": self.random.choice([1, 7, 40]), "large": self.random.choice([400, 700])}
        self.count = {"small": 400, "large": 1600}
        self.size = {"small": 100, "large": 20000}
        self.sluice = Sluice(folder, {
            name: {**base, "topics": name, "flush.size": str(self.flush[name])} for name in ("small", "large")},
            {"offset.flush.interval.ms": "300"})
        self.sent = {}

    def produce(self, topic, partition, numbers):
        lines = []
        for number in numbers:
            # gzip must not make large ones small, or there would be no parts
            noise = self.random.randbytes(self.size[topic] // 2).hex()
            value = json.dumps({"n": number, "x": noise}, separators=(",", ":"))
            self.sent.setdefault((topic, partition), []).append(value)
            lines.append(json.dumps({"value": value, "partition": partition}))
        subprocess.run([SLUICE, "produce", "--bootstrap-server", "local:" + self.sluice.log_dir, "--topic", topic,
                        "--json"], input="\n".join(lines) + "\n", text=True, check=True)

    def revive(self):
        if self.sluice.process.poll() is not None:
            self.sluice.process.wait()
            self.sluice.start()
        for name in ("small", "large"):
            status = self.sluice.status(name)
            for task in status["tasks"]:
                if task["state"] == "FAILED":
                    self.sluice.call("POST", f"/connectors/{name}/tasks/{task['id']}/restart")

    def strike(self):
        if self.random.random() < 0.25:
            for pid in [self.sluice.process.pid, *self.sluice.children()]:
                kill(pid)
            self.sluice.process.wait()
        else:
            for pid in self.sluice.pids("sluice-host", "task"):
                if self.random.random() < 0.7:
                    kill(pid)

    def run(self):
        with self.sluice:
            for topic in ("small", "large"):
                subprocess.run([SLUICE, "topics", "--bootstrap-server", "local:" + self.sluice.log_dir, "--create",
                                "--topic", topic, "--partitions", str(PARTITIONS)], check=True,
                               stdout=subprocess.DEVNULL)
            pieces = 4
            for piece in range(pieces):
                for topic in ("small", "large"):
                    part = self.count[topic] // PARTITIONS // pieces
                    for partition in range(PARTITIONS):
                        self.produce(topic, partition, range(piece * part, (piece + 1) * part))
                if self.random.random() < 0.7:
                    self.wait_for_parts()
                else:
                    time.sleep(self.random.uniform(0, 0.5))
                if piece < pieces - 1 or self.random.random() < 0.5:
                    self.strike()
                    self.revive()
            self.service.set_faults(0)
            self.settle()
            self.compare()

    def wait_for_parts(self):
        """The instant at which a kill leaves a multipart upload behind."""
        deadline = time.monotonic() + 0.5
        while self.service.state()["uploads"] == 0 and time.monotonic() < deadline:
            time.sleep(0.005)

    def expected(self):
        return {object_key(topic, partition, first) + (".gz" if self.gzip else ""):
                (topic, partition, first)
                for topic, flush in self.flush.items() for partition in range(PARTITIONS)
                for first in range(0, self.count[topic] // PARTITIONS // flush * flush, flush)}

    def settle(self):
        def done():
            self.revive()
            return set(self.service.keys()) >= set(self.expected()) and self.service.state()["uploads"] == 0
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.2)

    def told(self):
        """Why a round does not settle."""
        missing = sorted(set(self.expected()) - set(self.service.keys()))
        lines = [f"{len(missing)} missing {missing[:3]}", f"open {self.service.uploads()}", str(self.service.state()),
                 f"flush.size {self.flush}, gzip {self.gzip}"]
        for name in ("small", "large"):
            lines += [f"{name}: {self.sluice.status(name)}", str(self.sluice.call("GET", f"/connectors/{name}/offsets"))]
        log = [line for line in self.sluice.output if "RestServer" not in line]  # revive() asks all the time
        return "\n".join(lines) + "\n" + "".join(log[-300:])

    def compare(self):
        assert set(self.service.keys()) == set(self.expected())
        for key, (topic, partition, first) in self.expected().items():
            body = self.service.object(key)
            lines = (gzip.decompress(body) if self.gzip else body).decode().split("\n")
            assert lines.pop() == ""
            assert lines == self.sent[topic, partition][first:first + self.flush[topic]], key
        state = self.service.state()
        assert state["errors"] == 0, state["last_error"]


met = []


@pytest.mark.parametrize("number", range(ROUNDS))
def test_round(tmp_path, number):
    seed = SEED + number
    with FaultS3(seed=seed, faults=FAULTS, delay=20) as service:
        try:
            Round(tmp_path, seed, service).run()
        except AssertionError as error:
            raise AssertionError(f"SLUICE_SEED={seed} SLUICE_ROUNDS=1: {error}") from None
        met.append(service.state()["faults"])


def test_rounds_met_faults():
    """A short round may meet none; all of them do not."""
    assert not met or sum(met) >= len(met)
