"""What operators see beside metrics: log files and levels, lines of a connector, samples of records."""
import json
import os
import re
import signal
import subprocess
import threading

import pytest
from harness import BUILD, PATIENCE, SLUICE, Sluice, wait_until, write_properties

PLUGINS = ",".join(os.path.join(BUILD, "tests", folder) for folder in ("worker_plugins", "plugins"))
SINK = {"connector.class": "sluice.test.LineSinkConnector", "topics": "t", "errors.tolerance": "all",
        "errors.log.enable": "true"}


def produce(sluice, *lines):
    subprocess.run([SLUICE, "produce", "--bootstrap-server", "local:" + sluice.log_dir, "--topic", "t"],
                   input="".join(line + "\n" for line in lines), text=True, check=True, timeout=PATIENCE)


def metric(sluice, name, connector):
    done = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{sluice.admin_port}/metrics"], check=True,
                          capture_output=True, text=True).stdout
    match = re.search(rf'^{name}{{connector="{connector}",task="0"}} (\S+)$', done, re.M)
    return float(match[1]) if match else None


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture
def sluice(tmp_path):
    log = str(tmp_path / "worker.log")
    connectors = {"copy": {**SINK, "file": str(tmp_path / "out.txt")}}
    with Sluice(tmp_path, connectors, {"plugin.path": PLUGINS, "sluice.log.format": "json", "sluice.tap.enable": "true",
                                       "offset.flush.interval.ms": "100"}, ["--log-file", log]) as worker:
        worker.log = log
        yield worker


def bad_lines(sluice):
    return [line for line in read(sluice.log) if line["message"].startswith("Error encountered in task copy-0")]


def send_bad(sluice, count=1):
    """Bad records, all counted by the task."""
    name = "kafka_connect_task_error_metrics_total_errors_logged"
    before = metric(sluice, name, "copy") or 0
    produce(sluice, *["{bad"] * count)
    wait_until(lambda: metric(sluice, name, "copy") == before + count)


def test_file_json_and_hangup(sluice):
    send_bad(sluice)
    lines = read(sluice.log)  # every line is JSON
    assert {line["level"] for line in lines} <= {"INFO", "WARN", "ERROR"}
    own = [line for line in lines if line.get("connector") == "copy" and line.get("task") == 0]
    assert any(line["message"].startswith("Assigned t-0") for line in own), lines
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines)
    assert "INFO" not in sluice.text()  # nothing of it on standard error
    os.rename(sluice.log, sluice.log + ".1")
    sluice.process.send_signal(signal.SIGHUP)
    wait_until(lambda: os.path.exists(sluice.log) and read(sluice.log))
    send_bad(sluice)
    wait_until(lambda: bad_lines(sluice))
    assert sluice.process.poll() is None
    os.mkdir(sluice.log + ".d")  # a file that cannot be opened again: the old one serves on
    os.rename(sluice.log, sluice.log + ".2")
    os.rename(sluice.log + ".d", sluice.log)
    sluice.process.send_signal(signal.SIGHUP)
    wait_until(lambda: any("cannot be opened again" in line["message"] for line in read(sluice.log + ".2")))


def test_levels_reach_running_tasks(sluice):
    send_bad(sluice)
    wait_until(lambda: len(bad_lines(sluice)) == 1)
    status, _ = sluice.call("PUT", "/admin/loggers/sluice.host", {"level": "OFF"})
    assert status == 200
    wait_until(lambda: send_bad(sluice) or True)
    count = len(bad_lines(sluice))
    send_bad(sluice)
    assert len(bad_lines(sluice)) == count <= 2  # the level is there with the second one at the latest
    sluice.call("PUT", "/admin/loggers/sluice.host", {"level": "INFO"})

    def told_again():
        send_bad(sluice)
        return len(bad_lines(sluice)) > count
    wait_until(told_again)


def test_a_flood_is_cut(sluice):
    send_bad(sluice, 3000)
    send_bad(sluice)
    wait_until(lambda: bad_lines(sluice))
    assert len(bad_lines(sluice)) < 2500, "3,000 lines of one kind within moments"

    def told():
        send_bad(sluice)
        return any("lines like the next were left out" in line["message"] for line in read(sluice.log))
    wait_until(told)


def test_lines_of_a_connector(sluice):
    send_bad(sluice)

    def lines(query=""):
        return sluice.call("GET", "/connectors/copy/logs" + query)[1]
    wait_until(lambda: any(line["message"].startswith("Error encountered") for line in lines()["lines"]))
    body = lines()
    assert all(set(line) == {"seq", "time", "level", "logger", "task", "message"} for line in body["lines"])
    assert lines(f"?after={body['next']}")["lines"] == []
    assert len(lines("?limit=1")["lines"]) == 1
    assert sluice.call("GET", "/connectors/none/logs") == (404, {"error_code": 404, "message": "Connector none not found"})
    assert sluice.call("DELETE", "/connectors/copy")[0] == 204
    status, body = sluice.call("POST", "/connectors", {"name": "copy", "config": {**SINK, "file": "/dev/null"},
                                                       "initial_state": "STOPPED"})
    assert status == 201, body
    assert lines()["lines"] == []  # of its namesake


def test_sample(sluice):
    status, body = sluice.call("GET", "/connectors/copy/tap?stage=polled")
    assert status == 400 and "converted" in body["message"]
    assert sluice.call("GET", "/connectors/none/tap")[0] == 404
    assert sluice.call("GET", "/connectors/copy/tap?task=7")[0] == 404
    status, body = sluice.call("GET", "/connectors/copy/tap")  # nothing comes by
    assert (status, body) == (200, {"records": []})
    answers = []
    asking = threading.Thread(target=lambda: answers.append(sluice.call("GET", "/connectors/copy/tap?limit=2")))
    asking.start()
    record = {"user": "ann", "Api-Key": "k", "in": [{"PASSWORD": "p"}], "text": "x" * 1000, "none": None}
    wait_until(lambda: produce(sluice, json.dumps(record)) or not asking.is_alive())
    status, body = answers[0]
    assert status == 200 and len(body["records"]) == 2
    first = body["records"][0]
    assert first["topic"] == "t" and first["offset"] is not None and first["value"]["user"] == "ann"
    assert first["value"]["Api-Key"] == "[hidden]" and first["value"]["in"] == [{"PASSWORD": "[hidden]"}]
    assert first["value"]["text"] == "x" * 300 + "… (1000 bytes)" and first["value"]["none"] is None


def test_samples_are_off(tmp_path):
    with Sluice(tmp_path, {"copy": {**SINK, "file": "/dev/null"}}, {"plugin.path": PLUGINS}) as worker:
        status, body = worker.call("GET", "/connectors/copy/tap")
        assert status == 403 and "sluice.tap.enable" in body["message"]
        produce(worker, "1")
        wait_until(lambda: re.search(r"^\[[^]]+\] INFO \[copy\|task-0\] Assigned t-0 .*\(sluice\.host\.task\)$",
                                     worker.text(), re.M))


def test_bad_log_options(tmp_path):
    path = write_properties(str(tmp_path / "c.properties"), {"name": "c", **SINK, "file": "/dev/null"})
    for arguments, code, word in ((["--log-format", "xml"], 2, "sluice.log.format"), (["--log-level", "LOUD"], 2, "LOUD"),
                                  (["--log-file", "/nonexistent/x.log"], 3, "/nonexistent/x.log")):
        done = subprocess.run([SLUICE, "run", "--data", str(tmp_path / "data"), "--rest", "off", *arguments, path], timeout=PATIENCE,
                              capture_output=True, text=True)
        assert done.returncode == code and word in done.stderr, done
