"""The worker: how it begins (locks, ports, files) and when it ends by itself."""
import os
import signal
import socket
import subprocess

import pytest
from harness import PATIENCE, SLUICE, Sluice, free_port, wait_until, write_properties
from worker_lines import SINK, WORKER, lines, start  # noqa: F401


def run(arguments, folder):
    return subprocess.run([SLUICE, "run", *map(str, arguments)], cwd=folder, capture_output=True, text=True,
                          timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False)


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
        sluice.told("the key 'listenrs' is not known and has no effect; is 'listeners' meant?")


def test_base_name_serves_where_no_name_is_given(tmp_path, lines):
    sink = write_properties(str(tmp_path / "lake.properties"),
                            {"connector.class": SINK, "file": lines.out, "topics": "t"})
    sluice = Sluice(tmp_path, {}, WORKER, [sink])
    with sluice:
        assert sluice.call("GET", "/connectors")[1] == ["lake"]
        sluice.told("has no 'name'; 'lake', the file's base name, serves")
        assert sluice.call("GET", "/connectors/lake/config")[1]["name"] == "lake"


def test_ends_when_idle(tmp_path, lines):
    lines.write(50)
    with start(tmp_path, lines.connectors()) as sluice:
        lines.arrive()
    lines.write(50)
    files = [str(tmp_path / name) for name in ("worker.properties", "lines.properties", "copy.properties")]
    result = run(["--exit-when-idle", "500", *files], tmp_path)
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
        wait_until(lambda: sluice.call("GET", "/connectors/lines/topics")[1]["lines"]["topics"] == ["t"], what="the topic")
        with pytest.raises(subprocess.TimeoutExpired):
            sluice.process.wait(4 * idle)
        os.kill(host, signal.SIGCONT)
        assert sluice.process.wait(PATIENCE) == 0, sluice.text()
    assert len(lines.seen()) == 10


def test_is_not_idle_while_a_commit_is_under_way(tmp_path, lines):
    """A disk may take seconds to sync: what is being committed is not given up."""
    lines.write(5)
    connectors = lines.connectors()
    connectors["copy"]["commit.takes.ms"] = "1500"
    sluice = Sluice(tmp_path, connectors, {**WORKER, "offset.flush.interval.ms": "60000"}, ["--exit-when-idle", "50"])
    with sluice:
        assert sluice.process.wait(PATIENCE) == 0, sluice.text()
    assert len(lines.seen()) == 5


def test_ends_when_nothing_can_move(tmp_path, lines):
    """Else it would wait for the first record for ever."""
    connectors = {**lines.connectors(), "lines": {"connector.class": "no.SuchSource", "topic": "t"}}
    with start(tmp_path, connectors):
        pass
    files = [str(tmp_path / name) for name in ("worker.properties", "lines.properties", "copy.properties")]
    result = run(["--exit-when-idle", "50", *files], tmp_path)
    assert result.returncode == 1 and "no record has moved, and 1 of 2 connectors failed" in result.stderr, result
