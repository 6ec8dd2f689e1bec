#!/usr/bin/env python3
"""Runs the recorded S3 cases with the runner they came with: a real Kafka broker, MinIO, `sluice standalone`.

  run_recorded.py [--only REGEX] CASES...

Closes with that runner's `N passed, N failed`. Exit 3: Java or Go is missing, or MinIO cannot be built. Cases
that differ on purpose (docs/compatibility.md) are left out and named.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from harness import ROOT, SHARED, SLUICE, free_port  # noqa: E402
from real_kafka import Broker, Missing  # noqa: E402

ON_PURPOSE = ["errors-tombstone-topic", "rotate-schedule-exists"]
RUNNER = os.path.join(SHARED, "conformance", "s3", "run_cases.py")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    # The runner tells its ports to nobody, so servers are ours to start and to end.
    minio = subprocess.Popen([os.path.join(ROOT, "tests", "support", "minio.sh")], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    words = minio.stdout.readline().split()
    try:
        if len(words) != 3:
            return 3
        print("on purpose otherwise: " + ", ".join(ON_PURPOSE), flush=True)
        only = f"^(?!({'|'.join(map(re.escape, ON_PURPOSE))})$).*{options.only}"
        with tempfile.TemporaryDirectory() as folder, Broker(folder) as broker:
            log = os.path.join(folder, "worker.log")
            result = subprocess.run(
                [sys.executable, RUNNER, "--bootstrap", broker.bootstrap, "--s3", words[0], "--access-key", words[1],
                 "--secret-key", words[2], "--rest-port", str(free_port()), "--log", log, "--per", "24",
                 "--worker-cmd", f"{SLUICE} standalone {{worker}} {{connectors}}", "--only", only, *options.cases],
                check=False)
            if result.returncode != 0:
                with open(log, encoding="utf-8", errors="replace") as lines:
                    sys.stderr.write("".join([line for line in lines if "HTTP/1.1" not in line][-40:]))
            return result.returncode
    except Missing as why:
        print(f"run_recorded.py: {why}", file=sys.stderr)
        return 3
    finally:
        minio.stdin.close()
        minio.wait(60)


if __name__ == "__main__":
    sys.exit(main())
