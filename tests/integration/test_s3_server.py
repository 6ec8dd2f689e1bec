"""The owner's sink file against a real S3 server (MinIO) and against a folder: the same keys and contents."""
import json
import os
import subprocess
import sys

import pytest
from fetched import Missing, minio
from harness import EXAMPLE, PATIENCE, SLUICE, Sluice, free_port, object_key, objects, read_properties, wait_until

boto3 = pytest.importorskip("boto3", reason="the Debian package python3-boto3 reads back what was written")
BUCKET = "user-12471ce1b695-bucket"


@pytest.fixture(scope="module")
def server():
    try:
        script = minio()
    except Missing as why:
        pytest.skip(f"no S3 server: {why}")
    process = subprocess.Popen([script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline().split()
    if len(line) != 3:
        process.wait(PATIENCE)
        pytest.skip("no S3 server: " + process.stderr.read().strip())
    yield line
    process.stdin.close()
    process.wait(PATIENCE)


@pytest.fixture(scope="module")
def client(server):
    url, key, secret = server
    client = boto3.client("s3", endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret,
                          region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    return client


def everything(client):
    found = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", []):
            found[entry["Key"]] = client.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
    return found


def test_same_keys_and_contents_as_in_a_folder(tmp_path, server, client, monkeypatch):
    url, key, secret = server
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    port = free_port()
    rest = read_properties(os.path.join(EXAMPLE, "rest-source.properties"))
    raw = read_properties(os.path.join(EXAMPLE, "s3-raw.properties"))
    rest.pop("name")
    raw.pop("name")
    rest["listeners"] = f"http://127.0.0.1:{port}"
    connectors = {"rest-source": rest, "to-server": {**raw, "store.url": url},
                  "to-folder": {**raw, "store.url": f"file:{tmp_path}/lake"}}
    with Sluice(tmp_path, connectors) as sluice:
        subprocess.run([sys.executable, os.path.join(EXAMPLE, "emulator.py"), "--quiet",
                        "--url", f"http://127.0.0.1:{port}"], check=True)
        folder = tmp_path / "lake" / BUCKET
        wait_until(lambda: len(objects(folder)) >= 411, what="411 files\n" + sluice.text())
        wait_until(lambda: client.list_objects_v2(Bucket=BUCKET, Prefix="topics/")["KeyCount"] >= 411,
                   what="411 objects\n" + sluice.text())
        log = sluice.text()
    assert secret not in log  # invariant 7
    expected = {object_key("12471ce1b695." + kind, 0, offset)
                for kind in ("pin", "geo", "user") for offset in range(137)}
    stored = everything(client)
    assert set(stored) == expected
    assert stored == objects(folder)


def test_a_server_without_tls_and_no_scheme_says_what_to_write(tmp_path, server):
    url, key, secret = server
    properties = {**read_properties(os.path.join(EXAMPLE, "s3-raw.properties")), "store.url": url.split("://")[1],
                  "aws.access.key.id": key, "aws.secret.access.key": secret}
    properties.pop("name")
    with Sluice(tmp_path, {"lake": properties}) as sluice:
        subprocess.run([SLUICE, "topics", "--bootstrap-server", "local:" + sluice.log_dir, "--create", "--topic",
                        "12471ce1b695.pin"], check=True)
        assert "write http:// where" in sluice.wait_state("lake", "FAILED")["trace"]


def test_source_reads_a_real_bucket(tmp_path, server, client):
    """Lists with encoded keys, ranges of objects larger than a piece, ETags that must match."""
    url, key, secret = server
    client.create_bucket(Bucket="source")
    names = ["in/a b.jsonl", "in/a+b.jsonl", "in/a=b&c.jsonl", "in/grün/ü%41.jsonl", "in/z.jsonl"]
    rows = 40000
    for name in names[:-1]:
        client.put_object(Bucket="source", Key=name, Body=json.dumps({"key": name}).encode() + b"\n")
    large = "".join('{"n":%d,"x":"%s"}\n' % (n, "x" * 60) for n in range(rows)).encode()
    client.put_object(Bucket="source", Key=names[-1], Body=large)
    properties = {"connector.class": "io.confluent.connect.s3.source.S3SourceConnector", "mode": "GENERIC",
                  "topics.dir": "in", "topic.regex.list": "t:.*jsonl", "s3.bucket.name": "source",
                  "s3.region": "us-east-1", "store.url": url, "aws.access.key.id": key,
                  "aws.secret.access.key": secret}
    with Sluice(tmp_path, {"source": properties}) as sluice:
        def records():
            output = subprocess.run([SLUICE, "consume", "--bootstrap-server", "local:" + sluice.log_dir, "--topic",
                                     "t", "--from-beginning"], capture_output=True, text=True, check=False).stdout
            return [json.loads(line) for line in output.splitlines()]
        wait_until(lambda: len(records()) >= rows + len(names) - 1, what=sluice.text())
        found = records()
        assert sorted(each["key"] for each in found if "key" in each) == sorted(names[:-1])
        assert [each["n"] for each in found if "n" in each] == list(range(rows))
