"""Faults at random instants between a worker and a real broker: kill -9 of a task or the worker, the broker killed,
restarted or away for a while, the network cut or dead. What was appended to a file goes through a source, a topic and
a sink into another file; at the end nothing is lost and the order is kept (duplicates only as re-reads).

SLUICE_SEED and SLUICE_ROUNDS repeat a run; SLUICE_FULL=1 makes it 200 rounds with the broker away for 30 s."""
import os
import random
import re
import signal
import threading
import time

import pytest
from harness import Sluice, wait_until
from proxy import Proxy
from real_kafka import Broker, Missing, kafka

FULL = os.environ.get("SLUICE_FULL") == "1"
ROUNDS = int(os.environ.get("SLUICE_ROUNDS", "200" if FULL else "10"))
SEED = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(1 << 31))
AWAY = 30 if FULL else 3
FAULTS = ("task", "worker", "cut", "freeze", "broker-kill", "task", "worker", "cut", "broker-away", "task")
STRING = "org.apache.kafka.connect.storage.StringConverter"


class Writer(threading.Thread):
    """Appends numbered lines for as long as it runs, in bursts, sometimes half a line."""

    def __init__(self, path, seed):
        super().__init__(daemon=True)
        self.path, self.random = path, random.Random(seed)
        self.count, self.ending = 0, threading.Event()

    def run(self):
        with open(self.path, "a", encoding="ascii", buffering=1 << 20) as file:
            while not self.ending.wait(self.random.uniform(0.005, 0.06)):
                for _ in range(self.random.randrange(1, 40)):
                    line = f"line {self.count:08d} {'x' * self.random.randrange(200)}\n"
                    at = self.random.randrange(len(line))
                    file.write(line[:at])
                    if self.random.random() < 0.1:
                        file.flush()
                    file.write(line[at:])
                    self.count += 1
                file.flush()

    def finish(self):
        self.ending.set()
        self.join()
        return self.count


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A broker behind a proxy."""
    try:
        kafka()
        broker = Broker(tmp_path_factory.mktemp("kafka"), config={
            "group.min.session.timeout.ms": "1000",
            "broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"})  # back soon after kill -9
        proxy = Proxy(broker.ports["PLAINTEXT"])
        broker.advertised["PLAINTEXT"] = proxy.address
        broker.start()
    except Missing as missing:
        pytest.skip(f"no Kafka broker: {missing}")
    yield broker, proxy
    broker.stop()
    proxy.close()


def inflict(fault, chance, sluice, broker, proxy):
    if fault == "task":
        victims = sluice.pids("sluice-host", "task")
        if victims:
            os.kill(chance.choice(victims), signal.SIGKILL)
    elif fault == "worker":
        sluice.process.kill()
        sluice.process.wait()
        time.sleep(chance.uniform(0, 0.3))
        sluice.start()
    elif fault == "cut":
        proxy.cut()
        time.sleep(chance.uniform(0.1, 2))
        proxy.restore()
    elif fault == "freeze":
        proxy.freeze()
        time.sleep(chance.uniform(0.5, 3))
        proxy.restore()
    elif fault == "broker-kill":
        broker.restart(kill=True)
    elif fault == "broker-away":
        broker.stop()
        instant = chance.uniform(0, AWAY)
        time.sleep(instant)
        inflict("task", chance, sluice, broker, proxy)  # and begins without it
        time.sleep(AWAY - instant)
        broker.start()


def numbers_of(text):
    """kill -9 may leave half a line before the next one."""
    return [int(number) for number in re.findall(r"line (\d{8}) ", text)]


def check(numbers, count, where):
    """Every number once in order, when what was seen before is left out; a re-read goes on where it began."""
    highest = -1
    for number in numbers:
        assert number <= highest + 1, f"seed {SEED}: {where}: {number} comes after {highest}: lost or out of order"
        highest = max(highest, number)
    assert highest == count - 1, f"seed {SEED}: {where}: the last is {highest}, not {count - 1}"


def test_nothing_is_lost_and_order_is_kept(tmp_path, cluster, topic):
    broker, proxy = cluster
    chance = random.Random(SEED)
    print(f"SLUICE_SEED={SEED} SLUICE_ROUNDS={ROUNDS}")
    file, out = tmp_path / "in.txt", tmp_path / "out.txt"
    worker = {"bootstrap.servers": proxy.address, "offset.flush.interval.ms": "300",
              "consumer.session.timeout.ms": "2000", "consumer.heartbeat.interval.ms": "400",
              "sluice.restart.max.attempts": "1000", "sluice.restart.backoff.ms": "50",
              "task.shutdown.graceful.timeout.ms": "20000",
              "consumer.reconnect.backoff.max.ms": "500", "producer.reconnect.backoff.max.ms": "500"}
    connectors = {
        "in": {"connector.class": "FileStreamSource", "file": str(file), "topic": topic, "value.converter": STRING,
               "batch.size": "50"},
        "out": {"connector.class": "FileStreamSink", "file": str(out), "topics": topic, "value.converter": STRING},
    }
    broker.create_topic(topic)
    faults = []
    while len(faults) < ROUNDS:
        part = list(FAULTS)
        chance.shuffle(part)
        faults += part
    writer = Writer(file, SEED)
    sluice = Sluice(tmp_path, connectors, worker, verb="standalone").start()
    try:
        writer.start()
        for number, fault in enumerate(faults[:ROUNDS]):
            time.sleep(chance.uniform(0.1, 1.0))
            print(f"round {number}: {fault}", flush=True)
            inflict(fault, chance, sluice, broker, proxy)
        count = writer.finish()

        def all_of_it():
            return {(topic, 0): broker.end_offsets(topic)[0]}

        def complete():
            return out.exists() and numbers_of(out.read_text(encoding="ascii")[-1000:])[-1:] == [count - 1]

        wait_until(complete, what=f"all {count} lines in {out} (seed {SEED})\n" + sluice.text())
        # Its session may have run out in the last cut: it cannot commit at a stop then, only when it is a member again.
        wait_until(lambda: broker.committed("connect-out") == all_of_it(),
                   what=lambda: f"all to be committed (seed {SEED})\n" + sluice.text(), every=0.2)
        sluice.stop()
        assert sluice.process.returncode == 0
    finally:
        if sluice.process.poll() is None:
            sluice.process.kill()
            sluice.process.wait()
    values = "\n".join(record.value.decode() for record in broker.consume(topic))
    check(numbers_of(values), count, "the topic")
    check(numbers_of(out.read_text(encoding="ascii")), count, "the file")
    # invariant 1: what the group has committed was in the file, and all of it is by now
    assert broker.committed("connect-out") == all_of_it(), sluice.text()
