"""Tasks without work sleep, and wake when work comes."""
import glob
import os
import re
import time

import pytest
from harness import Sluice, wait_until

SECONDS = 6
SOURCE = {"connector.class": "FileStreamSource", "topic": "t", "value.converter": "org.apache.kafka.connect.storage.StringConverter"}


def switches(pid):
    """How often threads of a process went to sleep: each time after they had been woken."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(path, encoding="utf-8") as status:
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.M)[1])
    return total


def size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def append(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def wakes(pids, seconds=SECONDS):
    before = {pid: switches(pid) for pid in pids}
    time.sleep(seconds)  # what is counted is what happens in a time
    return {pid: switches(pid) - before[pid] for pid in pids}


def found_by_looks(lines, measure):
    """Whether lines are found by the look of every 10 s alone, which comes 10 s behind the look that found the last one."""
    took = []
    for number in range(3):
        before, began = measure(), time.monotonic()
        append(lines, f"line {number}\n")
        wait_until(lambda before=before: measure() > before, what="a line at the other end")
        took.append(time.monotonic() - began)
    return min(took[1:]) > 8


@pytest.fixture
def folder(tmp_path):
    """What is read stands alone: the worker writes in its own folder."""
    (tmp_path / "in").mkdir()
    (tmp_path / "worker").mkdir()
    return tmp_path


def test_an_idle_source_sleeps_and_reads_what_comes(folder):
    lines, out = str(folder / "in" / "lines.txt"), str(folder / "out.txt")
    append(lines, "first\n")
    sink = {"connector.class": "FileStreamSink", "topics": "t", "file": out,
            "value.converter": "org.apache.kafka.connect.storage.StringConverter"}
    with Sluice(folder / "worker", {"lines": {**SOURCE, "file": lines}, "copy": sink}) as sluice:
        wait_until(lambda: size(out) == len("first\n"), what="the first line")
        hosts = sluice.pids("sluice-host")
        assert len(hosts) == 2, hosts
        wait_until(lambda: sum(wakes(hosts, 1).values()) <= 8, what="first commits are done")
        counted = sorted(wakes(hosts).values())
        # A look every 10 s; before, two wakes a second. The sink's consumer looks once a second, and commits.
        assert counted[0] <= SECONDS / 2, counted
        assert counted[-1] <= 6 * SECONDS, counted
        assert not found_by_looks(lines, lambda: size(out))


def test_a_line_in_a_noisy_folder_is_read(folder):
    """What else is written there wakes now and then, and hides nothing."""
    lines, noise = str(folder / "in" / "lines.txt"), str(folder / "in" / "noise.txt")
    append(lines, "first\n")
    with Sluice(folder / "worker", {"lines": {**SOURCE, "file": lines}}) as sluice:
        def position():
            offsets = sluice.call("GET", "/connectors/lines/offsets")[1]["offsets"]
            return offsets[0]["offset"]["position"] if offsets else 0

        wait_until(lambda: position() == size(lines), what="the first line")
        host, = sluice.pids("sluice-host")
        before, end = switches(host), time.monotonic() + 3
        while time.monotonic() < end:
            append(noise, "x\n")
            time.sleep(0.01)
        assert switches(host) - before < 60  # of 300 changes
        assert not found_by_looks(lines, position)
