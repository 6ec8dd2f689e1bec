#!/usr/bin/env python3
"""Runs recorded scenarios of the admin API (kafka-connect.md §1) against a worker of its own.

    run_rest.py [--bootstrap SERVERS] [FILE...]    default: every s-*.json, on an embedded log

Closes with `N passed, N failed`. The runner of the recordings is their own (replay.py).
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import SHARED, Sluice  # noqa: E402

FOLDER = os.path.join(SHARED, "conformance", "rest")
# What the recording used (its README).
WORKER = {
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    "offset.flush.interval.ms": "1000",
    "config.providers": "file",
    "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", help="a broker's address instead of the embedded log")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    files = arguments.files or sorted(glob.glob(os.path.join(FOLDER, "scenarios", "s-*.json")))
    runner = os.path.join(FOLDER, "replay.py")
    if not os.path.exists(runner) or not files:
        print(f"run_rest.py: no scenarios or no replay.py in {FOLDER} (set SLUICE_SHARED)", file=sys.stderr)
        return 2
    worker = {**WORKER, **({"bootstrap.servers": arguments.bootstrap} if arguments.bootstrap else {})}
    with tempfile.TemporaryDirectory(prefix="sluice-rest-") as folder, Sluice(folder, {}, worker) as sluice:
        command = [sys.executable, runner, "--url", f"http://127.0.0.1:{sluice.admin_port}",
                   "--mode", "standalone", *files]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
