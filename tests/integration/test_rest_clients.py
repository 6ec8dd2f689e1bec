"""Other people's clients of Connect's REST API, unmodified, against sluice and, as a control, JVM Connect."""
import os
import re
import shutil
import subprocess
import sys

import pytest
from fetched import CACHE, Missing, fetched
from harness import ROOT, Sluice, wait_until
from real_kafka import JvmConnect, from_maven, jars

CLIENTS = os.path.join(ROOT, "tests", "support", "clients")
CONVERTERS = {"plugin.discovery": "only_scan"}

@pytest.fixture(scope="module")
def java_client():
    """Command that runs the Java client; its jars are fetched once."""
    if not shutil.which("javac"):
        pytest.skip("no javac: install the Debian package openjdk-17-jdk-headless")
    try:
        folder = from_maven("kafka-connect-client-4.0.4", "jars", [("org.sourcelab", "kafka-connect-client", "4.0.4")])
    except Missing as missing:
        pytest.skip(str(missing))
    return ["java", "-Xmx128m", "-cp", os.path.join(folder, "jars", "*"), os.path.join(CLIENTS, "EveryCall.java")]


@pytest.fixture(scope="module")
def python_client():
    try:
        folder = fetched(os.path.join(CACHE, "kafka-connect-py-1.0.0"), sys.executable, "-m", "pip", "install", "-q",
                         "--target", ".", "kafka-connect-py==1.0.0")
    except Missing as missing:
        pytest.skip(str(missing))
    return ["env", "PYTHONPATH=" + folder, sys.executable, os.path.join(CLIENTS, "every_call.py")]


@pytest.fixture(scope="module")
def workers(tmp_path_factory, broker):
    """sluice on its embedded log, and JVM Connect."""
    try:
        jars()
    except Missing as missing:
        pytest.skip(f"no JVM Connect: {missing}")
    folder = tmp_path_factory.mktemp("clients")
    for name in ("sluice", "jvm"):
        (folder / name).mkdir()
    (folder / "in.txt").write_text("one\ntwo\n")
    with Sluice(folder / "sluice", {}) as sluice, \
            JvmConnect(folder / "jvm", broker.bootstrap, worker={"plugin.discovery": "service_load"}) as jvm:
        wait_until(lambda: jvm.call("GET", "/connectors")[0] == 200, what="JVM Connect answers")
        yield folder, {"sluice": sluice, "jvm": jvm}


def normal(text, worker):
    text = text.replace(f"127.0.0.1:{worker.admin_port}", "HOST:PORT").replace(f"localhost:{worker.admin_port}", "HOST:PORT")
    text = re.sub(r"(?<=recommended_values\": )\[[^\]]*\]", "[]", text)
    return text.splitlines()


def run(command, workers):
    folder, both = workers
    results = {}
    for name, worker in both.items():
        done = subprocess.run([*command, f"http://127.0.0.1:{worker.admin_port}", str(folder)],
                              capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, f"{name}: {done.stdout}\n{done.stderr}"
        results[name] = normal(done.stdout, worker)
    return results


def test_every_call_of_the_java_client(java_client, workers):
    results = run(java_client, workers)
    assert len(results["jvm"]) > 35
    assert results["sluice"] == results["jvm"]


def test_every_call_of_the_python_client(python_client, workers):
    results = run(python_client, workers)
    assert len(results["jvm"]) > 35
    assert results["sluice"] == results["jvm"]


def test_what_terraform_does_a_thousand_times(tmp_path):
    """Create, read back, no difference, update, import, delete: what the provider for connectors does."""
    rounds = 1000 if os.environ.get("SLUICE_FULL") else 50
    (tmp_path / "in.txt").write_text("x\n")
    with Sluice(tmp_path, {}) as sluice:
        for i in range(rounds):
            name = f"managed-{i % 7}"
            config = {"connector.class": "FileStreamSource", "topic": "t", "file": str(tmp_path / "in.txt"), "name": name}
            status, created = sluice.call("POST", "/connectors", {"name": name, "config": config})
            assert (status, created["config"], created["type"]) == (201, config, "source"), (i, created)
            assert sluice.call("GET", f"/connectors/{name}")[1]["config"] == config
            changed = {**config, "batch.size": str(i + 1)}
            assert sluice.call("PUT", f"/connectors/{name}/config", changed)[0] == 200
            assert sluice.call("GET", f"/connectors/{name}/config") == (200, changed)
            assert sluice.call("GET", "/connectors?expand=info")[1][name]["info"]["config"] == changed
            assert sluice.call("DELETE", f"/connectors/{name}")[0] == 204
            assert sluice.call("GET", f"/connectors/{name}")[0] == 404
        assert sluice.call("GET", "/connectors") == (200, [])
        wait_until(lambda: not sluice.pids("sluice-host"), what="no host is left")
