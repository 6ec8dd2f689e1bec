"""The web console in headless Chromium (tests/browser/console.mjs). SLUICE_SHOTS=FOLDER also makes pictures there."""
import os
import shutil
import subprocess
import threading

import pytest
from fetched import Missing, fetched
from harness import BUILD, Sluice

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLUGINS = ",".join(os.path.join(BUILD, "tests", folder) for folder in ("worker_plugins", "plugins"))
PLAYWRIGHT = "1.65.1"
HOSTILE = "<img src=x onerror=alert(1)>"
S3 = {"connector.class": "io.confluent.connect.s3.S3SinkConnector", "s3.region": "eu-west-1", "s3.bucket.name": "lake",
      "storage.class": "io.confluent.connect.s3.storage.S3Storage",
      "format.class": "io.confluent.connect.s3.format.json.JsonFormat", "flush.size": "500"}


def chromium():
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no Chromium (Debian: chromium; or CHROMIUM=path)")
    return found


def playwright():
    """Folder with node_modules/playwright-core, fetched once into the build folder."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("no node and npm to drive Chromium with")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < 20:
        pytest.skip(f"node is {version}, and Playwright needs 20 or newer")
    try:
        return fetched(os.path.join(BUILD, "tests", "browser-" + PLAYWRIGHT), "npm", "install", "--no-save", "--no-audit",
                       "--no-fund", "--ignore-scripts", f"playwright-core@{PLAYWRIGHT}")
    except Missing as missing:
        pytest.skip(str(missing))


class Writer:
    """Adds lines to a source's file until it is closed."""

    def __init__(self, path):
        self.path, self.number, self.over = path, 0, threading.Event()
        self.write(4000)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def write(self, count):
        with open(self.path, "a", encoding="utf-8") as file:
            for _ in range(count):
                self.number += 1
                file.write('{"pin":%d,"title":"Pin %d","category":"travel","password":"s3cr3t"}\n'
                           % (self.number, self.number))

    def run(self):
        step = 0
        while not self.over.wait(0.25):
            step += 1
            self.write(150 + 90 * (step % 7))

    def close(self):
        self.over.set()
        self.thread.join()


def test_console(tmp_path):
    browser, folder = chromium(), playwright()
    source, shots = str(tmp_path / "pins.jsonl"), os.environ.get("SLUICE_SHOTS", "-")
    line = {"connector.class": "sluice.test.LineSourceConnector", "topic": "pins", "file": source,
            "value.converter": "org.apache.kafka.connect.storage.StringConverter"}
    connectors = {
        "pins-source": line,
        "pins-lake": {**S3, "topics": "pins", "store.url": f"file:{tmp_path}/store", "aws.access.key.id": "AKIAEXAMPLE",
                      "aws.secret.access.key": "hunter2", "transforms": "stamp",
                      "transforms.stamp.type": "org.apache.kafka.connect.transforms.InsertField$Value",
                      "transforms.stamp.topic.field": "topic"},
        "orders-rest": {"connector.class": "sluice.rest.RestSourceConnector", "listeners": "http://127.0.0.1:0"},
        "orders-archive": {**S3, "topics": "orders", "store.url": f"file:{tmp_path}/orders"},
        "orders-mirror": {"connector.class": "bad.NullDeref", "topics": "pins"},
    }
    files = str(tmp_path)
    writer = Writer(source)
    try:
        with Sluice(files, connectors, {"plugin.path": PLUGINS, "sluice.tap.enable": "true",
                                        "offset.flush.interval.ms": "2000"}) as sluice:
            status, body = sluice.call("POST", "/connectors", {"name": HOSTILE, "config": {
                "connector.class": "sluice.test.LineSinkConnector", "topics": "none", "file": files + "/out.txt"},
                "initial_state": "PAUSED"})
            assert status == 201, body
            done = subprocess.run(["node", os.path.join(ROOT, "tests", "browser", "console.mjs"),
                                   f"http://127.0.0.1:{sluice.admin_port}", shots], timeout=600, capture_output=True, text=True,
                                  env={**os.environ, "PLAYWRIGHT": folder, "CHROMIUM": browser})
            print(done.stdout, done.stderr)
            lines = done.stdout.splitlines()
            assert not [line for line in lines if line.startswith("not ok")], done.stdout + done.stderr
            assert done.returncode == 0 and len(lines) >= 15, done.stdout + done.stderr
    finally:
        writer.close()
