"""The S3 service that fails on purpose (fault_s3/) as a process."""
import json
import os
import subprocess
import urllib.parse
import urllib.request

from harness import BUILD, PATIENCE


class FaultS3:
    def __init__(self, **arguments):
        words = [word for name, value in arguments.items()
                 for word in (["--" + name] if value is True else ["--" + name, str(value)])]
        self.process = subprocess.Popen([os.path.join(BUILD, "tests", "fault_s3"), *words],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = "http://127.0.0.1:" + self.process.stdout.readline().split()[1]
        self.properties = {"store.url": self.url, "s3.bucket.name": "b", "s3.region": "us-east-1",
                           "aws.access.key.id": "access", "aws.secret.access.key": "secret"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(PATIENCE)

    def ask(self, what, data=None):
        with urllib.request.urlopen(f"{self.url}/_control/{what}", data, 30) as answer:
            return answer.read()

    def state(self):
        return json.loads(self.ask("state"))

    def set_faults(self, per_mille):
        self.ask(f"faults?{per_mille}", b"")

    def keys(self):
        """{key: (size, how often it was written)}"""
        lines = (line.split(" ", 2) for line in self.ask("keys").decode().splitlines())
        return {key: (int(size), int(puts)) for size, puts, key in lines}

    def uploads(self):
        """Multipart uploads that are open: "id parts key"."""
        return self.ask("uploads").decode().splitlines()

    def object(self, key):
        return self.ask("object?" + urllib.parse.quote(key, safe="/"))
