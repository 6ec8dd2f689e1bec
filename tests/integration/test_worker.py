"""The worker: offsets, tasks and processes that end, and come back, and their limits."""
import http.client
import json
import os
import random
import re
import signal
import subprocess
import threading
import time

import pytest
from harness import BUILD, PATIENCE, wait_until
from worker_lines import SOURCE, alive, connector_state, lines, start, try_lock  # noqa: F401

OPENAT = {"x86_64": "257", "aarch64": "56"}.get(os.uname().machine)


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
        wait_until(lambda: "(attempt 2)" in sluice.text(), what=sluice.text())
        trace = sluice.wait_state("lines", "FAILED")["trace"]
        assert "ended by itself with exit status 9" in trace
        assert "(attempt 3)" not in sluice.text()


def test_embedded_log_is_started_again(tmp_path, lines):
    with start(tmp_path, lines.connectors()) as sluice:
        lines.write(10)
        lines.arrive()
        old = sluice.pids("sluice-log")
        os.kill(old[0], signal.SIGKILL)
        wait_until(lambda: sluice.pids("sluice-log") and sluice.pids("sluice-log") != old)
        for name in ("lines", "copy"):
            if sluice.task(name).get("state") == "FAILED":
                sluice.call("POST", f"/connectors/{name}/tasks/0/restart")
        lines.write(10)
        lines.arrive()


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
            wait_until(lambda: try_lock(orphan), what="hosts to be gone")
            begin = time.monotonic()
            holder = subprocess.Popen(["sleep", "1"], stdin=orphan)
        sluice.start()
        assert time.monotonic() - begin >= 0.9
        holder.wait()
        sluice.told("Waiting for processes of an earlier worker")
    finally:
        sluice.stop()


def test_no_process_is_left(tmp_path, lines):
    sluice = start(tmp_path, lines.connectors()).start()
    children = list(sluice.children())
    sluice.stop()
    assert sluice.process.returncode == 0
    assert not alive(children)


@pytest.mark.parametrize("end", ["delete", "kill", "stopped and killed"])
def test_daemons_of_a_plugin_end_with_it(tmp_path, lines, end):
    """setsid() and a double fork, all descriptors closed, an empty environment: what a plugin started is its own affair."""
    connectors = {**lines.connectors(), "bad": {"connector.class": "bad.Hostile", "topics": "t", "mode": "daemon",
                                                "file": str(tmp_path / "pid")}}
    sluice = start(tmp_path, connectors).start()
    try:
        sluice.wait_state("bad", "RUNNING")
        daemon, host = int((tmp_path / "pid").read_text()), sluice.pids("sluice-host", "task", "bad-0")[0]
        assert alive([daemon]) and alive([host])
        if end == "delete":
            assert sluice.call("DELETE", "/connectors/bad")[0] == 204
        elif end == "kill":
            os.kill(sluice.process.pid, signal.SIGKILL)
        else:  # nobody of that worker can do anything any more: its successor does
            for pid in (host, sluice.process.pid):
                os.kill(pid, signal.SIGSTOP)
            os.kill(sluice.process.pid, signal.SIGKILL)
            sluice.process.wait()
            sluice.start()
        wait_until(lambda: not alive([daemon, host]), what="the end of what the plugin left")
    finally:
        sluice.stop()


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
        sluice.told("Task bad-0 did not return from stop() within 1000 ms and was killed")
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


def made_fifo(path):
    """What is written there waits for a reader. False while somebody writes a file of that name."""
    try:
        os.mkfifo(path)
    except FileExistsError:
        return False
    return True


@pytest.mark.skipif(not OPENAT, reason="no number of openat() for this machine")
def test_stop_while_offsets_are_stored(tmp_path, lines):
    """The answer to whom the offsets were stored for is given already."""
    store = tmp_path / "connect.offsets"
    connectors = lines.connectors()
    connectors["slow"] = {"connector.class": "bad.SleepInStop", "topics": "t"}
    lines.write(5)
    with start(tmp_path, connectors, **{"offset.storage.file.filename": str(store)}) as sluice:
        sluice.wait_state("slow", "RUNNING")
        wait_until(lambda: sluice.call("GET", "/connectors/lines/offsets")[1]["offsets"], what="offsets")
        assert sluice.call("PUT", "/connectors/lines/stop")[0] == 204
        wait_until(lambda: made_fifo(f"{store}.new"), what="the end of an earlier write")
        client = subprocess.Popen(["curl", "-s", "-X", "DELETE",
                                   f"http://127.0.0.1:{sluice.admin_port}/connectors/lines/offsets"],
                                  stdout=subprocess.PIPE, text=True)
        wait_until(lambda: hangs_in_open(sluice.process.pid), what="the write")
        sluice.process.send_signal(signal.SIGTERM)
        assert json.loads(client.communicate(timeout=PATIENCE)[0])["message"] == "The worker is shutting down"
        with open(f"{store}.new", "rb") as reader:
            reader.read()
        assert sluice.process.wait(PATIENCE) == 0, sluice.text()[-2000:]


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


def test_what_a_plugin_does_to_its_process_stays_there(tmp_path, lines):
    """All descriptors closed: failed. Masks, limits, umask, folder, environment changed, a destructor that hangs: no matter."""
    lines.write(1)
    connectors = {mode: {"connector.class": "bad.Hostile", "topics": "t", "mode": mode, "file": str(tmp_path / mode)}
                  for mode in ("close", "surroundings", "destructor")}
    with start(tmp_path, {**lines.connectors(), **connectors}) as sluice:
        assert "Task close-0 closed descriptors that are not its own" in sluice.wait_state("close", "FAILED")["trace"]
        for mode in ("surroundings", "destructor"):
            wait_until((tmp_path / mode).exists, what=f"a record put by {mode}")
            assert sluice.running(mode)
            assert sluice.call("DELETE", f"/connectors/{mode}")[0] == 204
        lines.write(1)
        lines.arrive()


@pytest.mark.parametrize("mode", ["shared", "memfd"])
def test_memory_limit_counts_shared_memory(tmp_path, lines, mode):
    lines.write(1)
    with start(tmp_path, {**lines.connectors(), "bad": {"connector.class": "bad.Hostile", "topics": "t", "mode": mode,
                                                        "file": str(tmp_path / "x")}}) as sluice:
        trace = sluice.wait_state("bad", "FAILED")["trace"]
        assert re.search(r"Task bad-0 reached its memory limit of 256 MB, with \d+ MB of data and \d+ MB of shared memory, "
                         r"and was killed; it was in put\(\) of bad.Hostile .*\(sluice.task.memory.limit.bytes sets it", trace)
        assert sluice.running("lines") and sluice.running("copy")


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
            thread.join(PATIENCE)
            assert not thread.is_alive()
        assert not odd, f"{odd[:3]}\n{sluice.text()}"
        for name in names:  # again where the machine was too slow for 300 ms
            wait_until(lambda name=name: sluice.call("PUT", f"/connectors/{name}/config", config)[0] in (200, 201))
        sluice.call("PUT", "/connectors/a/resume")
        sluice.call("PUT", "/connectors/b/pause")
        sluice.call("PUT", "/connectors/c/stop")
        sluice.call("POST", "/connectors/a/restart?includeTasks=true")
        wait_until(lambda: sluice.call("POST", "/connectors/a/restart")[0] == 204)
        wait_until(lambda: sluice.running("a"), what=sluice.text())
        connector_state(sluice, "b", "PAUSED")
        connector_state(sluice, "c", "STOPPED")
        assert sluice.status("c")["tasks"] == [] and not sluice.pids("sluice-host", "task", "c-0")
        for name in names:
            assert sluice.call("DELETE", f"/connectors/{name}")[0] == 204
        assert sluice.call("GET", "/connectors")[1] == []
        assert not sluice.pids("sluice-host")
    assert sluice.process.returncode == 0, sluice.text()
