"""Servers that speak the Kinesis API, for tests: kinesalite (npm), moto, and a proxy that makes faults."""
import base64
import datetime
import http.client
import http.server
import importlib.util
import json
import os
import subprocess
import sys
import threading
import urllib.parse

import pytest
from fetched import Missing, fetched
from harness import EXAMPLE, PATIENCE, SLUICE, free_port, wait_until

sys.path.insert(0, EXAMPLE)
import kinesalite  # noqa: E402  pylint: disable=wrong-import-position


MOTO = "moto[server]>=5,<6"


class Fault(Exception):
    """An answer of the API that is no success."""


def headers_of(operation):
    """The servers of the tests look at the form of a signature, not at its truth."""
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    return {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202." + operation,
            "X-Amz-Date": date, "Authorization": f"AWS4-HMAC-SHA256 Credential=access/{date[:8]}/us-east-1/kinesis/"
            "aws4_request, SignedHeaders=host;x-amz-date, Signature=" + "0" * 64}


def call(url, operation, **arguments):
    """One call of the API."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
    try:
        connection.request("POST", "/", json.dumps(arguments), headers_of(operation))
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise Fault(f"{answer.status} {body.decode()}")
    return json.loads(body) if body else {}


class Server:
    """Streams of a server that listens at url."""

    def call(self, operation, **arguments):
        """What reads is asked again after a 500, as SDKs do: moto's reading stumbles over a record that comes meanwhile."""
        for _ in range(9):
            try:
                return call(self.url, operation, **arguments)
            except Fault as fault:
                if not (operation.startswith("Get") and str(fault).startswith("500 ")):
                    raise
        return call(self.url, operation, **arguments)

    kept = None

    def raw(self, operation, body):
        """Text for text, over a connection that is kept: for figures."""
        if not self.kept:
            parts = urllib.parse.urlsplit(self.url)
            self.kept = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        self.kept.request("POST", "/", body, headers_of(operation))
        answer = self.kept.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
        return text

    def create(self, stream, shards=1):
        self.call("CreateStream", StreamName=stream, ShardCount=shards)
        self.wait_active(stream)

    def wait_active(self, stream):
        def active():
            found = self.call("DescribeStream", StreamName=stream)["StreamDescription"]["StreamStatus"]
            return found == "ACTIVE"
        wait_until(active, what=f"{stream} to be active")

    def shards(self, stream):
        return self.call("ListShards", StreamName=stream)["Shards"]

    def put(self, stream, records):
        """records: (key, bytes)."""
        for at in range(0, len(records), 400):
            answer = self.call("PutRecords", StreamName=stream, Records=[
                {"PartitionKey": key, "Data": base64.b64encode(data).decode()} for key, data in records[at:at + 400]])
            assert answer["FailedRecordCount"] == 0, answer

    def records(self, stream):
        """{shard: [(key, bytes)]}, all of it, shards in the order of their numbers."""
        found = {}
        for shard in self.shards(stream):
            iterator = self.call("GetShardIterator", StreamName=stream, ShardId=shard["ShardId"],
                                 ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            read = found.setdefault(shard["ShardId"], [])
            while iterator:
                answer = self.call("GetRecords", ShardIterator=iterator)
                read += [(each["PartitionKey"], base64.b64decode(each["Data"])) for each in answer["Records"]]
                iterator = answer.get("NextShardIterator") if answer["Records"] else None
        return found

    def first_number(self, stream):
        """Sequence number of the first record of the first shard."""
        iterator = self.call("GetShardIterator", StreamName=stream, ShardId=self.shards(stream)[0]["ShardId"],
                             ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        return self.call("GetRecords", ShardIterator=iterator, Limit=1)["Records"][0]["SequenceNumber"]

    def properties(self, **more):
        return {"kinesis.region": "us-east-1", "kinesis.endpoint": self.url, "aws.access.key.id": "access",
                "aws.secret.access.key": "secret",
                **{key.replace("__", "."): value for key, value in more.items()}}

    def sink(self, topics, **more):
        return {"connector.class": "sluice.kinesis.KinesisSinkConnector", "topics": topics, **self.properties(**more)}

    def source(self, stream, **more):
        return {"connector.class": "sluice.kinesis.KinesisSourceConnector", "kinesis.stream": stream,
                "kinesis.value.format": "json", "kinesis.poll.interval.ms": "20",
                "kinesis.shard.discovery.interval.ms": "200", **self.properties(**more)}

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Kinesalite(Server):
    def __init__(self):
        program, why = kinesalite.program(os.path.join(os.path.dirname(os.path.abspath(SLUICE)), "kinesalite"))
        if not program:
            pytest.skip("no kinesalite: " + why)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(["node", program, "--port", str(port), "--createStreamMs", "0",
                                         "--deleteStreamMs", "0", "--updateStreamMs", "0", "--shardLimit", "100"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(self), what="kinesalite")


def moto_folder():
    """Where moto is: "" beside the interpreter's own packages, or a folder next to the build. Fetched into that one only with
    SLUICE_FULL=1, for it takes minutes and 300 MB."""
    if importlib.util.find_spec("moto") and importlib.util.find_spec("flask_cors"):
        return ""
    folder = os.path.join(os.path.dirname(os.path.abspath(SLUICE)), "moto")
    if os.path.isdir(folder):
        return folder
    if not os.environ.get("SLUICE_FULL"):
        pytest.skip("no moto with its server (SLUICE_FULL=1 fetches it, or pip install 'moto[server]')")
    try:
        return fetched(folder, sys.executable, "-m", "pip", "install", "-q", "--target", ".", MOTO)
    except Missing as missing:
        pytest.skip(str(missing))


class Moto(Server):
    def __init__(self):
        folder = moto_folder()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = {**os.environ, **({"PYTHONPATH": folder} if folder else {})}
        self.process = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], env=environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(self), what="moto")


def listens(server):
    assert server.process.poll() is None, "the server ended"
    try:
        server.call("ListStreams")
        return True
    except OSError:
        return False


class FaultProxy:
    """Between a connector and a server. fault(operation, request) gives None, (status, object) to answer instead, or a
    function that is given the server's answer and returns another."""

    def __init__(self, server, fault):
        outer = self
        self.fault = fault

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                operation = self.headers["X-Amz-Target"].split(".")[1]
                assert "/us-east-1/kinesis/aws4_request" in self.headers["Authorization"]
                request = json.loads(body)
                verdict = outer.fault(operation, request)
                if isinstance(verdict, tuple):
                    status, answer = verdict
                else:
                    if callable(verdict) and operation == "PutRecords":
                        request, verdict = verdict(request)
                    try:
                        # Where all of a call is refused the server, which takes no empty one, does not hear of it.
                        none = operation == "PutRecords" and not request["Records"]
                        status, answer = 200, {"Records": []} if none else call(server.url, operation, **request)
                    except Fault as fault_:
                        status, text = str(fault_).split(" ", 1)
                        status, answer = int(status), json.loads(text)
                    if verdict and status == 200:
                        answer = verdict(answer)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


THROTTLED = (400, {"__type": "ProvisionedThroughputExceededException", "message": "Rate exceeded for shard"})
EXPIRED = (400, {"__type": "ExpiredIteratorException", "message": "Iterator expired."})


def refuse_some(random, share):
    """For PutRecords: the server gets some of the records, the others are refused, each for itself."""
    def split(request):
        kept = [random.random() >= share for _ in request["Records"]]
        request = {**request, "Records": [each for each, keep in zip(request["Records"], kept) if keep]}

        def merge(answer):
            given = iter(answer["Records"])
            records = [next(given) if keep else {"ErrorCode": "ProvisionedThroughputExceededException",
                                                 "ErrorMessage": "Rate exceeded"} for keep in kept]
            return {"FailedRecordCount": kept.count(False), "Records": records}
        return request, merge
    return split
