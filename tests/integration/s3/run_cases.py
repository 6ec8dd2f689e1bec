#!/usr/bin/env python3
"""Runs S3-sink cases (the form of shared/conformance/s3) on the embedded log.

  run_cases.py [--fake | --s3 URL ACCESS SECRET] [--only REGEX] [-v] CASES...   (files or folders)

Stores: a folder (default), the strict service of fake_s3.py, or a real S3 service. Keys, contents,
tags, states, committed offsets, dead letters and the keys validation complains of are compared. Closes
with `N passed, N failed`; what a folder cannot do is named and skipped; what differs on purpose
(docs/compatibility.md) is run with the switch that makes it as the original.
"""
import argparse
import base64
import gzip
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "support")]
from fake_s3 import FakeS3  # noqa: E402
from harness import SLUICE, Sluice, objects as folder_objects  # noqa: E402

BUCKET = "cases"
CLASS = "io.confluent.connect.s3.S3SinkConnector"
# The original's own faults: only with this switch.
ON_PURPOSE = {"errors-tombstone-topic", "rotate-schedule-exists"}
SWITCH = {"sluice.s3.original.faults": "true"}
GROUP = 24      # connectors per worker
PATIENCE = 120  # seconds a case may take after its last step


class Folder:
    def __init__(self, root):
        self.root = os.path.join(root, "lake")
        self.variables = {"store_url": "file:" + self.root, "access_key": "a", "secret_key": "s"}

    def put(self, key, body):
        path = os.path.join(self.root, BUCKET, key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(body)

    def objects(self):
        return folder_objects(os.path.join(self.root, BUCKET))

    def stop(self):
        pass


class Fake:
    def __init__(self):
        self.fake = FakeS3().start()
        self.fake.buckets[BUCKET] = {}
        self.variables = {"store_url": self.fake.url, "access_key": "access", "secret_key": "secret"}

    def put(self, key, body):
        with self.fake.lock:
            self.fake.buckets[BUCKET][key] = {"body": body, "etag": hashlib.md5(body).hexdigest(),
                                              "headers": {}, "tags": {}, "puts": 0}

    def objects(self):
        return self.fake.keys(BUCKET)

    def tags(self, key):
        return self.fake.state()["objects"][f"{BUCKET}/{key}"]["tags"]

    def stop(self):
        self.fake.stop()


class Real:
    def __init__(self, url, access_key, secret_key):
        import boto3
        self.client = boto3.client("s3", endpoint_url=url, aws_access_key_id=access_key,
                                   aws_secret_access_key=secret_key, region_name="us-east-1")
        self.client.create_bucket(Bucket=BUCKET)
        self.variables = {"store_url": url, "access_key": access_key, "secret_key": secret_key}
        self.cache = {}

    def put(self, key, body):
        self.client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def objects(self):
        found = {}
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for entry in page.get("Contents", []):
                name = (entry["Key"], entry["ETag"], entry["LastModified"])
                if name not in self.cache:
                    answer = self.client.get_object(Bucket=BUCKET, Key=entry["Key"])
                    self.cache[name] = answer["Body"].read()
                found[entry["Key"]] = self.cache[name]
        return found

    def tags(self, key):
        answer = self.client.get_object_tagging(Bucket=BUCKET, Key=key)
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def stop(self):
        pass


class Case:
    def __init__(self, path, number, store):
        with open(path, encoding="utf-8") as file:
            self.data = json.load(file)
        self.id = self.data["id"]
        self.topic = f"case{number:03d}"
        self.name = "n" + self.topic
        self.variables = {"topic": self.topic, "bucket": BUCKET, "region": "us-east-1", **store.variables}
        if self.data.get("wallclock"):
            self.variables.update(zip(("year", "month", "day"), time.strftime("%Y %m %d", time.gmtime()).split()))
        self.steps = list(self.data.get("steps", []))
        self.count = 0
        self.since = None
        self.ready = None
        self.state = None
        self.trace = ""
        self.found = {}
        self.restart = next((step["restart"] for step in self.steps if "restart" in step), "")
        self.worker_props = self.data.get("worker_props", {})

    def sub(self, text):
        return re.sub(r"\$\{(\w+)\}", lambda m: str(self.variables.get(m[1], m[0])), text)

    def topics(self):
        return {self.sub(topic): count for topic, count in self.data.get("topics", {"${topic}": 1}).items()}

    def config(self):
        config = {key: self.sub(value) for key, value in self.data["properties"].items()}
        if "topics" not in config and "topics.regex" not in config:
            config["topics"] = ",".join(self.topics())
        if self.id in ON_PURPOSE:
            config.update(SWITCH)
        return {**self.data.get("worker", {}), **config, "name": self.name}

    def lines(self, records):
        for record in records:
            for turn in range(record.get("repeat", 1)):
                def text(value, number=self.count):
                    return None if value is None else self.sub(value.replace("${i}", str(number)))
                value = text(record.get("value"))
                if "pad" in record:
                    value = value.ljust(record["pad"], "x")
                line = {"key": text(record.get("key")), "value": value,
                        "partition": record.get("partition", 0)}
                for field in ("key", "value"):
                    if field + "_b64" in record:
                        line[field + "_base64"] = record[field + "_b64"]
                if record.get("timestamp") is not None:
                    line["timestamp"] = record["timestamp"] + turn * record.get("timestamp_step", 0)
                if record.get("headers"):
                    line["headers"] = record["headers"]
                self.count += 1
                yield self.sub(record.get("topic", "${topic}")), json.dumps(line)

    def expected(self, part):
        return {self.sub(key): value for key, value in part.items()}


class Skip(Exception):
    pass


def packed(body):
    if len(body) > 65536:
        return {"sha256": hashlib.sha256(body).hexdigest(), "length": len(body)}
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def typed(value):
    if isinstance(value, dict):
        return {key: typed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [typed(each) for each in value]
    return type(value).__name__, value


def same(case, wanted, body):
    if isinstance(wanted, str):
        wanted = case.sub(wanted)
        if case.data.get("compare") == "json":
            left, right = wanted.split("\n"), body.decode(errors="replace").split("\n")
            try:
                return len(left) == len(right) and all(
                    a == b or typed(json.loads(a)) == typed(json.loads(b)) for a, b in zip(left, right))
            except ValueError:
                return False
    return packed(body) == wanted


def problem(case, found):
    """None, or what is not as expected."""
    expect = case.data["expect"]
    wanted = case.expected(expect.get("objects", {}))
    may = case.expected(case.data.get("may_exist", {}))
    if case.state != expect.get("state", case.state):
        return f"state {case.state}, not {expect['state']}"
    for key, value in wanted.items():
        if key not in found:
            return f"no object {key}"
        if not same(case, value, found[key]):
            return f"{key} is {packed(found[key])!r:.300}, not {value!r:.300}"
    for key in found.keys() - wanted.keys():
        if key not in may or not same(case, may[key], found[key]):
            return f"unexpected object {key}"
    return None


def deeper_problem(case, store, sluice):
    """What takes a request each: once the objects are as they should be."""
    expect = case.data["expect"]
    for key, wanted in case.expected(expect.get("tags", {})).items():
        if store.tags(key) != wanted:
            return f"tags of {key}: {store.tags(key)}, not {wanted}"
    if "committed" in expect and "may_exist" not in case.data and case.state == "RUNNING":
        # 0 is the position before the first file: whether that is committed is a matter of timing.
        wanted = {key: offset for key, offset in case.expected(expect["committed"]).items() if offset}
        status, answer = sluice.call("GET", f"/connectors/{case.name}/offsets")
        if status == 200:
            found = {f"{each['partition']['kafka_topic']}:{each['partition']['kafka_partition']}":
                     each["offset"]["kafka_offset"] for each in answer["offsets"]}
            if {key: offset for key, offset in found.items() if offset} != wanted:
                return f"committed {found}, not {wanted}"
    topic = case.data["properties"].get("errors.deadletterqueue.topic.name")
    if "dlq" in expect and topic:
        found = dead_letters(sluice, case.sub(topic))
        wanted = [(each["key"], each["value"], each["offset"]) for each in expect["dlq"]]
        if found != wanted:
            return f"dead letters {found}, not {wanted}"
    return None


def dead_letters(sluice, topic):
    result = subprocess.run([SLUICE, "consume", "--bootstrap-server", "local:" + sluice.log_dir, "--topic",
                             topic, "--from-beginning", "--json"], text=True, capture_output=True, check=False)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    return [(each["key"], each["value"], dict(each["headers"]).get("__connect.errors.offset")) for each in records]


class Runner:
    def __init__(self, store, verbose):
        self.store, self.verbose = store, verbose
        self.passed, self.failed, self.skipped = 0, [], []

    def produce(self, sluice, case, records):
        batches = {}
        for topic, line in case.lines(records):
            batches.setdefault(topic, []).append(line)
        for topic, lines in batches.items():
            subprocess.run([SLUICE, "produce", "--bootstrap-server", "local:" + sluice.log_dir, "--topic",
                            topic, "--json"], input="\n".join(lines) + "\n", text=True, check=True,
                           stdout=subprocess.DEVNULL)

    def objects(self, case, everything):
        found = {key: gzip.decompress(body) if key.endswith(".gz") else body
                 for key, body in everything.items() if case.topic in key}
        before = case.expected(self.preexisting(case))
        return {key: body for key, body in found.items()
                if not (key in before and key not in case.expected(case.data["expect"].get("objects", {}))
                        and packed(body) == before[key])}

    @staticmethod
    def preexisting(case):
        return case.data.get("preexisting") or {}

    def advance(self, sluice, case, found):
        """Runs what steps are due; True when none is left."""
        while case.steps:
            step, now = case.steps[0], time.monotonic()
            if case.since is None:
                case.since = now
            if "records" in step:
                self.produce(sluice, case, step["records"])
                now = time.monotonic()
            elif "wait_objects" in step:
                if len(found) < step["wait_objects"] and now - case.since < PATIENCE:
                    return False
            elif "wait_ms" in step:
                if now - case.since < step["wait_ms"] / 1000:
                    return False
            else:
                return False
            case.since = now
            case.steps.pop(0)
        return True

    def look_at_state(self, sluice, case):
        status, answer = sluice.call("GET", f"/connectors/{case.name}/status")
        if status == 200:
            states = [task["state"] for task in answer["tasks"]] + [answer["connector"]["state"]]
            case.state = "FAILED" if "FAILED" in states else "RUNNING" if set(states) == {"RUNNING"} else None
            case.trace = next((each["trace"] for each in answer["tasks"] + [answer["connector"]]
                               if each.get("trace")), "")

    def prepare(self, sluice, case):
        case.since = time.monotonic()
        for key, body in case.expected(self.preexisting(case)).items():
            self.store.put(key, body.encode())
        for topic, count in case.topics().items():
            subprocess.run([SLUICE, "topics", "--bootstrap-server", "local:" + sluice.log_dir,
                            "--create", "--topic", topic, "--partitions", str(count),
                            "--config", "retention.ms=-1"],  # recorded times are years old
                           check=True, stdout=subprocess.DEVNULL)
        while case.steps and "records" in case.steps[0]:
            self.produce(sluice, case, case.steps.pop(0)["records"])

    @staticmethod
    def create(sluice, case):
        status, answer = sluice.call("POST", "/connectors", {"name": case.name, "config": case.config()})
        if status not in (200, 201):
            case.state, case.trace = "REJECTED", str(answer)

    def run_group(self, cases):
        worker = {"consumer.metadata.max.age.ms": "2000", **cases[0].worker_props}
        with tempfile.TemporaryDirectory() as folder:
            sluice = Sluice(folder, {}, worker)
            with sluice:
                for case in cases:
                    self.prepare(sluice, case)
                for case in cases:
                    self.create(sluice, case)
                if cases[0].restart:
                    self.restart(sluice, cases)
                self.watch(sluice, cases)

    def restart(self, sluice, cases):
        """All steps up to the restart, which is of the whole worker."""
        deadline = time.monotonic() + PATIENCE
        while not all(case.steps and "restart" in case.steps[0] for case in cases):
            everything = self.store.objects()
            for case in cases:
                self.advance(sluice, case, self.objects(case, everything))
            if time.monotonic() > deadline:
                raise SystemExit("steps before a restart never end: " + ", ".join(case.id for case in cases))
            time.sleep(0.1)
        if cases[0].restart == "kill":
            for pid in [sluice.process.pid, *sluice.children()]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            sluice.process.wait()
        sluice.stop()
        sluice.connectors = {case.name: case.config() for case in cases}  # as standalone, from files
        sluice.start()
        for case in cases:
            case.steps.pop(0)
            case.since = case.state = None
            while case.steps and "records" in case.steps[0]:
                self.produce(sluice, case, case.steps.pop(0)["records"])

    def validate(self, cases):
        """Validation, and no connector at all."""
        with tempfile.TemporaryDirectory() as folder, Sluice(folder, {}) as sluice:
            for case in cases:
                status, answer = sluice.call("PUT", f"/connector-plugins/{CLASS}/config/validate", case.config())
                found = sorted(each["value"]["name"] for each in answer["configs"]
                               if each["value"]["errors"]) if status == 200 else f"HTTP {status}"
                wanted = case.data["expect"]["error_keys"]
                self.judge(case, None if found == wanted else f"errors on {found}, not {wanted}")

    def judge(self, case, wrong):
        if wrong:
            self.failed.append(case.id)
            print(f"FAILED {case.id}: {wrong}; {case.trace[:300]}", flush=True)
        else:
            self.passed += 1
            if self.verbose:
                print(f"passed {case.id}", flush=True)

    def watch(self, sluice, cases):
        waiting = {case: None for case in cases}
        while waiting:
            everything = self.store.objects()
            for case in list(waiting):
                if case.state != "REJECTED":
                    self.look_at_state(sluice, case)
                case.found = self.objects(case, everything)
                if not self.advance(sluice, case, case.found):
                    continue
                now = time.monotonic()
                wrong = problem(case, case.found)
                waiting[case] = waiting[case] or (now, now)
                first, good = waiting[case]
                settled = now - good > 1.5 or case.state in ("FAILED", "REJECTED")  # and it stays so
                if not wrong and settled:
                    wrong = deeper_problem(case, self.store, sluice)
                if wrong:
                    waiting[case] = (first, now)
                if wrong and now - first > PATIENCE or not wrong and settled:
                    self.judge(case, wrong)
                    del waiting[case]
            time.sleep(0.1)

    def run(self, cases):
        groups, validated = {}, []
        for case in cases:
            try:
                self.fits(case)
            except Skip as reason:
                self.skipped.append(case.id)
                print(f"skipped {case.id}: {reason}", flush=True)
                continue
            if case.data.get("kind") == "validate":
                validated.append(case)
            else:
                groups.setdefault((case.restart, json.dumps(case.worker_props, sort_keys=True)), []).append(case)
        if validated:
            self.validate(validated)
        for group in groups.values():
            for start in range(0, len(group), GROUP):
                self.run_group(group[start:start + GROUP])
        print(f"{len(self.skipped)} skipped")
        print(f"{self.passed} passed, {len(self.failed)} failed")
        return 1 if self.failed else 0

    def fits(self, case):
        if isinstance(self.store, Folder):
            if case.config().get("s3.object.tagging") == "true":
                raise Skip("a folder has no tags")
            if case.id == "errors-bad-secret":
                raise Skip("a folder has no signatures")


def case_files(paths):
    for path in paths:
        if os.path.isdir(path):
            yield from sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(".json"))
        else:
            yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--fake", action="store_true")
    parser.add_argument("--s3", nargs=3, metavar=("URL", "ACCESS", "SECRET"))
    parser.add_argument("--only", default="")
    parser.add_argument("-v", action="store_true")
    options = parser.parse_args()
    for path in options.cases:
        if not os.path.exists(path):
            parser.error(f"{path} is not there")
    with tempfile.TemporaryDirectory() as folder:
        store = Real(*options.s3) if options.s3 else Fake() if options.fake else Folder(folder)
        cases = [Case(path, number, store) for number, path in enumerate(case_files(options.cases))]
        try:
            return Runner(store, options.v).run([case for case in cases if re.search(options.only, case.id)])
        finally:
            store.stop()


if __name__ == "__main__":
    sys.exit(main())
