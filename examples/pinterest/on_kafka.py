#!/usr/bin/python3
"""The main job on a real Kafka broker and a real S3 server, both started here and ended with it (./run.sh --kafka).

What differs from the embedded log and the folders is written to demo/*.properties: bootstrap.servers, and the sinks'
store.url. Topics and buckets are made first, as the owner made them. At the end the objects are copied to demo/.
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SLUICE = os.path.join(ROOT, "build", "release", "sluice")
SUPPORT = os.path.join(ROOT, "tests", "support")
TOPICS = [f"12471ce1b695.{kind}" for kind in ("pin", "geo", "user")]
BUCKETS = {"lake": "user-12471ce1b695-bucket", "clean": "user-12471ce1b695-bucket-clean"}
FILES = {"worker": {}, "rest-source": {}, "s3-raw": {"s3.bucket.name": BUCKETS["lake"]},
         "s3-clean": {"s3.bucket.name": BUCKETS["clean"]}}


def server(name, *command):
    """Starts a program that prints one line when it serves and ends with its standard input; (process, words)."""
    process = subprocess.Popen([os.path.join(SUPPORT, command[0]), *command[1:]], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    words = process.stdout.readline().split()
    if not words:
        print(f"on_kafka.py: {name} cannot be started; why stands above", file=sys.stderr)
        sys.exit(process.wait() or 3)
    print(f"{name}: {words[0]}", flush=True)
    return process, words


def write(name, changes):
    """An example's file with some keys changed, in demo/."""
    with open(os.path.join(HERE, name + ".properties"), encoding="utf-8") as file:
        kept = [line for line in file if line.split("=")[0].strip() not in changes]
    path = os.path.join("demo", name + ".properties")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(kept + [f"{key}={value}\n" for key, value in changes.items()])
    return path


def main():
    try:
        import boto3
    except ImportError:
        print("on_kafka.py: no boto3: install the Debian package python3-boto3", file=sys.stderr)
        return 3
    servers = []
    try:
        kafka, (bootstrap, *_) = server("Kafka", "real_kafka.py")
        servers.append(kafka)
        store, (url, key, secret) = server("S3", "minio.sh")
        servers.append(store)
        os.environ.update(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
        for bucket in BUCKETS.values():
            client.create_bucket(Bucket=bucket)
        for topic in TOPICS:
            subprocess.run([SLUICE, "topics", "--bootstrap-server", bootstrap, "--create", "--topic", topic,
                            "--partitions", "3", "--replication-factor", "1"], check=True)
        files = []
        for name, changes in FILES.items():
            own = {"bootstrap.servers": bootstrap} if name == "worker" else changes
            files.append(write(name, {**own, "store.url": url} if name.startswith("s3") else own))
        sluice = subprocess.Popen([SLUICE, "run", "--exit-when-idle", "5000", *files])
        servers.append(sluice)
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
        for process in reversed(servers):
            if process.stdin:
                process.stdin.close()
            elif process.poll() is None:
                process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
