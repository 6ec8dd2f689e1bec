#!/usr/bin/python3
"""The main job on a real Kafka broker and a real S3 server, both started here and ended with it (./run.sh --kafka).

What differs from the embedded log and the folders is written to demo/*.properties: bootstrap.servers, and the sinks'
store.url. Topics and buckets are made first, as the owner made them. At the end the objects are copied to demo/.
"""
import os
import subprocess
import sys

import servers

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SLUICE = os.path.join(ROOT, "build", "release", "sluice")
TOPICS = [f"12471ce1b695.{kind}" for kind in ("pin", "geo", "user")]
BUCKETS = {"lake": "user-12471ce1b695-bucket", "clean": "user-12471ce1b695-bucket-clean"}
FILES = {"worker": {}, "rest-source": {}, "s3-raw": {"s3.bucket.name": BUCKETS["lake"]},
         "s3-clean": {"s3.bucket.name": BUCKETS["clean"]}}


def write(name, changes):
    """An example's file with some keys changed, in demo/."""
    with open(os.path.join(HERE, name + ".properties"), encoding="utf-8") as file:
        kept = [line for line in file if line.split("=")[0].strip() not in changes]
    path = os.path.join("demo", name + ".properties")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(kept + [f"{key}={value}\n" for key, value in changes.items()])
    return path


def main():
    running = []
    try:
        kafka, bootstrap = servers.kafka()
        running.append(kafka)
        store, url = servers.s3()
        running.append(store)
        client = servers.s3_client(url)
        for bucket in BUCKETS.values():
            servers.make_bucket(client, bucket)
        for topic in TOPICS:
            subprocess.run([SLUICE, "topics", "--bootstrap-server", bootstrap, "--create", "--topic", topic,
                            "--partitions", "3", "--replication-factor", "1"], check=True)
        files = []
        for name, changes in FILES.items():
            own = {"bootstrap.servers": bootstrap} if name == "worker" else changes
            files.append(write(name, {**own, "store.url": url} if name.startswith("s3") else own))
        sluice = subprocess.Popen([SLUICE, "run", "--exit-when-idle", "5000", *files])
        running.append(sluice)
        subprocess.run([sys.executable, os.path.join(HERE, "emulator.py"), "--patience", "60", "--server-pid",
                        str(sluice.pid), *sys.argv[1:]], check=True)
        code = sluice.wait()
        if code != 0:
            return code
        for folder, bucket in BUCKETS.items():
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for entry in page.get("Contents", []):
                    path = os.path.join("demo", folder, bucket, entry["Key"])
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    client.download_file(bucket, entry["Key"], path)
        return subprocess.run([sys.executable, os.path.join(HERE, "summary.py"), "demo"], check=True).returncode
    finally:
        for process in reversed(running):
            servers.end(process)


if __name__ == "__main__":
    sys.exit(main())
