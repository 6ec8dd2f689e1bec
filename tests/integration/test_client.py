"""The verbs that ask an admin API, against sluice; the same against a JVM worker where one can be had."""
import base64
import http.server
import json
import os
import subprocess
import threading

import pytest
from harness import BUILD, PATIENCE, SLUICE, Sluice, free_port, wait_until, write_properties
from real_kafka import JvmConnect

PLUGINS = ",".join(os.path.join(BUILD, "tests", folder) for folder in ("worker_plugins", "plugins"))
VERBS = ("connectors", "logs", "offsets", "pause", "restart", "resume", "status", "stop", "top", "validate")
NAME = "a b/ü"


def run(*arguments, url=None, env=None, stdin=None):
    done = subprocess.run([SLUICE, *arguments, *(("--url", url) if url else ())], capture_output=True, text=True,
                          timeout=PATIENCE, env={**os.environ, **(env or {})}, input=stdin)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("client"))
    with open(os.path.join(folder, "in.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"line {i}\n" for i in range(200))
    with Sluice(folder, {}, {"plugin.path": PLUGINS, "offset.flush.interval.ms": "200"}) as sluice:
        sluice.url = f"http://127.0.0.1:{sluice.admin_port}"
        yield sluice


def source(worker, **more):
    return {"name": NAME, "connector.class": "sluice.test.LineSourceConnector", "topic": "t",
            "file": os.path.join(worker.folder, "in.txt"), **more}


@pytest.mark.parametrize("verb", VERBS)
def test_help_and_no_worker(verb):
    code, out, _ = run(verb, "--help")
    assert code == 0 and out.startswith("usage: sluice " + verb) and "--json" in out
    words = {"logs": ["x"], "offsets": ["x"], "pause": ["x"], "restart": ["x"], "resume": ["x"], "stop": ["x"],
             "top": ["--once"]}.get(verb, [])
    stdin = None
    if verb == "validate":
        words, stdin = ["-"], "connector.class=X\n"
    code, out, error = run(verb, *words, url="http://127.0.0.1:1", stdin=stdin)
    assert code == 3 and out == "" and "http://127.0.0.1:1" in error, error
    code, out, error = run(verb, *words, url="http://me:secret@127.0.0.1:1/x@y", stdin=stdin)
    assert code == 3 and "http://127.0.0.1:1/x@y does not answer" in error and "sec" not in error, error
    if verb == "status":  # no worker is not no connectors
        assert run(verb, "--json", url="http://127.0.0.1:1")[:2] == (3, "")
    code, _, error = run(verb, "--nonsense")
    assert code == 2 and "--nonsense" in error and f"sluice {verb} --help" in error


def test_life_of_a_connector(worker, tmp_path):
    url = worker.url
    code, out, _ = run("connectors", url=url)
    assert (code, out) == (0, "no connectors\n")
    path = str(tmp_path / "c.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"name": NAME, "config": source(worker), "initial_state": "PAUSED"}, file)
    assert run("connectors", "create", path, url=url)[:2] == (0, f"created {NAME}\n")
    code, _, error = run("connectors", "create", path, url=url)
    assert code == 1 and "already exists" in error
    assert run("resume", NAME, url=url)[:2] == (0, f"{NAME} is being resumed\n")
    wait_until(lambda: run("status", NAME, url=url)[1].count("RUNNING") == 2)
    code, out, _ = run("connectors", "--json", url=url)
    assert code == 0 and json.loads(out)[NAME]["status"]["type"] == "source"
    code, out, _ = run("connectors", url=url)
    lines = out.splitlines()
    assert lines[0].split() == ["NAME", "TYPE", "STATE", "TASKS", "CLASS"]
    assert lines[1].split()[-4:] == ["source", "RUNNING", "1/1", "sluice.test.LineSourceConnector"]
    # properties out and in again, read as Latin-1 though they are
    odd = {"note": "  ä € \U0001f600\ta\nb\\", "odd key:=#!\té": "x"}
    assert run("connectors", "update", NAME, "-", url=url, stdin=json.dumps(source(worker, **odd)))[0] == 0
    code, out, _ = run("connectors", "config", NAME, url=url)
    assert code == 0 and "topic=t\n" in out and out.isascii()
    assert run("connectors", "update", NAME, "-", url=url, stdin=out)[:2] == (0, f"updated {NAME}\n")
    kept = json.loads(run("connectors", "config", NAME, "--json", url=url)[1])
    assert {key: kept[key] for key in odd} == odd
    patch = run("connectors", "update", NAME, "-", "--patch", "--json", url=url, stdin='{"topic":"other","tasks.max":1}')
    assert patch[0] == 0 and json.loads(patch[1])["config"]["topic"] == "other"
    for verb in ("pause", "resume"):
        assert run(verb, NAME, url=url)[0] == 0
    assert run("restart", NAME, "--tasks", url=url)[0] == 0
    assert run("restart", NAME, "--failed", url=url)[0] == 0
    wait_until(lambda: run("restart", NAME, "--task", "0", url=url)[0] == 0)
    assert run("stop", NAME, url=url)[:2] == (0, f"{NAME} is stopped\n")
    code, out, _ = run("offsets", NAME, "--json", url=url)
    assert code == 0 and len(json.loads(out)["offsets"]) == 1, out
    code, text, _ = run("offsets", NAME, url=url)
    assert code == 0 and text.startswith("PARTITION")
    offsets = json.loads(out)
    assert run("offsets", NAME, "--set", "-", url=url, stdin=json.dumps(offsets))[0] == 0
    assert run("offsets", NAME, "--reset", url=url)[0] == 0
    assert run("offsets", NAME, url=url)[1] == "no offsets\n"
    assert run("connectors", "delete", NAME, url=url)[:2] == (0, f"deleted {NAME}\n")
    code, _, error = run("status", NAME, url=url)
    assert code == 2 and "No status found" in error


def test_status_tells_failures_and_logs(worker):
    url = worker.url
    config = source(worker, name="bad", behave="exit")
    del config["behave"]
    config.update({"connector.class": "bad.NullDeref", "topics": "t"})
    assert run("connectors", "create", "-", url=url, stdin=json.dumps({"name": "bad", "config": config}))[0] == 0
    assert run("connectors", "create", "-", "--name", "good", url=url, stdin=json.dumps(source(worker)))[0] == 0
    wait_until(lambda: run("status", "bad", url=url)[0] == 1)
    code, out, _ = run("status", url=url)
    assert code == 1 and "null_deref.c" in out and "good (source)" in out
    assert "null_deref.c" not in run("status", "--quiet", url=url)[1]
    assert run("status", "good", url=url)[0] == 0
    code, out, _ = run("logs", "bad", url=url)
    assert code == 0 and " ERROR [task-0] Task bad-0 failed:" in out, out
    code, out, _ = run("logs", "bad", "--json", "--lines", "1", url=url)
    assert code == 0 and set(json.loads(out)) == {"seq", "time", "level", "logger", "task", "message"}
    assert run("logs", "none", url=url)[0] == 2
    follow = subprocess.Popen([SLUICE, "logs", "bad", "--follow", "--lines", "1", "--url", url], stdout=subprocess.PIPE, text=True)
    try:
        follow.stdout.readline()
        run("restart", "bad", "--failed", url=url)
        while "failed:" not in follow.stdout.readline():
            pass
    finally:
        follow.terminate()
        follow.wait()


def test_output_and_input_that_cannot_be_had_are_told(worker):
    for command in (["connectors"], ["status", "--json"], ["top", "--once", "--interval", "0.1"], ["status", "--help"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([SLUICE, *command, "--url", worker.url], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=PATIENCE, check=False)
        assert done.returncode and "standard output cannot be written" in done.stderr, (command, done)
    for text, said in (("", "holds nothing"), ("a=" + "x" * (9 << 20), "too long")):
        code, _, error = run("connectors", "create", "-", url=worker.url, stdin=text)
        assert code == 2 and said in error, error


def test_top(worker):
    run("connectors", "create", "-", "--name", "moving", url=worker.url, stdin=json.dumps(source(worker, topic="m")))
    wait_until(lambda: '"records": 200' in json.dumps(worker.call("GET", "/connectors?expand=metrics")[1]["moving"]))
    code, out, _ = run("top", "--once", "--interval", "0.3", url=worker.url)
    line = [line for line in out.splitlines() if line.startswith("moving")][0].split()
    assert code == 0 and line[1:5] == ["source", "RUNNING", "1/1", "200"] and line[7] == "-", line
    code, out, _ = run("top", "--once", "--interval", "0.1", "--json", url=worker.url)
    assert code == 0 and json.loads(out)["moving"]["records_per_s"] == 0


def test_validate(worker, tmp_path):
    good = write_properties(str(tmp_path / "good.properties"), source(worker, name="ok"))
    assert run("validate", good, url=worker.url)[:2] == (0, f"{good}: 0 errors\n")
    bad = write_properties(str(tmp_path / "bad.properties"), source(worker, **{"tasks.max": "no"}))
    code, out, _ = run("validate", bad, url=worker.url)
    assert code == 2 and f"{bad}: tasks.max: Invalid value no" in out
    code, out, _ = run("validate", bad, "--json", url=worker.url)
    assert code == 2 and json.loads(out)["error_count"] >= 1
    assert run("validate", str(tmp_path / "none.properties"), url=worker.url)[0] == 3
    assert run("validate", "-", url=worker.url, stdin="{not json")[0] == 2


def test_plugins(worker):
    code, out, _ = run("connectors", "plugins", url=worker.url)
    assert code == 0 and "sluice.test.LineSourceConnector" in out and "HoistField" not in out
    assert "HoistField$Value" in run("connectors", "plugins", "--all", url=worker.url)[1]


class Guarded(http.server.BaseHTTPRequestHandler):
    """A worker behind basic authentication, without paths of ours."""

    def do_GET(self):
        want = "Basic " + base64.b64encode(b"ann:s3cret").decode()
        status, body = (200, {}) if self.headers.get("Authorization") == want else (401, None)
        if status == 200 and self.path.endswith("/logs?after=0&limit=100"):
            status, body = 404, {"error_code": 404, "message": "HTTP 404 Not Found"}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode() if body is not None else b"User cannot access the resource.")

    def log_message(self, *_):
        pass


def test_basic_authentication_and_a_jvm_worker(tmp_path):
    server = http.server.HTTPServer(("127.0.0.1", 0), Guarded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    secret = str(tmp_path / "user")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("ann:s3cret\n")
    try:
        code, _, error = run("connectors", url=url)
        assert code == 3 and "--user-file" in error
        assert run("connectors", "--user-file", secret, url=url)[0] == 0
        assert run("connectors", url=url, env={"SLUICE_USER": "ann:s3cret"})[0] == 0
        code, _, error = run("connectors", url=url, env={"SLUICE_USER": "ann:wr0ng"})
        assert code == 3 and "wr0ng" not in error
        code, _, error = run("logs", "x", "--user-file", secret, url=url)
        assert code == 3 and "log files" in error, error
    finally:
        server.shutdown()
        server.server_close()


def test_against_a_jvm_worker(tmp_path, broker, topic):
    """The same verbs, unchanged, against the JVM's."""
    file = tmp_path / "in.txt"
    file.write_text("one\ntwo\n", encoding="utf-8")
    config = {"connector.class": "FileStreamSource", "file": str(file), "topic": topic, "tasks.max": "1"}
    with JvmConnect(tmp_path / "jvm", broker.bootstrap) as jvm:
        url = f"http://127.0.0.1:{jvm.admin_port}"
        assert run("connectors", url=url)[:2] == (0, "no connectors\n")
        assert run("connectors", "create", "-", "--name", NAME, url=url, stdin=json.dumps(config))[:2] == (0, f"created {NAME}\n")
        wait_until(lambda: run("status", NAME, url=url)[1].count("RUNNING") == 2)
        line = run("connectors", url=url)[1].splitlines()[1]
        assert line.split()[-4:] == ["source", "RUNNING", "1/1", "FileStreamSource"]
        assert f"topic={topic}\n" in run("connectors", "config", NAME, url=url)[1]
        wait_until(lambda: json.loads(run("offsets", NAME, "--json", url=url)[1])["offsets"])
        assert run("pause", NAME, url=url)[0] == 0
        wait_until(lambda: run("status", NAME, url=url)[1].count("PAUSED") == 2)
        code, out, _ = run("top", "--once", "--interval", "0.1", url=url)
        line = [line for line in out.splitlines() if line.startswith("a b")][0]
        assert code == 0 and line.split()[-9:] == ["source", "PAUSED", "0/1", *["-"] * 6], line
        for verb in ("resume", "restart", "stop"):
            assert run(verb, NAME, url=url)[0] == 0
        wait_until(lambda: run("offsets", NAME, "--reset", url=url)[0] == 0)
        bad = run("validate", "-", url=url, stdin=json.dumps({**config, "name": "x", "tasks.max": "no"}))
        assert bad[0] == 2 and "tasks.max: " in bad[1], bad
        assert "FileStreamSinkConnector" in run("connectors", "plugins", url=url)[1]
        code, _, error = run("logs", NAME, url=url)
        assert code == 3 and "log files" in error, error
        assert run("connectors", "delete", NAME, url=url)[0] == 0
        assert run("status", NAME, url=url)[0] == 2


def test_https_and_passwords(tmp_path):
    """Our own listener: a certificate that --ca vouches for, and Connect's basic authentication; the console too."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "ca.pem", "-days",
                    "2", "-subj", "/CN=sluice", "-addext", "subjectAltName=IP:127.0.0.1"], cwd=tmp_path, check=True,
                   capture_output=True)
    (tmp_path / "both.pem").write_text((tmp_path / "key.pem").read_text() + (tmp_path / "ca.pem").read_text())
    (tmp_path / "users").write_text("ann: s3cret\n")
    (tmp_path / "jaas.conf").write_text(
        "KafkaConnect { org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required "
        f'file="{tmp_path}/users"; }};\n')
    (tmp_path / "user").write_text("ann:s3cret\n")
    port = free_port()
    with Sluice(tmp_path, {}, {
            "listeners": f"https://127.0.0.1:{port}", "ssl.keystore.location": str(tmp_path / "both.pem"), "ssl.keystore.type": "PEM",
            "rest.extension.classes": "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension",
            "java.security.auth.login.config": str(tmp_path / "jaas.conf")}):
        url, ca = f"https://127.0.0.1:{port}", str(tmp_path / "ca.pem")
        code, _, error = run("connectors", url=url)
        assert code == 3 and "ertificate" in error, error
        code, _, error = run("connectors", "--ca", ca, url=url)
        assert code == 3 and "--user-file" in error, error
        assert run("connectors", "--ca", ca, "--user-file", str(tmp_path / "user"), url=url)[:2] == (0, "no connectors\n")
        assert run("connectors", "--ca", str(tmp_path / "none.pem"), url=url)[0] == 3
        for login, status in (([], "401"), (["-u", "ann:s3cret"], "200")):
            for path in ("/ui", "/ui/app.js"):
                done = subprocess.run(["curl", "-s", "--cacert", ca, *login, "-o", "/dev/null", "-w", "%{http_code}", url + path],
                                      capture_output=True, text=True, check=True)
                assert done.stdout == status, (path, done.stdout)
