"""Starts and stops a real sluice for tests: free ports, temporary folders, nothing left running."""
import collections
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("SLUICE_BUILD", os.path.join(ROOT, "build", "release"))
SLUICE = os.path.join(BUILD, "sluice")
SHARED = os.environ.get("SLUICE_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
EXAMPLE = os.path.join(ROOT, "examples", "pinterest")
TOPIC_PREFIX = "12471ce1b695."
# Seconds to wait for what must happen: on a machine that has thirty others to run, too. A test has a bound of its own
# only where the time is what it is about.
PATIENCE = 180


def within(seconds):
    """A time that users are promised, where others want the processors, too: as much longer as they are too few."""
    return seconds * max(1.0, os.getloadavg()[0] / os.cpu_count())


_claims = collections.deque(maxlen=64)


def free_port():
    """A port that stays free until it is listened on: below those that the kernel gives to clients, and claimed by a name
    that other processes of the tests see too, until 64 more were taken here."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0sluice-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port


def wait_until(condition, timeout=PATIENCE, what="condition", every=0.02):
    """Waits for what only a look can tell (files, states); returns the condition's value. every: seconds between
    two looks, for looks that cost what is measured."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(every)


def read_properties(path):
    with open(path, encoding="utf-8") as lines:
        pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return {key.strip(): value.strip() for key, value in pairs}


def write_properties(path, properties):
    with open(path, "w", encoding="utf-8") as file:
        for key, value in properties.items():
            text = str(value).replace("\\", "\\\\").replace("\n", "\\n")
            file.write(f"{key}={text}\n")
    return path


class AdminApi:
    """What a worker answers on admin_port; beside sluice also the JVM's (real_kafka.py)."""

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=PATIENCE)
        try:
            data = json.dumps(body) if body is not None else None
            connection.request(method, path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def status(self, name):
        return self.call("GET", f"/connectors/{name}/status")[1]

    def task(self, name, number=0):
        tasks = self.status(name).get("tasks", [])
        return tasks[number] if number < len(tasks) else {}

    def wait_state(self, name, state, number=0, timeout=PATIENCE):
        try:
            wait_until(lambda: self.task(name, number).get("state") == state, timeout)
        except AssertionError:
            raise AssertionError(f"{name}-{number} is not {state} but {self.status(name)}\n"
                                 + self.text()) from None
        return self.task(name, number)

    def running(self, name):
        status = self.status(name)
        return (status.get("connector", {}).get("state") == "RUNNING" and status.get("tasks")
                and all(task["state"] == "RUNNING" for task in status["tasks"]))


class Sluice(AdminApi):
    """One `sluice run` (or another verb) in a folder of its own. connectors: {name: properties}."""

    def __init__(self, folder, connectors, worker=None, arguments=(), verb="run"):
        self.verb = verb
        self.folder = str(folder)
        self.admin_port = free_port()
        self.log_dir = os.path.join(self.folder, "log")
        self.worker = {
            "bootstrap.servers": "local:" + self.log_dir,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
            "listeners": f"http://127.0.0.1:{self.admin_port}",
            "offset.storage.file.filename": os.path.join(self.folder, "connect.offsets"),
            "offset.flush.interval.ms": "1000",
            **(worker or {}),
        }
        self.connectors = connectors
        self.files = []  # further connectors, as they are
        self.arguments = list(arguments)
        self.process = None
        self.output = []

    def start(self):
        files = [write_properties(os.path.join(self.folder, "worker.properties"), self.worker)]
        for name, properties in self.connectors.items():
            path = os.path.join(self.folder, name + ".properties")
            files.append(write_properties(path, {"name": name, **properties}))
        is_ready = threading.Event()
        self.process = subprocess.Popen([SLUICE, self.verb, *self.arguments, *files, *self.files], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace")

        def drain(stream):
            for line in stream:
                self.output.append(line)
                if ("ready in" if self.verb == "run" else "Kafka Connect started") in line:
                    is_ready.set()
            is_ready.set()

        self.reader = threading.Thread(target=drain, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        assert is_ready.wait(PATIENCE), "sluice did not get ready:\n" + self.text()
        assert self.process.poll() is None, "sluice ended:\n" + self.text()
        return self

    def produce(self, topic, lines):
        """lines: {"key":, "value":, ..}, as `sluice produce --json` takes them."""
        subprocess.run([SLUICE, "produce", "--bootstrap-server", self.worker["bootstrap.servers"], "--topic", topic,
                        "--json"], input="".join(json.dumps(line) + "\n" for line in lines), text=True, check=True)

    def consume(self, topic):
        """All records of a topic that are there, by partition and offset; none where there is no such topic."""
        output = subprocess.run([SLUICE, "consume", "--bootstrap-server", self.worker["bootstrap.servers"], "--topic",
                                 topic, "--from-beginning", "--json"], text=True, capture_output=True, check=False)
        records = [json.loads(line) for line in output.stdout.splitlines()]
        return sorted(records, key=lambda record: (record["partition"], record["offset"]))

    def text(self):
        return "".join(self.output[-2000:])

    def told(self, words):
        """Waits until its output has these words: lines are read a moment after they were written."""
        try:
            wait_until(lambda: words in "".join(self.output))
        except AssertionError:
            raise AssertionError(f"{words} is not in\n{self.text()}") from None

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"sluice did not stop within {PATIENCE} s:\n" + self.text()) from None
        if self.process:
            self.reader.join(PATIENCE)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # -- processes --

    def children(self):
        """{pid: command line} of every process below the worker."""
        parents = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
                with open(f"/proc/{entry}/cmdline", encoding="utf-8", errors="replace") as line:
                    command = line.read().replace("\0", " ").strip()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(entry)] = (int(fields[1]), command)
        found, queue = {}, [self.process.pid]
        while queue:
            parent = queue.pop()
            for pid, (above, command) in parents.items():
                if above == parent and pid not in found:
                    found[pid] = command
                    queue.append(pid)
        return found

    def pids(self, *words):
        """Children whose command line has all these words."""
        return [pid for pid, command in self.children().items() if all(word in command for word in words)]


def objects(root):
    """{key: bytes} of every finished object under a bucket folder."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            key = os.path.relpath(path, root)
            if name.startswith(".") or "/." in key or name.endswith(".tmp"):
                continue
            with open(path, "rb") as file:
                found[key] = file.read()
    return found


def object_key(topic, partition, offset):
    return f"topics/{topic}/partition={partition}/{topic}+{partition}+{offset:010d}.json"
