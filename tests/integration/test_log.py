"""The embedded log through its command-line tools: contents, groups, kill -9 of its owner."""
import json
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
from harness import PATIENCE, SLUICE, wait_until, within

LOG = os.path.join(os.path.dirname(SLUICE), "sluice-log")


@pytest.fixture
def log(tmp_path):
    owner = Owner(tmp_path / "log")
    owner.start()
    yield owner
    owner.stop()


class Owner:
    """A sluice-log as a worker runs it: alive as long as our end of a socket is open."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.server = "local:" + self.folder
        self.process = None

    def start(self):
        self.life, theirs = socket.socketpair()
        self.process = subprocess.Popen([LOG, self.folder, "--fd", str(theirs.fileno())],
                                        pass_fds=[theirs.fileno()], stderr=subprocess.PIPE)
        theirs.close()
        self.life.settimeout(PATIENCE)
        assert self.life.recv(1) == b"\0", self.process.stderr.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def end(self):
        self.process.wait(PATIENCE)
        self.process.stderr.close()
        self.life.close()

    def stop(self):
        self.life.shutdown(2)
        self.end()
        assert self.process.returncode == 0

    def run(self, verb, *arguments, data=None, code=0):
        outcome = subprocess.run([SLUICE, verb, "--bootstrap-server", self.server, *arguments],
                                 input=data, capture_output=True, text=True, timeout=PATIENCE)
        assert outcome.returncode == code, outcome.stderr
        return outcome.stdout

    def consume(self, topic, *arguments):
        lines = self.run("consume", "--topic", topic, "--json", *arguments).splitlines()
        return [json.loads(line) for line in lines]


def test_topics_are_listed_as_kafka_does(log):
    assert log.run("topics", "--create", "--topic", "a", "--partitions", "2", "--config",
                   "retention.ms=1000000") == "Created topic a.\n"
    log.run("topics", "--create", "--topic", "a", code=2)
    assert log.run("topics", "--create", "--topic", "a", "--if-not-exists") == ""
    assert log.run("topics", "--list") == "a\n"
    assert log.run("topics", "--describe", "--topic", "a").splitlines() == [
        "Topic: a\tPartitionCount: 2\tReplicationFactor: 1\tConfigs: retention.ms=1000000",
        "\tTopic: a\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1",
        "\tTopic: a\tPartition: 1\tLeader: 1\tReplicas: 1\tIsr: 1"]
    log.run("topics", "--alter", "--topic", "a", "--partitions", "3")
    described = json.loads(log.run("topics", "--describe", "--json"))
    assert [p["partition"] for p in described[0]["partitions"]] == [0, 1, 2]
    log.run("topics", "--delete", "--topic", "a")
    assert log.run("topics", "--list") == ""
    log.run("topics", "--delete", "--topic", "a", code=2)
    log.run("topics", "--delete", "--topic", "a", "--if-exists")


def test_lines_and_json_come_back(log):
    log.run("produce", "--topic", "t", "--key-separator", ":", data="a:1\nb:2:3\n")
    records = [{"key": "k", "value": "text", "headers": {"h": "v", "n": None}, "timestamp": 1234},
               {"value": {"z": 1, "a": [True, None]}}, {"key": "gone", "value": None}]
    log.run("produce", "--topic", "t", "--json", data="".join(json.dumps(r) + "\n" for r in records))
    found = log.consume("t", "--from-beginning")
    assert [(r["key"], r["value"], r["offset"]) for r in found] == [
        ("a", "1", 0), ("b", "2:3", 1), ("k", "text", 2), (None, '{"z":1,"a":[true,null]}', 3), ("gone", None, 4)]
    assert found[2]["headers"] == {"h": "v", "n": None}
    assert found[2]["timestamp"] == 1234
    assert [r["offset"] for r in log.consume("t", "--partition", "0", "--offset", "3")] == [3, 4]
    assert log.run("consume", "--topic", "t", "--from-beginning", "--max-messages", "1", "--property",
                   "print.key=true", "--property", "print.offset=true") == "Offset:0\ta\t1\n"


def test_what_a_line_says_and_nobody_reads_is_told(log):
    for line, said in (({"vaule": 1}, "a member that a record does not have"), ({"value": 1, "partition": "0"}, "`partition`"),
                       ({"value": 1, "partition": 1 << 32}, "`partition`"), ({"value": 1, "timestamp": "now"}, "`timestamp`"),
                       ({"value": 1, "headers": "h"}, "`headers`"), ({"value": 1, "headers": ["h"]}, "no pair")):
        done = subprocess.run([SLUICE, "produce", "--bootstrap-server", log.server, "--topic", "t", "--json"], check=False,
                              input=json.dumps({"value": "good"}) + "\n" + json.dumps(line), capture_output=True, text=True,
                              timeout=PATIENCE)
        assert done.returncode == 2 and "Line 2" in done.stderr and said in done.stderr, done
    assert {r["value"] for r in log.consume("t", "--from-beginning")} == {"good"}
    for option in (["--to", "-2"], ["--max-messages", "-5"], ["--partition", "-7"], ["--timeout-ms", "-9"]):
        log.run("consume", "--topic", "t", "--from-beginning", *option, code=2)


def test_headers_of_one_name_are_all_kept(log):
    """What consume prints, produce takes: a copy of a topic has all that the topic had."""
    pairs = [["h", "1"], ["h", "2"], ["\u00e4", None]]
    log.run("produce", "--topic", "t", "--json", data=json.dumps({"value": "v", "headers": pairs}))
    printed = log.run("consume", "--topic", "t", "--from-beginning", "--json")
    assert json.loads(printed)["headers"] == pairs
    log.run("produce", "--topic", "copy", "--json", data=printed)
    assert json.loads(log.run("consume", "--topic", "copy", "--from-beginning", "--json"))["headers"] == pairs


def test_a_closed_stream_is_not_taken_by_a_file(log):
    """Else the next file or socket would be it, and what is printed would go there."""
    log.run("produce", "--topic", "t", data="".join(f"line {i}\n" for i in range(1000)))
    for closing in (">&-", "<&- >&-", ">&- 2>&-"):
        done = subprocess.run(["sh", "-c", f'exec "$0" "$@" {closing}', SLUICE, "consume", "--bootstrap-server", log.server,
                               "--topic", "t", "--from-beginning"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=PATIENCE, check=False)
        assert done.returncode == 3, (closing, done)
        assert "2>" in closing or "Standard output cannot be written" in done.stderr, done
    done = subprocess.run(["sh", "-c", 'exec "$0" "$@" <&-', SLUICE, "produce", "--bootstrap-server", log.server, "--topic", "t"],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 3 and "Standard input cannot be read" in done.stderr, done
    assert [r["value"] for r in log.consume("t", "--from-beginning")] == [f"line {i}" for i in range(1000)]


def test_errors_say_what_to_do(log):
    for arguments, word in ((["topics"], "--list"), (["consume", "--topic", "none", "--from-beginning"], "none"),
                            (["topics", "--frob"], "--help")):
        outcome = subprocess.run([SLUICE, arguments[0], "--bootstrap-server", log.server, *arguments[1:]],
                                 capture_output=True, text=True, timeout=PATIENCE)
        assert outcome.returncode == 2 and word in outcome.stderr
    outcome = subprocess.run([SLUICE, "topics", "--bootstrap-server", "local:/proc/none", "--list"],
                             capture_output=True, text=True, timeout=PATIENCE)
    assert outcome.returncode == 3 and "/proc/none" in outcome.stderr


def test_a_group_goes_on_where_it_was(log):
    log.run("produce", "--topic", "t", data="0\n1\n2\n")
    group = ("--group", "g", "--from-beginning")
    assert [r["value"] for r in log.consume("t", *group, "--max-messages", "2")] == ["0", "1"]
    log.kill()
    log.start()
    assert [r["value"] for r in log.consume("t", *group)] == ["2"]
    log.run("produce", "--topic", "t", data="3\n")
    assert [r["value"] for r in log.consume("t", *group)] == ["3"]


def test_nothing_acknowledged_is_lost_by_kills(log):
    """Several producers at once while the owner is killed: all is there, once, in each one's order."""
    seed = int(os.environ.get("SLUICE_SEED", "20261124"))
    chance = random.Random(seed)
    log.run("topics", "--create", "--topic", "t", "--partitions", "2")
    count, producers = 3000, []
    killed_enough = threading.Event()

    def feed(stream, number):
        pause = random.Random(number)
        for i in range(count):
            stream.write(f"{number}:{i}\n")
            if i % 20 == 0:
                stream.flush()
                time.sleep(pause.random() * 0.01)
        stream.flush()
        killed_enough.wait(PATIENCE)
        stream.write(f"{number}:{count}\n")
        stream.close()

    feeders = []
    for number in range(3):
        producer = subprocess.Popen([SLUICE, "produce", "--bootstrap-server", log.server, "--topic", "t"],
                                    stdin=subprocess.PIPE, text=True)
        producers.append(producer)
        feeders.append(threading.Thread(target=feed, args=(producer.stdin, number)))
        feeders[-1].start()
    kills = 0
    while any(producer.poll() is None for producer in producers):
        time.sleep(chance.random() * 0.1 * (1 + kills / 50))  # longer lives where the machine is slow
        log.kill()
        log.start()
        kills += 1
        assert kills < 300
        if kills == 10:
            killed_enough.set()
    for feeder in feeders:
        feeder.join()
    assert [producer.returncode for producer in producers] == [0, 0, 0]
    assert kills >= 10
    records = log.consume("t", "--from-beginning")
    assert len(records) == 3 * (count + 1)
    last = {}
    for record in records:
        number, i = map(int, record["value"].split(":"))
        key = (record["partition"], number)
        assert i > last.get(key, -1)
        last[key] = i
    for partition in (0, 1):
        offsets = [r["offset"] for r in records if r["partition"] == partition]
        assert offsets == list(range(len(offsets)))


def test_one_owner_per_folder_and_none_when_idle(tmp_path):
    """Tools start an owner by themselves; only one wins, and it leaves when nobody needs it."""
    folder = str(tmp_path / "d")
    tools = [subprocess.Popen([SLUICE, "produce", "--bootstrap-server", "local:" + folder, "--topic", "t"],
                              stdin=subprocess.PIPE, text=True) for _ in range(8)]
    for tool in tools:
        tool.stdin.write("x\n")
        tool.stdin.close()
    assert [tool.wait(PATIENCE) for tool in tools] == [0] * 8
    owner = Owner(folder)
    assert len(owner.consume("t", "--from-beginning")) == 8
    wait_until(lambda: not os.path.exists(folder + "/log.sock"), what="the owner to leave")


def test_an_owner_that_is_slow_to_answer_is_waited_for(log):
    """As one whose disk takes seconds for a commit: it is there, other than one that nobody can reach."""
    log.run("topics", "--create", "--topic", "t")
    log.process.send_signal(signal.SIGSTOP)
    try:
        tool = subprocess.Popen([SLUICE, "topics", "--bootstrap-server", log.server, "--list"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            tool.communicate(timeout=4)  # what it must not do meanwhile is end
    finally:
        log.process.send_signal(signal.SIGCONT)
    listed, told = tool.communicate(timeout=PATIENCE)
    assert (tool.returncode, listed, told) == (0, "t\n", "")


def test_a_folder_that_is_none_is_told_at_once(tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    begin = time.monotonic()
    outcome = subprocess.run([SLUICE, "topics", "--bootstrap-server", f"local:{path}", "--list"],
                             capture_output=True, text=True, timeout=PATIENCE)
    assert (outcome.returncode, time.monotonic() - begin < within(5)) == (3, True)
    assert "Not a directory" in outcome.stderr


def test_more_clients_than_descriptors_wait_quietly(tmp_path):
    owner = Owner(tmp_path / "log")
    owner.start()
    resource.prlimit(owner.process.pid, resource.RLIMIT_NOFILE, (20, 20))
    clients = [connect(tmp_path / "log") for _ in range(40)]
    wait_until(lambda: b"No more clients" in os.read(owner.process.stderr.fileno(), 65536))

    def ticks():
        with open(f"/proc/{owner.process.pid}/stat", encoding="ascii") as stat:
            return sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13]))

    before = ticks()
    time.sleep(0.5)  # what it must not do is work
    assert ticks() - before < 0.2 * os.sysconf("SC_CLK_TCK")
    for client in clients[:-1]:
        client.close()
    hello = struct.pack("<IIII", 0x636c7573, 1, 0, 0)
    clients[-1].sendall(struct.pack("<IIII", len(hello), 1, 0, 0) + hello)
    assert len(clients[-1].recv(16)) == 16
    clients[-1].close()
    owner.stop()


def connect(folder):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE)
    client.connect(str(folder / "log.sock"))
    return client


@pytest.mark.parametrize("pair", ["num=3", "=3", "num.partition=3", "log.retention=3"])
def test_a_key_is_taken_by_its_whole_name(pair, tmp_path):
    done = subprocess.run([LOG, str(tmp_path / "log"), "--config", pair], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2 and "unknown" in done.stderr
