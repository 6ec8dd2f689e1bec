#!/usr/bin/env python3
"""Differential test of the admin API: random calls to JVM Connect and to sluice, both standalone on one broker.

    rest.py [--seed N] [--rounds N] [--count N] [--keep FILE] [FAMILY..]

rest_calls.py makes the calls. Each is sent to both workers; the JVM's answer becomes an expectation by the rules of the
recorded scenarios (normalise and match of their replay.py), and sluice's is held against it. What changes is awaited: a
GET is repeated until both say the same, and after any other call `/connectors?expand=status` is. What differs and is
not among the known differences (docs/compatibility.md) is a failure, printed with its call; the same seed gives it
again. Closes with `N passed, N failed`. Without Java, Maven or the scenarios' runner it is skipped and says so.
"""
import argparse
import concurrent.futures
import json
import os
import re
import sys
import tempfile
import time
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, os.path.join(HERE, "..", "suites"))
from harness import SHARED, Sluice  # noqa: E402
from real_kafka import Broker, JvmConnect, Missing, jars  # noqa: E402
from rest_calls import SINK, SOURCE, Calls  # noqa: E402
from run_rest import WORKER  # noqa: E402

RUNNER = os.path.join(SHARED, "conformance", "rest")
STATUSES = "/connectors?expand=status"
SETTLED = 12  # seconds: a JVM's task may take 5 to stop
MOVED = 10  # seconds for records under way; where a call has broken what moves them, nothing comes

# (name, pattern over what differs, pattern over "WHERE STATUS-OF-THE-JVM CALL"): each is a row of docs/compatibility.md.
KNOWN = [
    ("inner classes by a short name", "", r'"InsertField\$Key"|connector-plugins/\w+\$(Key|Value)/config'),
    ("validate, then swap", "", r'^afterwards 500 .*"(PUT|PATCH)", "path": "/connectors/[^/]*/config"'),
    ("validate, then swap", "expected 500 got 20", r"topic\.creation\."),
    ("null for a key of the class's own", "expected 500 got 20", ": null"),
    ("restarts of tasks that are not there", "", r"/tasks/[^/]*/restart"),
    ("topics of a deleted connector", "topics: expected", r"/topics"),
    ("half of a surrogate pair", "", r"\\ud800"),
    ("a connector that becomes one of the other kind", "ClassCastException", ""),
]


def comparable(step, answer, uid):
    """Without what has no order, and what depends on the program: plugins and loggers that only one has."""
    status, headers, value = answer
    path = step["path"].split("?")[0].rstrip("/")
    if status == 400 and not (isinstance(value, dict) and "error_code" in value):
        return status, {}, "<any>"  # Jetty's own page or none, by the Accept header
    if path == "/connectors" and isinstance(value, list):
        value = sorted(value)
    if isinstance(value, dict) and "StreamReadConstraints" in str(value.get("message")):
        value = {**value, "message": "<any>"}  # of Jackson's, which the other has no such words for
    if path == "/connector-plugins" and isinstance(value, list):
        value = [one for one in value if one["class"].startswith("org.apache.kafka.connect.") and ".mirror." not in one["class"]]
    elif path.startswith("/admin/loggers") and isinstance(value, list):
        value = [one for one in value if uid in one]
    elif path == "/admin/loggers" and isinstance(value, dict) and "error_code" not in value:
        value = {name: {**one, "last_modified": "<int>"} for name, one in value.items() if uid in name}
    return status, headers, value


class Side:
    """One of the two workers with its variables. Their letters are `Aa` and `BB`: texts that differ by these alone have
    the same hashCode(), by which Java orders its maps."""

    def __init__(self, replay, worker, folder, letters):
        self.replay, self.worker, self.folder, self.letters = replay, worker, folder, letters
        self.seen = None
        self.client = replay.Client(f"http://127.0.0.1:{worker.admin_port}", 100)
        self.vars = {"source_class": SOURCE, "sink_class": SINK, "topic_prefix": "rest-", "topic": "${topic}",
                     "timestamp": "${timestamp}", "hostport": f"127.0.0.1:{worker.admin_port}", "_rev": ["tmpdir", "uid"]}

    def begin(self, number):
        self.vars["uid"] = f"u{number}{self.letters}"
        self.vars["tmpdir"] = os.path.join(self.folder, f"{self.letters}{number}")
        os.makedirs(self.vars["tmpdir"])

    def send(self, step):
        step = self.replay.subst(step, self.vars)
        self.replay.do_files(step.get("files", []))
        try:
            return self.client.call(step["method"], step["path"], step.get("headers"), step.get("body"))
        except Exception as error:  # noqa: BLE001, what the other does is compared with it
            return 0, {}, f"{type(error).__name__}"

    def expectation(self, step, answer):
        """The recorder's: what a scenario would hold."""
        status, headers, value = answer
        normal = lambda one, opts=None: self.replay.normalise(one, self.vars, self.vars["hostport"], opts if opts is not None else {})  # noqa: E731
        kept = {key: normal(headers[key]) for key in ("content-type", "location", "allow") if key in headers}
        if step["method"] == "OPTIONS":
            kept.pop("allow", None)
        return {"status": status, "headers": kept, "body": normal(value)}

    def await_records(self, ends):
        """Until what runs has nothing left to move: a source has stored the end of its file, a sink that of its topics."""
        found = self.client.call("GET", STATUSES + "&expand=info")[2]
        running = {name: one["info"]["config"] for name, one in found.items() if one["status"]["connector"]["state"] == "RUNNING"
                   and one["status"]["tasks"] and all(task["state"] == "RUNNING" for task in one["status"]["tasks"])}
        seen = json.dumps([running, [os.path.getsize(config["file"]) for config in running.values() if os.path.exists(config.get("file", ""))]])
        if seen == self.seen:
            return
        end = time.monotonic() + MOVED
        while not all(self.is_done(name, config, ends) for name, config in running.items()) and time.monotonic() < end:
            time.sleep(0.05)
        self.seen = seen

    def is_done(self, name, config, ends):
        offsets = self.client.call("GET", f"/connectors/{quote(name, safe='')}/offsets")[2].get("offsets", [])
        if "topic" in config:
            size = os.path.getsize(config["file"]) if os.path.exists(config.get("file", "")) else 0
            return size == 0 or any(one["partition"] == {"filename": config["file"]} and one["offset"].get("position", 0) >= size for one in offsets)
        found = {(one["partition"]["kafka_topic"], one["partition"]["kafka_partition"]): one["offset"]["kafka_offset"] for one in offsets}
        return all(found.get(where, 0) >= last for topic in config.get("topics", "").split(",") for where, last in ends(topic).items())

    def delete_all(self):
        for _ in range(100):
            names = self.client.call("GET", "/connectors")[2]
            if not names:
                return
            for name in names:
                self.client.call("DELETE", "/connectors/" + quote(name, safe=""))
            time.sleep(0.1)


class Pair:
    def __init__(self, replay, jvm, sluice, ends):
        self.replay, self.jvm, self.sluice, self.ends = replay, jvm, sluice, ends
        self.pool = concurrent.futures.ThreadPoolExecutor(2)

    def differences(self, step):
        """Sends a step to both; [] or what differs, and both answers."""
        theirs, ours = self.pool.map(lambda side: side.send(step), (self.jvm, self.sluice))
        theirs, ours = comparable(step, theirs, self.jvm.vars["uid"]), comparable(step, ours, self.sluice.vars["uid"])
        expected = self.replay.subst(self.jvm.expectation(step, theirs), self.sluice.vars)
        status, headers, value = ours
        found = []
        if expected["status"] != status:
            found.append(f"status: expected {expected['status']} got {status}")
        for name in ("content-type", "location", "allow"):
            want, got = expected["headers"].get(name), headers.get(name)
            if name == "content-type" and (status in (404, 405, 406, 415) and want is None or step["method"] == "OPTIONS"):
                continue
            if name == "allow" and (step["method"] == "OPTIONS" or want is None):
                continue
            if name == "content-type":
                want, got = want and want.replace(" ", "").lower(), got and got.replace(" ", "").lower()
            if "<any>" in (theirs[2], value):
                continue
            if want is None and got is not None:
                found.append(f"header {name}: unexpected {got}")
            elif want is not None:
                found += self.replay.match(want, got, "header " + name)
        if step["method"] not in ("HEAD", "OPTIONS") and "<any>" not in (theirs[2], value):
            if (expected["body"] == "<empty>") != (value == "<empty>"):
                found.append(f"body: expected {expected['body'] if expected['body'] == '<empty>' else 'one'} got {self.replay.short(value, 300)}")
            elif expected["body"] not in ("<empty>", "<any>"):
                found += ["body " + one for one in self.replay.match(expected["body"], value)]
        return found, theirs, ours

    def awaited(self, step, seconds):
        """As differences(), repeated until there are none."""
        end = time.monotonic() + seconds
        while True:
            found = self.differences(step)
            if not found[0] or time.monotonic() > end:
                return found
            time.sleep(0.1)

    def settle(self):
        found = self.awaited({"id": "settled", "method": "GET", "path": STATUSES}, SETTLED)
        if not found[0]:
            for side in (self.jvm, self.sluice):
                side.await_records(self.ends)
        return found


class Ends:
    """The ends of topics: {(topic, partition): offset of the next record}."""

    def __init__(self, bootstrap):
        import kafka
        self.kafka = kafka
        self.consumer = kafka.KafkaConsumer(bootstrap_servers=bootstrap, api_version=(2, 6, 0), enable_auto_commit=False)

    def __call__(self, topic):
        if topic not in self.consumer.topics():  # to ask for its partitions would make it
            return {}
        where = [self.kafka.TopicPartition(topic, number) for number in self.consumer.partitions_for_topic(topic) or ()]
        return {(one.topic, one.partition): last for one, last in self.consumer.end_offsets(where).items()}


def known(step, where, status, found):
    call, why = f"{where} {status} {json.dumps(step, ensure_ascii=False)}", "; ".join(found)
    for name, in_why, in_call in KNOWN:
        if re.search(in_why, why) and re.search(in_call, call):
            return name
    return None


def play(pair, steps, counts, keep):
    for step in steps:
        reads = step["method"] in ("GET", "HEAD", "OPTIONS")
        found, theirs, ours = pair.awaited(step, SETTLED) if reads and step["method"] == "GET" else pair.differences(step)
        where, answered = "answer", theirs[0]
        if step.get("files"):
            pair.settle()
        if not reads and not found:
            found, theirs, ours = pair.settle()
            where = "afterwards"
        if not found:
            counts["passed"] += 1
            continue
        name = known(step, where, answered, found)
        if name:
            counts[name] = counts.get(name, 0) + 1
        else:
            counts["failed"] += 1
            print(f"FAIL {where}: {'; '.join(found[:4])}\n  call {json.dumps(step, ensure_ascii=False)[:1500]}\n"
                  f"  jvm    {theirs[0]} {json.dumps(theirs[2], ensure_ascii=False)[:700]}\n"
                  f"  sluice {ours[0]} {json.dumps(ours[2], ensure_ascii=False)[:700]}", flush=True)
            if keep:
                keep.write(json.dumps({"why": found, "where": where, "step": step, "jvm": theirs, "sluice": ours}, ensure_ascii=False) + "\n")
        if not reads and pair.settle()[0]:  # both from nothing, or one difference becomes many
            pair.jvm.delete_all()
            pair.sluice.delete_all()


def main():
    sys.stdout.reconfigure(errors="backslashreplace")  # halves of surrogate pairs are among what is sent
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--count", type=int, default=100, help="calls of a round")
    parser.add_argument("--keep", help="file for the differences, a JSON object a line")
    parser.add_argument("--bootstrap", help="a broker that runs; default: one of its own")
    parser.add_argument("--jvm", type=int, help="port of a JVM worker that runs; default: one of its own")
    parser.add_argument("families", nargs="*", choices=[*Calls.FAMILIES, []])
    arguments = parser.parse_args()
    if not os.path.exists(os.path.join(RUNNER, "replay.py")):
        print(f"SKIPPED rest: no replay.py in {RUNNER} (set SLUICE_SHARED)\n0 passed, 0 failed")
        return 0
    sys.path.insert(0, RUNNER)
    import replay
    try:
        jars()
    except Missing as missing:
        print(f"SKIPPED rest: {missing}\n0 passed, 0 failed")
        return 0
    counts = {"passed": 0, "failed": 0}
    with tempfile.TemporaryDirectory(prefix="sluice-rest-") as folder:
        stack = []

        def started(one):
            one.start()
            stack.append(one)
            return one

        try:
            for name in ("broker", "jvm", "sluice"):
                os.makedirs(os.path.join(folder, name))
            bootstrap = arguments.bootstrap or started(Broker(os.path.join(folder, "broker"))).bootstrap
            jvm = JvmConnect(os.path.join(folder, "jvm"), bootstrap, worker=WORKER)
            if arguments.jvm:
                jvm.admin_port = arguments.jvm
            else:
                started(jvm)
            sluice = started(Sluice(os.path.join(folder, "sluice"), {}, {**WORKER, "bootstrap.servers": bootstrap}, verb="standalone"))
            pair = Pair(replay, Side(replay, jvm, folder, "Aa"), Side(replay, sluice, folder, "BB"), Ends(bootstrap))
            keep = open(arguments.keep, "w", encoding="utf-8", errors="backslashreplace") if arguments.keep else None
            for number in range(arguments.rounds):
                seed = arguments.seed * 1000 + number
                for side in (pair.jvm, pair.sluice):
                    side.begin(f"{os.getpid()}x{number}")
                print(f"-- seed {arguments.seed}, round {number}", flush=True)
                play(pair, Calls(seed).steps(arguments.count, arguments.families), counts, keep)
                pair.jvm.delete_all()
                pair.sluice.delete_all()
        finally:
            for one in reversed(stack):
                one.stop()
    for name in sorted(set(counts) - {"passed", "failed"}):
        print(f"known: {name}: {counts[name]}")
    print(f"{counts['passed'] + sum(counts[name] for name in counts if name not in ('passed', 'failed'))} passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
