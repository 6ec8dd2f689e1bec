"""The main job on a real Kafka broker: emulator -> REST source -> Kafka -> raw and cleaned objects."""
import json
import os
import subprocess
import sys

import pytest
from clean_reference import clean
from harness import EXAMPLE, TOPIC_PREFIX, Sluice, free_port, object_key, objects, wait_until
from test_pipeline import BUCKET, connectors, lines


@pytest.fixture(scope="module")
def run(tmp_path_factory, broker):
    folder = tmp_path_factory.mktemp("kafka-pipeline")
    port = free_port()
    ledger = folder / "acknowledged"
    # The topics do not exist yet: the sinks' subscriptions and the source's records make them.
    worker = {"bootstrap.servers": broker.bootstrap}
    with Sluice(folder, connectors(folder, port), worker=worker) as sluice:
        subprocess.run([sys.executable, os.path.join(EXAMPLE, "emulator.py"), "--quiet",
                        "--url", f"http://127.0.0.1:{port}", "--acknowledged", str(ledger)], check=True)
        lake, cleaned = folder / "lake" / BUCKET, folder / "clean" / BUCKET
        wait_until(lambda: len(objects(lake)) >= 411, what="411 raw objects")
        wait_until(lambda: sum(len(lines(objects(cleaned), kind)) for kind in ("pin", "geo", "user")) >= 411,
                   what="411 cleaned rows")
        wait_until(lambda: sum(broker.committed("connect-s3-raw").values()) == 411, what="commits")
        states = {name: sluice.status(name) for name in ("s3-raw", "s3-clean", "rest-source")}
    posted = [json.loads(line) for line in ledger.read_text().splitlines()]
    return posted, objects(lake), objects(cleaned), states


def test_every_record_is_in_the_lake_as_posted(run, broker):
    posted, lake, _, _ = run
    assert len(posted) == 411
    for topic, partition, offset, row in posted:
        assert json.loads(lake[object_key(topic, partition, offset)]) == row
    assert len(lake) == 411
    for kind in ("pin", "geo", "user"):
        assert broker.end_offsets(TOPIC_PREFIX + kind) == {0: 137}


@pytest.mark.parametrize("kind", ["pin", "geo", "user"])
def test_cleaned_rows_equal_the_reference_cleaning(run, kind):
    posted, _, cleaned, _ = run
    expected = [clean(kind, row) for topic, _, _, row in posted if topic == TOPIC_PREFIX + kind]
    assert [list(row.items()) for row in lines(cleaned, kind)] == [list(row.items()) for row in expected]


def test_all_tasks_run(run):
    for status in run[3].values():
        assert {task["state"] for task in status["tasks"]} == {"RUNNING"}, status
