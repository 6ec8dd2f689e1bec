"""The worker: what becomes of connectors, tasks and processes when things go wrong beside them."""
import fcntl
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from harness import BUILD, SLUICE, Sluice, free_port, wait_until, write_properties

PLUGINS = ",".join(os.path.join(BUILD, "tests", folder) for folder in ("worker_plugins", "plugins"))
OPENAT = {"x86_64": "257", "aarch64": "56"}.get(os.uname().machine)
SOURCE = "sluice.test.LineSourceConnector"
SINK = "sluice.test.LineSinkConnector"
WORKER = {"plugin.path": PLUGINS, "offset.flush.interval.ms": "100",
          "task.shutdown.graceful.timeout.ms": "1000", "sluice.plugin.timeout.ms": "1500",
          "sluice.task.memory.limit.bytes": str(256 << 20)}


class Lines:
    """A file that a source reads and one that a sink writes."""

    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder, "in.txt")
        self.out = os.path.join(folder, "out.txt")
        self.count = 0
        self.write(0)

    def connectors(self):
        return {"lines": {"connector.class": SOURCE, "file": self.path, "topic": "t"},
                "copy": {"connector.class": SINK, "file": self.out, "topics": "t"}}

    def write(self, count):
        with open(self.path, "a", encoding="utf-8") as file:
            for _ in range(count):
                file.write(f"line {self.count}\n")
                self.count += 1

    def seen(self):
        if not os.path.exists(self.out):
            return []
        with open(self.out, encoding="utf-8") as file:
            return [json.loads(line) if line.startswith('"') else line.rstrip("\n") for line in file]

    def arrive(self, timeout=20):
        wait_until(lambda: set(self.seen()) >= {f"line {i}" for i in range(self.count)}, timeout,
                   "every line at the other end")


@pytest.fixture
def lines(tmp_path):
    return Lines(str(tmp_path))


def start(folder, connectors, **worker):
    return Sluice(folder, connectors, {**WORKER, **worker})


def connector_state(sluice, name, state, timeout=20):
    wait_until(lambda: sluice.status(name).get("connector", {}).get("state") == state, timeout,
               f"{name} {state}\n{sluice.text()}")
    return sluice.status(name)["connector"]


def alive(pids):
    """Those that run; who waits for orphans of a killed worker is not our affair."""
    found = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] != "Z":
                    found.append(pid)
        except OSError:
            pass
    return found


# -- offsets, restarts --

def test_offsets_survive_a_restart(tmp_path, lines):
    for _ in range(2):
        lines.write(100)
        with start(tmp_path, lines.connectors()) as sluice:
            lines.arrive()
            wait_until(lambda: sluice.call("GET", "/connectors/lines/offsets")[1]["offsets"])
    assert sorted(lines.seen()) == sorted(f"line {i}" for i in range(200)), "each line once"
    with open(tmp_path / "connect.offsets", "rb") as file:
        data = file.read()
    assert data.startswith(b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap")
    assert b'["lines",{"filename":' in data


def test_killed_task_says_so_and_comes_back(tmp_path, lines):
    with start(tmp_path, lines.connectors()) as sluice:
        sluice.wait_state("copy", "RUNNING")
        os.kill(sluice.pids("sluice-host", "task", "copy-0")[0], signal.SIGKILL)
        trace = sluice.wait_state("copy", "FAILED")["trace"]
        assert "killed by signal 9 (SIGKILL), not by sluice" in trace
        assert sluice.status("lines")["tasks"][0]["state"] == "RUNNING"
        status, _ = sluice.call("POST", "/connectors/copy/tasks/0/restart")
        assert status == 204
        sluice.wait_state("copy", "RUNNING")
        lines.write(10)
        lines.arrive()


def test_failed_task_restarts_by_itself_where_asked(tmp_path, lines):
    keys = {"sluice.restart.max.attempts": "3", "sluice.restart.backoff.ms": "50"}
    with start(tmp_path, lines.connectors(), **keys) as sluice:
        pid = sluice.pids("sluice-host", "task", "copy-0")[0]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: [p for p in sluice.pids("sluice-host", "task", "copy-0") if p != pid])
        sluice.wait_state("copy", "RUNNING")


def test_attempts_to_restart_are_counted(tmp_path, lines):
    keys = {"sluice.restart.max.attempts": "2", "sluice.restart.backoff.ms": "20"}
    connectors = lines.connectors()
    connectors["lines"]["behave"] = "exit"
    with start(tmp_path, connectors, **keys) as sluice:
        wait_until(lambda: "(attempt 2)" in sluice.text(), 20, sluice.text())
        trace = sluice.wait_state("lines", "FAILED")["trace"]
        assert "ended by itself with exit status 9" in trace
        assert "(attempt 3)" not in sluice.text()


def test_embedded_log_is_started_again(tmp_path, lines):
    with start(tmp_path, lines.connectors()) as sluice:
        lines.write(10)
        lines.arrive()
        old = sluice.pids("sluice-log")
        os.kill(old[0], signal.SIGKILL)
        wait_until(lambda: sluice.pids("sluice-log") and sluice.pids("sluice-log") != old, 10)
        for name in ("lines", "copy"):
            if sluice.task(name).get("state") == "FAILED":
                sluice.call("POST", f"/connectors/{name}/tasks/0/restart")
        lines.write(10)
        lines.arrive()


# -- the worker itself --

def test_hosts_leave_with_a_killed_worker(tmp_path, lines):
    sluice = start(tmp_path, lines.connectors()).start()
    try:
        lines.write(10)
        lines.arrive()
        children = list(sluice.children())
        assert len(children) >= 3
        os.kill(sluice.process.pid, signal.SIGKILL)
        sluice.process.wait()
        sluice.start()
        assert not alive(children)
        lines.write(10)
        lines.arrive()
    finally:
        sluice.stop()


def test_worker_waits_for_orphans(tmp_path, lines):
    """A process of the former worker that cannot leave holds its successor back."""
    sluice = start(tmp_path, lines.connectors()).start()
    try:
        lock = os.path.join(sluice.log_dir, "hosts.lock")
        os.kill(sluice.process.pid, signal.SIGKILL)
        sluice.process.wait()
        with open(lock, "rb") as orphan:
            wait_until(lambda: try_lock(orphan), 10, "hosts to be gone")
            begin = time.monotonic()
            holder = subprocess.Popen(["sleep", "1"], stdin=orphan)
        sluice.start()
        assert time.monotonic() - begin >= 0.9
        holder.wait()
        assert "Waiting for processes of an earlier worker" in sluice.text()
    finally:
        sluice.stop()


def try_lock(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False


def run(arguments, folder, timeout=20):
    return subprocess.run([SLUICE, "run", *map(str, arguments)], cwd=folder, capture_output=True, text=True,
                          timeout=timeout, stdin=subprocess.DEVNULL, check=False)


def test_second_worker_in_the_same_folder(tmp_path, lines):
    with start(tmp_path, lines.connectors()) as sluice:
        other = write_properties(str(tmp_path / "other.properties"),
                                 {**sluice.worker, "listeners": f"http://127.0.0.1:{free_port()}"})
        result = run([other], tmp_path)
        assert result.returncode == 3
        assert "Another sluice (process" in result.stderr


def test_port_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        worker = write_properties(str(tmp_path / "w.properties"), {"key.converter": "x", "value.converter": "x",
                                                                  "bootstrap.servers": f"local:{tmp_path}/l"})
        result = run(["--rest", f"http://127.0.0.1:{port}", "--data", tmp_path / "d", worker], tmp_path)
        assert result.returncode == 3
        assert f"127.0.0.1:{port}: the port is in use" in result.stderr


def test_files_that_are_wrong(tmp_path):
    one = write_properties(str(tmp_path / "one.properties"), {"bootstrap.servers": "local:x"})
    two = write_properties(str(tmp_path / "two.properties"), {"bootstrap.servers": "local:x"})
    result = run([one, two], tmp_path)
    assert result.returncode == 2 and "at most one file is the worker's" in result.stderr
    result = run([one], tmp_path)
    assert result.returncode == 2 and '"key.converter"' in result.stderr
    result = run([tmp_path / "none.properties"], tmp_path)
    assert result.returncode == 3 and "none.properties" in result.stderr
    (tmp_path / "bad.properties").write_text("a=\\u00zz\n")
    result = run([tmp_path / "bad.properties"], tmp_path)
    assert result.returncode == 2 and "bad.properties" in result.stderr
    result = run([], tmp_path)
    assert result.returncode == 2


def test_unknown_keys_are_named(tmp_path, lines):
    connectors = lines.connectors()
    connectors["lines"]["fiel"] = "x"
    with start(tmp_path, connectors, **{"listenrs": "http://127.0.0.1:1"}) as sluice:
        wait_until(lambda: "[lines|worker] The key 'fiel'" in sluice.text())
        assert "the key 'listenrs' is not known and has no effect; is 'listeners' meant?" in sluice.text()


def test_base_name_serves_where_no_name_is_given(tmp_path, lines):
    sink = write_properties(str(tmp_path / "lake.properties"),
                            {"connector.class": SINK, "file": lines.out, "topics": "t"})
    sluice = Sluice(tmp_path, {}, WORKER, [sink])
    with sluice:
        assert sluice.call("GET", "/connectors")[1] == ["lake"]
        assert "has no 'name'; 'lake', the file's base name, serves" in sluice.text()
        assert sluice.call("GET", "/connectors/lake/config")[1]["name"] == "lake"


def test_ends_when_idle(tmp_path, lines):
    lines.write(50)
    with start(tmp_path, lines.connectors()) as sluice:
        lines.arrive()
    lines.write(50)
    files = [str(tmp_path / name) for name in ("worker.properties", "lines.properties", "copy.properties")]
    result = run(["--exit-when-idle", "500", *files], tmp_path, 30)
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(set(lines.seen())) == 100 and sluice.process.returncode == 0


def test_is_not_idle_before_a_sink_has_found_its_topic(tmp_path, lines):
    """A sink that is slow to find what a source has made does not know yet that it lags."""
    connectors = lines.connectors()
    connectors["copy"]["topics.regex"] = connectors["copy"].pop("topics") + ".*"
    idle = 0.5
    sluice = Sluice(tmp_path, connectors, WORKER, ["--exit-when-idle", str(int(idle * 1000))])
    with sluice:
        sluice.wait_state("copy", "RUNNING")
        host = sluice.pids("sluice-host", "task", "copy-0")[0]
        os.kill(host, signal.SIGSTOP)
        lines.write(10)
        wait_until(lambda: sluice.call("GET", "/connectors/lines/topics")[1]["lines"]["topics"] == ["t"], 20, "the topic")
        with pytest.raises(subprocess.TimeoutExpired):
            sluice.process.wait(4 * idle)
        os.kill(host, signal.SIGCONT)
        assert sluice.process.wait(20) == 0, sluice.text()
    assert len(lines.seen()) == 10


def test_ends_when_nothing_can_move(tmp_path, lines):
    """Else it would wait for the first record for ever."""
    connectors = {**lines.connectors(), "lines": {"connector.class": "no.SuchSource", "topic": "t"}}
    with start(tmp_path, connectors):
        pass
    files = [str(tmp_path / name) for name in ("worker.properties", "lines.properties", "copy.properties")]
    result = run(["--exit-when-idle", "50", *files], tmp_path, 60)
    assert result.returncode == 1 and "no record has moved, and 1 of 2 connectors failed" in result.stderr, result


def test_no_process_is_left(tmp_path, lines):
    sluice = start(tmp_path, lines.connectors()).start()
    children = list(sluice.children())
    sluice.stop()
    assert sluice.process.returncode == 0
    assert not alive(children)


# -- plugins that misbehave --

def test_set_up_that_hangs_or_crashes_costs_its_connector_only(tmp_path, lines):
    patience = 5000  # others have this long to be served beside it
    with start(tmp_path, lines.connectors(), **{"sluice.plugin.timeout.ms": str(patience)}) as sluice:
        hang = {"connector.class": SOURCE, "file": lines.path, "topic": "h", "behave": "hang"}
        client = subprocess.Popen(["curl", "-s", "-o", "/dev/null", "-X", "POST", "-H",
                                   "Content-Type: application/json", "-d",
                                   json.dumps({"name": "hang", "config": hang}),
                                   f"http://127.0.0.1:{sluice.admin_port}/connectors"])
        wait_until(lambda: sluice.pids("sluice-host", "connector", "hang"))
        lines.write(10)
        lines.arrive()
        assert sluice.call("GET", "/connectors/lines/status")[0] == 200
        assert client.poll() is None and sluice.pids("sluice-host", "connector", "hang"), "it waited for the plugin"
        client.wait(20)
        trace = connector_state(sluice, "hang", "FAILED")["trace"]
        assert re.search(f"Connector hang was not done within {patience} ms and was killed; "
                         r"it was in task_configs\(\) of " + SOURCE, trace), trace
        assert sluice.call("DELETE", "/connectors/hang")[0] == 204
        status, answer = sluice.call("POST", "/connectors",
                                     {"name": "crash", "config": {**hang, "behave": "crash"}})
        assert status == 500 and "SIGABRT" in answer["message"]  # it is there all the same, as in Connect
        trace = connector_state(sluice, "crash", "FAILED")["trace"]
        assert "crashed in task_configs of " + SOURCE + ": SIGABRT" in trace
        assert "at source_tasks (line.c:" in trace
        assert sluice.running("lines") and sluice.running("copy")


def test_set_up_that_fails_is_answered_as_connect_does(tmp_path, lines):
    """Recorded from JVM Connect 3.9.1 with a connector whose start() throws."""
    with start(tmp_path, {}) as sluice:
        config = {"connector.class": SOURCE, "file": lines.path, "topic": "f", "behave": "fail"}
        says = {"error_code": 500, "message": "Failed to transition connector f to state STARTED"}
        assert sluice.call("POST", "/connectors", {"name": "f", "config": config}) == (500, says)
        trace = connector_state(sluice, "f", "FAILED")["trace"]
        assert "No tasks today" in trace
        assert sluice.call("GET", "/connectors/f")[1]["tasks"] == []
        assert sluice.call("POST", "/connectors/f/restart") == (500, says)
        assert sluice.call("POST", "/connectors", {"name": "p", "config": config, "initial_state": "PAUSED"})[0] == 201
        assert sluice.call("PUT", "/connectors/p/resume")[0] == 202
        connector_state(sluice, "p", "FAILED")
        assert sluice.call("PUT", "/connectors/f/config", {**config, "behave": "well"})[0] == 200
        sluice.wait_state("f", "RUNNING")


def test_what_is_found_before_the_start_is_told_as_it_is(tmp_path, lines):
    """Not `Failed to transition ..`: Worker.startConnector() reads topic.creation.* before the class is asked."""
    with Sluice(str(tmp_path), lines.connectors(), WORKER) as sluice:
        config = {"connector.class": SOURCE, "file": lines.path, "topic": "t", "topic.creation.default.partitions": "1"}
        why = 'Missing required configuration "topic.creation.default.replication.factor" which has no default value.'
        assert sluice.call("POST", "/connectors", {"name": "f", "config": config}) == \
            (500, {"error_code": 500, "message": why})
        status = sluice.call("GET", "/connectors/f/status")[1]["connector"]
        assert status["state"] == "FAILED"
        assert status["trace"].startswith("org.apache.kafka.common.config.ConfigException: " + why)


@pytest.mark.skipif(not os.environ.get("SLUICE_FULL"), reason="takes 90 s: SLUICE_FULL=1")
def test_request_that_times_out_says_what_the_worker_does(tmp_path, lines):
    with start(tmp_path, {}, **{"sluice.plugin.timeout.ms": "120000"}) as sluice:
        def ask(name, **config):
            body = json.dumps({"name": name, "config": {"topics": "t", **config}})
            return subprocess.Popen(["curl", "-s", "-X", "POST", "-H", "Content-Type: application/json", "-d", body,
                                     f"http://127.0.0.1:{sluice.admin_port}/connectors"],
                                    stdout=subprocess.PIPE, text=True)
        validates = ask("v", **{"connector.class": "bad.HangInValidation"})
        starts = ask("s", **{"connector.class": SOURCE, "file": lines.path, "topic": "f", "behave": "hang"})
        when = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"
        answer = json.loads(validates.communicate(timeout=100)[0])
        assert answer["error_code"] == 500
        assert re.fullmatch("Request timed out. The worker is currently performing multi-property validation for the "
                            f"connector, which began at {when}.", answer["message"]), answer
        answer = json.loads(starts.communicate(timeout=100)[0])
        assert re.fullmatch("Request timed out. The last operation the worker completed was validating producer config "
                            f"overrides for the connector, which began at {when} and completed at {when}.",
                            answer["message"]), answer
        for name in ("v", "s"):
            sluice.call("DELETE", f"/connectors/{name}")


def test_delete_ends_a_set_up_that_hangs(tmp_path, lines):
    connectors = lines.connectors()
    with start(tmp_path, connectors, **{"sluice.plugin.timeout.ms": "60000"}) as sluice:
        hang = {**connectors["lines"], "behave": "hang"}
        client = subprocess.Popen(["curl", "-s", "-X", "PUT", "-H", "Content-Type: application/json", "-d",
                                   json.dumps(hang),
                                   f"http://127.0.0.1:{sluice.admin_port}/connectors/hang/config"],
                                  stdout=subprocess.PIPE, text=True)
        wait_until(lambda: sluice.pids("sluice-host", "connector", "hang"))
        assert sluice.call("DELETE", "/connectors/hang")[0] == 204
        assert json.loads(client.communicate(timeout=10)[0])["error_code"] == 409
        assert sluice.call("GET", "/connectors/hang")[0] == 404
        assert not sluice.pids("sluice-host", "connector")


def test_bad_new_configuration_leaves_the_old_one_running(tmp_path, lines):
    connectors = lines.connectors()
    with start(tmp_path, connectors) as sluice:
        pid = sluice.pids("sluice-host", "task", "lines-0")
        good = sluice.call("GET", "/connectors/lines/config")[1]
        status, answer = sluice.call("PUT", "/connectors/lines/config", {**good, "behave": "badly"})
        assert status == 400 and "behave" in answer["message"]
        status, answer = sluice.call("PUT", "/connectors/lines/config", {**good, "behave": "crash"})
        assert status == 500 and "SIGABRT" in answer["message"]
        assert sluice.call("GET", "/connectors/lines/config")[1] == good
        assert sluice.pids("sluice-host", "task", "lines-0") == pid
        lines.write(10)
        lines.arrive()


def test_crash_in_put_names_function_and_line(tmp_path, lines):
    connectors = lines.connectors()
    connectors["bad"] = {"connector.class": "bad.NullDeref", "topics": "t"}
    lines.write(5)
    with start(tmp_path, connectors) as sluice:
        trace = sluice.wait_state("bad", "FAILED")["trace"]
        assert "Task bad-0 crashed in put of bad.NullDeref: SIGSEGV at address 0x0" in trace
        assert re.search(r"at read_length \(null_deref\.c:\d+\)", trace), trace
        assert "Last log lines:" in trace
        lines.write(5)
        lines.arrive()


def test_task_that_does_not_stop_is_killed(tmp_path, lines):
    connectors = lines.connectors()
    connectors["bad"] = {"connector.class": "bad.SleepInStop", "topics": "t"}
    with start(tmp_path, connectors) as sluice:
        sluice.wait_state("bad", "RUNNING")
        begin = time.monotonic()
        assert sluice.call("DELETE", "/connectors/bad")[0] == 204
        assert time.monotonic() - begin > 0.9  # the plugin had its time; that it was killed then, the log says
        assert not sluice.pids("sluice-host", "task", "bad-0")
        assert "Task bad-0 did not return from stop() within 1000 ms and was killed" in sluice.text()
        assert sluice.running("lines")


def sanitized():
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
        return re.search(r"^SLUICE_SANITIZER:\w+=.+$", cache.read(), re.M)


def opening(pid):
    """Threads of a process that are inside openat(), as {(thread, the call's arguments)}."""
    found = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/syscall", encoding="utf-8") as call:
                words = call.read().split()
        except OSError:
            continue  # it ended meanwhile
        if words[0] == OPENAT:
            found.add((thread, *words))
    return found


def hangs_in_open(pid):
    """One that is in the same call at ten looks in a row; others pass through."""
    same = opening(pid)
    for _ in range(9):
        time.sleep(0.01)
        same &= opening(pid)
    return same


@pytest.mark.skipif(not OPENAT, reason="no number of openat() for this machine")
def test_stop_while_offsets_are_stored(tmp_path, lines):
    """The answer to whom the offsets were stored for is given already."""
    store = tmp_path / "connect.offsets"
    connectors = lines.connectors()
    connectors["slow"] = {"connector.class": "bad.SleepInStop", "topics": "t"}
    lines.write(5)
    with start(tmp_path, connectors, **{"offset.storage.file.filename": str(store)}) as sluice:
        sluice.wait_state("slow", "RUNNING")
        wait_until(lambda: sluice.call("GET", "/connectors/lines/offsets")[1]["offsets"], 20, "offsets")
        assert sluice.call("PUT", "/connectors/lines/stop")[0] == 204
        os.mkfifo(f"{store}.new")  # what is written there waits for a reader
        client = subprocess.Popen(["curl", "-s", "-X", "DELETE",
                                   f"http://127.0.0.1:{sluice.admin_port}/connectors/lines/offsets"],
                                  stdout=subprocess.PIPE, text=True)
        wait_until(lambda: hangs_in_open(sluice.process.pid), 20, "the write")
        sluice.process.send_signal(signal.SIGTERM)
        assert json.loads(client.communicate(timeout=10)[0])["message"] == "The worker is shutting down"
        with open(f"{store}.new", "rb") as reader:
            reader.read()
        assert sluice.process.wait(20) == 0, sluice.text()[-2000:]


@pytest.mark.skipif(bool(sanitized()), reason="sanitizers need more memory than any limit: it is off")
def test_memory_limit(tmp_path, lines):
    connectors = lines.connectors()
    connectors["bad"] = {"connector.class": "bad.Allocate", "topics": "t"}
    lines.write(5)
    with start(tmp_path, connectors) as sluice:
        trace = sluice.wait_state("bad", "FAILED")["trace"]
        assert "memory limit of 256 MB" in trace
        lines.write(5)
        lines.arrive()


def test_hang_in_validation(tmp_path, lines):
    connectors = lines.connectors()
    connectors["bad"] = {"connector.class": "bad.HangInValidation", "topics": "t"}
    with start(tmp_path, connectors) as sluice:
        trace = connector_state(sluice, "bad", "FAILED")["trace"]
        assert "The validation of bad was not done within 1500 ms and was killed" in trace
        assert "in validate() of bad.HangInValidation" in trace
        assert sluice.running("lines")


@pytest.mark.parametrize("name, reason", [("bad.WrongAbi", "wrong_abi.so"), ("bad.MissingSymbol", "missing_symbol.so"),
                                          ("bad.TextFile", "text_file.so")])
def test_plugin_that_cannot_be_loaded(tmp_path, lines, name, reason):
    connectors = lines.connectors()
    connectors["bad"] = {"connector.class": name, "topics": "t"}
    with start(tmp_path, connectors) as sluice:
        trace = connector_state(sluice, "bad", "FAILED")["trace"]
        assert f"which name matches {name}" in trace
        line = next(line for line in trace.splitlines() if reason in line)
        assert len(line) > len(reason) + 20
        assert sluice.running("lines")


# -- secrets --

def test_secrets_are_not_shown(tmp_path, lines):
    connectors = lines.connectors()
    secret = "open-sesame-4711"
    connectors["lines"]["secret"] = secret
    connectors["lines"]["behave"] = "exit"
    with start(tmp_path, connectors, **{"producer.sasl.jaas.config": secret}) as sluice:
        sluice.wait_state("lines", "FAILED")
        body = {"connector.class": SOURCE, "topic": "t", "secret": secret}
        status, answer = sluice.call("PUT", "/connector-plugins/LineSource/config/validate", body)
        assert status == 200
        assert secret not in json.dumps(answer) and "[hidden]" in json.dumps(answer)
        assert secret not in json.dumps(sluice.status("lines"))
        for pid, command in sluice.children().items():
            with open(f"/proc/{pid}/environ", encoding="utf-8", errors="replace") as environ:
                assert secret not in environ.read() + command
    assert secret not in sluice.text()


# -- metrics --

def test_metrics(tmp_path, lines):
    lines.write(20)
    with start(tmp_path, lines.connectors()) as sluice:
        lines.arrive()

        def text():
            return subprocess.run(["curl", "-sf", f"http://127.0.0.1:{sluice.admin_port}/metrics"], check=True,
                                  capture_output=True, text=True).stdout
        wait_until(lambda: re.search(r'^kafka_connect_sink_task_metrics_sink_record_send_total'
                                     r'\{connector="copy",task="0"\} 20$', text(), re.M))
        assert 'kafka_connect_connector_task_metrics_status{connector="lines",task="0",status="RUNNING"} 1' in text()
        names = [line.split(" ")[2] for line in text().splitlines() if line.startswith("# TYPE")]
        assert len(names) == len(set(names))


# -- any order, any speed --

def test_random_calls_end_in_the_state_of_a_simple_model(tmp_path, lines):
    """Several clients at once; in the end each connector is what its last calls said."""
    seed = int(os.environ.get("SLUICE_SEED", "20261124"))
    calls = int(os.environ.get("SLUICE_TORTURE", "240"))
    names = ["a", "b", "c"]
    config = {"connector.class": SOURCE, "file": lines.path, "topic": "t"}
    odd = []

    def client(number):
        chance = random.Random(seed * 10 + number)
        for _ in range(calls // 4):
            name = chance.choice(names)
            path = f"/connectors/{name}"
            behave = chance.choice(["well", "well", "well", "crash", "exit", "hang"])
            method, path, body = chance.choice([
                ("PUT", path + "/config", {**config, "behave": behave}),
                ("PUT", path + "/config", config), ("DELETE", path, None), ("PUT", path + "/pause", None),
                ("PUT", path + "/resume", None), ("PUT", path + "/stop", None), ("GET", path + "/status", None),
                ("POST", path + "/restart", None), ("POST", path + "/restart?includeTasks=true", None),
                ("POST", path + "/tasks/0/restart", None), ("GET", "/connectors?expand=status", None),
                ("PATCH", path + "/config", {"behave": None}),
                ("POST", "/connectors", {"name": name, "config": {**config, "behave": behave}})])
            try:
                status, answer = sluice.call(method, path, body)
                if status >= 500 and not answer.get("message"):
                    odd.append((method, path, status, answer))
            except (OSError, http.client.HTTPException) as error:
                odd.append((method, path, repr(error)))

    with start(tmp_path, {}, **{"sluice.plugin.timeout.ms": "2000" if sanitized() else "300"}) as sluice:
        clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join(120)
            assert not thread.is_alive()
        assert not odd, f"{odd[:3]}\n{sluice.text()}"
        for name in names:
            sluice.call("PUT", f"/connectors/{name}/config", config)
        sluice.call("PUT", "/connectors/a/resume")
        sluice.call("PUT", "/connectors/b/pause")
        sluice.call("PUT", "/connectors/c/stop")
        sluice.call("POST", "/connectors/a/restart?includeTasks=true")
        wait_until(lambda: sluice.running("a"), 20, sluice.text())
        connector_state(sluice, "b", "PAUSED")
        connector_state(sluice, "c", "STOPPED")
        assert sluice.status("c")["tasks"] == [] and not sluice.pids("sluice-host", "task", "c-0")
        for name in names:
            assert sluice.call("DELETE", f"/connectors/{name}")[0] == 204
        assert sluice.call("GET", "/connectors")[1] == []
        assert not sluice.pids("sluice-host")
    assert sluice.process.returncode == 0, sluice.text()


def test_a_class_that_is_there_twice_is_told(tmp_path):
    """A build folder beside a plugin built by hand: the old one is used, so somebody has to say so."""
    built = os.path.join(BUILD, "tests", "worker_plugins", "line.so")
    (tmp_path / "plugins" / "build").mkdir(parents=True)
    for folder in ("plugins", "plugins/build"):
        shutil.copy(built, tmp_path / folder / "line.so")
    with Sluice(str(tmp_path), {}, worker={"plugin.path": str(tmp_path / "plugins")}) as sluice:
        wait_until(lambda: f"{SOURCE} is on plugin.path more than once" in sluice.text(), 20,
                   "the warning")
