#!/usr/bin/python3
"""A real Kafka 3.9 broker (KRaft) and JVM Connect 3.9 for tests, out of Maven Central's jars.

    with Broker(folder) as broker:              # PLAINTEXT on a free port of 127.0.0.1
        broker.create_topic("t", partitions=2)
        broker.produce("t", [b"value", (b"key", b"value", [("header", b"x")], 1700000000000)])
        records = broker.consume("t", 2)
    Broker(folder, listeners=("SSL", "SASL_PLAINTEXT"), config={"ssl.keystore.location": ...},
           scram=["SCRAM-SHA-256=[name=alice,password=secret]"]).address("SSL")

The jars are fetched once (some 20 s, 56 MB) into ${XDG_CACHE_HOME:-~/.cache}/sluice-tests. What lacks is told
by Missing; the pytest fixtures below skip with its words. Run as a program it starts a broker and prints its
address, until its standard input ends.

kill -9 of a test leaves no broker behind: each JVM has PR_SET_PDEATHSIG.
"""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import pytest
from fetched import CACHE, Missing, fetched
from harness import PATIENCE, AdminApi, free_port, wait_until, write_properties

VERSION = "3.9.1"
CLUSTER_ID = "c2x1aWNlLXRlc3RzLTAwMQ"
ARTIFACTS = ("kafka_2.13", "kafka-tools", "connect-runtime", "connect-json", "connect-file",
             "connect-transforms", "connect-basic-auth-extension")
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC",
       "-Dlog4j.configuration=file:")
# As bin/connect-standalone.sh starts it, for figures.
JVM_AS_SHIPPED = ("-Xms256m", "-Xmx2g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
                  "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Duser.timezone=UTC",
                  "-Dlog4j.configuration=file:")
QUIET = ("org.reflections", "org.apache.kafka.clients", "org.eclipse.jetty")


def jars():
    """The folder with Kafka's jars."""
    if not shutil.which("java"):
        raise Missing("no java: install the Debian package openjdk-17-jre-headless")
    wanted = [("org.apache.kafka", name, VERSION) for name in ARTIFACTS] + [("org.slf4j", "slf4j-reload4j", "1.7.36")]
    return from_maven("kafka-" + VERSION, ".", wanted)


def from_maven(name, jars_in, wanted):
    """A folder of the cache with these artifacts and what they need, in its subfolder."""
    folder = os.path.join(CACHE, name)
    if not os.path.isdir(folder) and not shutil.which("mvn"):
        raise Missing("no mvn to fetch jars with: install the Debian package maven")
    dependency = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>\n"
    pom = ('<project xmlns="http://maven.apache.org/POM/4.0.0">\n<modelVersion>4.0.0</modelVersion>\n'
           "<groupId>sluice</groupId><artifactId>for-tests</artifactId><version>1</version>\n<packaging>pom</packaging>\n"
           "<dependencies>\n" + "".join(dependency.format(*one) for one in wanted) + "</dependencies>\n</project>\n")
    return fetched(folder, "mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime",
                   "-DoutputDirectory=" + jars_in, files={"pom.xml": pom})


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Jvm:
    """One JVM in a folder; its output is kept, and awaited for words."""

    def __init__(self, folder, heap="256m"):
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.heap = heap
        self.options = JVM  # quick to start; the last one is for the path of log4j.properties
        self.process = None
        self.output = []
        self.environment = {}

    def command(self, main, *arguments):
        log4j = os.path.join(self.folder, "log4j.properties")
        if not os.path.exists(log4j):
            with open(log4j, "w", encoding="utf-8") as file:
                file.write("log4j.rootLogger=INFO, stdout\n"
                           "log4j.appender.stdout=org.apache.log4j.ConsoleAppender\n"
                           "log4j.appender.stdout.layout=org.apache.log4j.PatternLayout\n"
                           "log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n\n")
                file.writelines(f"log4j.logger.{name}=WARN\n" for name in QUIET)
        options = [f"-Xmx{self.heap}" if option.startswith("-Xmx") else option for option in self.options]
        options[-1] += log4j
        return ["java", *options, "-cp", os.path.join(jars(), "*"), main, *arguments]

    def run(self, main, *arguments):
        done = subprocess.run(self.command(main, *arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        assert done.returncode == 0, f"{main} failed:\n{done.stdout}"
        return done.stdout

    def launch(self, words, main, *arguments):
        ready = threading.Event()
        self.process = subprocess.Popen(self.command(main, *arguments), cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace",
                                        env={**os.environ, **self.environment}, preexec_fn=die_with_parent)

        def drain(stream):
            for line in stream:
                self.output.append(line)
                if words in line:
                    ready.set()
            ready.set()

        self.reader = threading.Thread(target=drain, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        assert ready.wait(PATIENCE), f"{main} did not get ready:\n" + self.text()
        if self.process.poll() is not None:
            self.reader.join(PATIENCE)
            raise AssertionError(f"{main} ended with {self.process.returncode}:\n" + self.text())

    def text(self):
        return "".join(self.output[-200:])

    def stop(self, signal_number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal_number)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process:
            self.reader.join(PATIENCE)

    def kill(self):
        self.stop(signal.SIGKILL)

    def suspend(self):
        """SIGSTOP: it neither answers nor closes its sockets."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Broker(Jvm):
    """listeners: security protocols, each a listener on a port of its own that outlives restarts. config: any of
    the broker's properties. scram: what StorageTool's --add-scram takes. advertised: {protocol: "host:port"}
    where clients shall connect instead (a proxy)."""

    def __init__(self, folder, listeners=("PLAINTEXT",), config=None, scram=(), advertised=None, heap="256m"):
        super().__init__(folder, heap)
        self.ports = {name: free_port() for name in listeners}
        self.listeners = list(listeners)
        self.advertised = advertised or {}
        self.config = dict(config or {})
        self.scram = list(scram)
        self.controller_port = free_port()
        self.formatted = False
        self.admin = None

    def address(self, listener=None):
        return f"127.0.0.1:{self.ports[listener or self.listeners[0]]}"

    @property
    def bootstrap(self):
        return self.address()

    def properties(self):
        addresses = {name: f"{name}://{self.address(name)}" for name in self.listeners}
        protocols = [f"{name}:{name}" for name in self.listeners]
        inter_broker = "PLAINTEXT" if "PLAINTEXT" in self.listeners else "INTERNAL"
        if inter_broker == "INTERNAL":
            self.ports.setdefault("INTERNAL", free_port())
            addresses["INTERNAL"] = f"INTERNAL://{self.address('INTERNAL')}"
            protocols.append("INTERNAL:PLAINTEXT")
        advertised = {name: f"{name}://{self.advertised[name]}" if name in self.advertised else address
                      for name, address in addresses.items()}
        return {
            "process.roles": "broker,controller", "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": inter_broker,
            "listeners": ",".join([*addresses.values(), f"CONTROLLER://127.0.0.1:{self.controller_port}"]),
            "advertised.listeners": ",".join(advertised.values()),
            "listener.security.protocol.map": ",".join(["CONTROLLER:PLAINTEXT", *protocols]),
            "log.dirs": os.path.join(self.folder, "data"),
            "offsets.topic.replication.factor": "1", "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1", "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0", "group.min.session.timeout.ms": "500", "num.partitions": "1",
            # Records of tests have times of years ago: they would be deleted half a minute after the start.
            "log.retention.ms": "-1",
            "log.cleaner.dedupe.buffer.size": "2000000", "log.cleaner.threads": "1",
            "num.network.threads": "2", "num.io.threads": "2", "background.threads": "2",
            **self.config,
        }

    def start(self):
        path = write_properties(os.path.join(self.folder, "server.properties"), self.properties())
        if not self.formatted:
            self.run("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", path,
                     *(word for user in self.scram for word in ("--add-scram", user)))
            self.formatted = True
        self.launch("Kafka Server started", "kafka.Kafka", path)
        return self

    def restart(self, kill=False):
        self.stop(signal.SIGKILL if kill else signal.SIGTERM)
        self.start()

    # -- an independent client (python3-kafka) over the PLAINTEXT listener --

    def client_address(self):
        return self.address("PLAINTEXT" if "PLAINTEXT" in self.listeners else "INTERNAL")

    def admin_client(self):
        if self.admin is None:
            self.admin = kafka().KafkaAdminClient(bootstrap_servers=self.client_address(),
                                                  api_version=(2, 6, 0))
        return self.admin

    def create_topic(self, name, partitions=1, config=None):
        topic = kafka().admin.NewTopic(name, partitions, 1, topic_configs=config or {})
        self.admin_client().create_topics([topic])
        return name

    def delete_topic(self, name):
        self.admin_client().delete_topics([name])

    def topics(self):
        """{name: number of partitions}, Kafka's own topics left out."""
        return {topic["topic"]: len(topic["partitions"]) for topic in self.admin_client().describe_topics()
                if not topic["is_internal"]}

    def topic_config(self, name):
        """{key: value} of what is not a default."""
        resource = kafka().admin.ConfigResource(kafka().admin.ConfigResourceType.TOPIC, name)
        answer = self.admin_client().describe_configs([resource])[0]
        return {entry[0]: entry[1] for entry in answer.resources[0][4] if entry[3] == 1}

    def produce(self, topic, records, partition=None):
        """records: value, or (key, value[, headers[, timestamp[, partition]]]); bytes or None, but
        header values are bytes (a limit of this client). Waits for acks."""
        producer = kafka().KafkaProducer(bootstrap_servers=self.client_address(), acks="all",
                                         api_version=(2, 6, 0), max_block_ms=30000, retries=100,
                                         max_in_flight_requests_per_connection=1)
        try:
            sent = []
            for record in records:
                key, value, headers, timestamp, at = (
                    (*record, *[None] * (5 - len(record))) if isinstance(record, tuple)
                    else (None, record, None, None, None))
                sent.append(producer.send(topic, key=key, value=value, headers=headers or [],
                                          partition=partition if at is None else at, timestamp_ms=timestamp))
            producer.flush(60)
            return [one.get(60) for one in sent]
        finally:
            producer.close()

    def end_offsets(self, topic):
        """{partition: offset of the next record}; empty where there is no topic."""
        consumer = self.consumer()
        try:
            found = [kafka().TopicPartition(topic, number)
                     for number in consumer.partitions_for_topic(topic) or ()]
            return {where.partition: offset for where, offset in consumer.end_offsets(found).items()}
        finally:
            consumer.close()

    def consumer(self):
        return kafka().KafkaConsumer(bootstrap_servers=self.client_address(), api_version=(2, 6, 0),
                                     auto_offset_reset="earliest", enable_auto_commit=False)

    def consume(self, topic, count=None):
        """The first count records (or all there are) of a topic: .key .value .headers .timestamp .partition
        .offset; in order within each partition. Fails when none came for as long as one waits."""
        consumer = self.consumer()
        try:
            numbers = wait_until(lambda: consumer.partitions_for_topic(topic), what=f"topic {topic}")
            where = [kafka().TopicPartition(topic, number) for number in sorted(numbers)]
            consumer.assign(where)
            consumer.seek_to_beginning()
            found = []

            def complete():
                return len(found) >= count if count is not None else all(
                    consumer.position(one) >= end for one, end in consumer.end_offsets(where).items())

            deadline = time.monotonic() + PATIENCE
            while not complete():
                batch = [record for records in consumer.poll(timeout_ms=200).values() for record in records]
                found.extend(batch)
                if batch:
                    deadline = time.monotonic() + PATIENCE
                assert time.monotonic() < deadline, \
                    f"{len(found)} of {count} records in {topic}, and no more came within {PATIENCE} s"
            return sorted(found, key=lambda record: (record.partition, record.offset))
        finally:
            consumer.close()

    def committed(self, group):
        """{(topic, partition): offset} that a group has committed; empty while its coordinator starts."""
        try:
            offsets = self.admin_client().list_consumer_group_offsets(group)
        except kafka().errors.KafkaError as error:
            if error.errno in (14, 15, 16):
                return {}
            raise
        return {(where.topic, where.partition): entry.offset for where, entry in offsets.items()}

    def stop(self, signal_number=signal.SIGTERM):
        if self.admin is not None:
            self.admin.close()
            self.admin = None
        super().stop(signal_number)


def kafka():
    """python3-kafka, imported when first needed so that whoever only wants a broker can do without."""
    try:
        import kafka as module
        import kafka.admin
    except ImportError:
        raise Missing("no python3-kafka: install the Debian package") from None
    return module


class JvmConnect(Jvm, AdminApi):
    """JVM Connect beside the broker. mode: standalone (connectors by file) or distributed. Same calls as
    harness.Sluice."""

    def __init__(self, folder, bootstrap, connectors=None, worker=None, mode="standalone", heap="256m"):
        super().__init__(folder, heap)
        self.admin_port = free_port()
        self.mode = mode
        self.connectors = connectors or {}
        self.worker = {
            "bootstrap.servers": bootstrap,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
            "listeners": f"http://127.0.0.1:{self.admin_port}",
            "offset.flush.interval.ms": "1000",
            "plugin.discovery": "service_load",
        }
        if mode == "standalone":
            self.worker["offset.storage.file.filename"] = os.path.join(self.folder, "connect.offsets")
        else:
            self.worker["group.id"] = "jvm-connect"
            for store in ("config", "offset", "status"):
                self.worker[f"{store}.storage.topic"] = f"jvm-connect-{store}s"
                self.worker[f"{store}.storage.replication.factor"] = "1"
            self.worker["offset.storage.partitions"] = self.worker["status.storage.partitions"] = "1"
            self.worker["scheduled.rebalance.max.delay.ms"] = "0"
        self.worker.update(worker or {})

    def start(self):
        files = [write_properties(os.path.join(self.folder, "worker.properties"), self.worker)]
        for name, properties in self.connectors.items():
            path = os.path.join(self.folder, name + ".properties")
            files.append(write_properties(path, {"name": name, **properties}))
        if self.mode == "distributed":
            files = files[:1]
        main = "ConnectStandalone" if self.mode == "standalone" else "ConnectDistributed"
        words = "REST resources initialized; server is started" if self.mode == "standalone" else \
            "Finished starting connectors and tasks"
        self.launch(words, "org.apache.kafka.connect.cli." + main, *files)
        if self.mode == "distributed":
            for name, properties in self.connectors.items():
                path, body = f"/connectors/{name}/config", {"name": name, **properties}
                # 404 and 409 while the worker joins its group
                wait_until(lambda path=path, body=body: self.call("PUT", path, body)[0] in (200, 201),
                           what=f"connector {name} taken")
        return self


# -- pytest: import these into a conftest.py --

@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """One broker for all tests of a session: use topics of your own (see `topic`), and leave it running."""
    try:
        kafka()
        server = Broker(tmp_path_factory.mktemp("kafka"))
        server.start()
    except Missing as missing:
        pytest.skip(f"no Kafka broker: {missing}")
    yield server
    server.stop()


@pytest.fixture
def topic():
    """A topic's name that nobody else uses; it is not created."""
    return "t-" + uuid.uuid4().hex[:10]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="sluice-kafka-") as home:
        try:
            with Broker(home) as one:
                print(one.bootstrap, flush=True)
                sys.stdin.read()
        except Missing as missing:
            print(f"real_kafka.py: {missing}", file=sys.stderr)
            sys.exit(3)
