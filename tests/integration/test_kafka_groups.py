"""Sinks as members of a group on a real broker: a put() that hangs, members that come and go."""
import os
import time

import pytest
from harness import BUILD, Sluice, wait_until
from real_kafka import JvmConnect



class Member(Sluice):
    """A worker of its own with the sink `ledger`; every worker with it is a member of connect-ledger."""

    def __init__(self, folder, broker, topic, tasks=1, **more):
        folder.mkdir()
        self.ledger, self.hold = folder / "ledger", folder / "hold"
        sink = {"connector.class": "sluice.test.LedgerSinkConnector", "topics": topic, "tasks.max": str(tasks),
                "file": str(self.ledger), "hold": str(self.hold),
                "consumer.override.heartbeat.interval.ms": "300", **more}
        super().__init__(folder, {"ledger-" + topic: sink}, {
            "bootstrap.servers": broker.bootstrap, "offset.flush.interval.ms": "200",
            "plugin.path": os.path.join(BUILD, "tests", "group_plugins"),
            "value.converter": "org.apache.kafka.connect.storage.StringConverter"}, verb="standalone")

    def lines(self, kind):
        """The ledger's lines of this kind, without their first word."""
        text = self.ledger.read_text(encoding="utf-8") if self.ledger.exists() else ""
        return [tuple(line.split()[1:]) for line in text.splitlines() if line.split()[0] == kind]

    def partitions(self, kind):
        return [int(partition) for _, partition in self.lines(kind)]

    def held(self):
        held = self.partitions("open")
        for partition in self.partitions("close"):
            held.remove(partition)
        return sorted(held)

    def puts(self):
        """{partition: offsets in the order of put()}"""
        found = {}
        for _, partition, offset in self.lines("put"):
            found.setdefault(int(partition), []).append(int(offset))
        return found


def produce(broker, topic, begin, end, partitions):
    broker.produce(topic, [(None, b"%d" % n, None, None, n % partitions) for n in range(begin, end)])


def committed(broker, topic):
    return sum(offset for offset in broker.committed("connect-ledger-" + topic).values() if offset > 0)


def members(broker, topic):
    groups = broker.admin_client().describe_consumer_groups(["connect-ledger-" + topic])
    return [member.member_id for member in groups[0].members]


SHORT = {"consumer.override.session.timeout.ms": "4000", "consumer.override.max.poll.interval.ms": "5000"}


def test_a_put_that_hangs_keeps_the_membership(tmp_path, broker, topic):
    """Longer than session.timeout.ms and max.poll.interval.ms, with more waiting than may be held."""
    broker.create_topic(topic, partitions=2)
    with Member(tmp_path / "one", broker, topic, **SHORT, **{"sluice.consumer.buffer.bytes": "2000"}) as one:
        produce(broker, topic, 0, 10, 2)
        wait_until(lambda: committed(broker, topic) == 10, what="10 committed\n" + one.text())
        before = members(broker, topic)
        one.hold.touch()
        produce(broker, topic, 10, 300, 2)
        wait_until(lambda: one.lines("hang"), what="a put() that hangs")
        deadline = time.monotonic() + 7  # what is tested is that nothing happens in this time
        while time.monotonic() < deadline:
            assert members(broker, topic) == before, one.text()
            time.sleep(0.2)
        assert committed(broker, topic) == 10 and one.partitions("close") == []
        one.hold.unlink()
        wait_until(lambda: committed(broker, topic) == 300, what="all committed\n" + one.text())
        assert members(broker, topic) == before and sorted(one.partitions("open")) == [0, 1]
    assert one.puts() == {0: list(range(150)), 1: list(range(150))}


def test_partitions_go_on_elsewhere_while_a_put_hangs(tmp_path, broker, topic):
    """A second member gets its share within max.poll.interval.ms; what hangs is not committed for it."""
    broker.create_topic(topic, partitions=4)
    with Member(tmp_path / "one", broker, topic, **SHORT) as one:
        produce(broker, topic, 0, 40, 4)
        wait_until(lambda: committed(broker, topic) == 40, what="40 committed\n" + one.text())
        one.hold.touch()
        produce(broker, topic, 40, 80, 4)
        wait_until(lambda: one.lines("hang"), what="a put() that hangs")
        with Member(tmp_path / "two", broker, topic) as two:
            wait_until(lambda: len(two.held()) == 2, what="its share\n" + one.text() + two.text())
            one.told("given up uncommitted")
            moved = two.held()
            wait_until(lambda: two.puts() == {partition: list(range(10, 20)) for partition in moved},
                       what="the records given up\n" + two.text())
            one.hold.unlink()
            wait_until(lambda: one.held() == [n for n in range(4) if n not in moved], what=one.text())
            produce(broker, topic, 80, 120, 4)
            wait_until(lambda: committed(broker, topic) == 120, what="all committed\n" + one.text() + two.text())
            stays = one.puts()
            for partition in range(4):
                if partition in moved:
                    assert two.puts()[partition] == list(range(10, 30))
                    assert stays[partition] == list(range(max(10, len(stays[partition]))))  # put() had some or none
                else:
                    assert stays[partition] == list(range(30))


@pytest.mark.parametrize("tasks", [1, 3], ids=["workers", "tasks"])
def test_only_what_moves_is_closed_and_opened(tmp_path, broker, topic, tasks):
    """Members come and go while records flow: nobody closes what stays; each record once, in order."""
    broker.create_topic(topic, partitions=6)
    count = [0]

    def more():
        produce(broker, topic, count[0], count[0] + 60, 6)
        count[0] += 60

    def all_in(*who):
        wait_until(lambda: committed(broker, topic) == count[0],
                   what=f"{count[0]} committed\n" + "".join(one.text() for one in who))

    with Member(tmp_path / "one", broker, topic) as one:
        more()
        all_in(one)
        assert one.held() == list(range(6))
        with Member(tmp_path / "two", broker, topic, tasks) as two:
            more()
            share = 6 * tasks // (tasks + 1)
            wait_until(lambda: len(two.held()) == share and len(one.held()) == 6 - share,
                       what="shares\n" + one.text() + two.text())
            more()
            all_in(one, two)
            assert sorted(one.partitions("close")) == two.held() and len(one.partitions("open")) == 6
            moved = two.held()
            if tasks == 1:
                assert sorted(two.partitions("open")) == moved and two.partitions("close") == []
        more()
        all_in(one)
        assert sorted(one.partitions("close")) == moved and sorted(one.partitions("open")[6:]) == moved
    offsets = {}
    for who in (one, two):
        for partition, found in who.puts().items():
            assert found == sorted(found), f"order of partition {partition}"
            offsets.setdefault(partition, []).extend(found)
    each = count[0] // 6
    assert {partition: sorted(found) for partition, found in offsets.items()} == \
        {partition: list(range(each)) for partition in range(6)}


def test_a_jvm_worker_in_the_same_group(tmp_path, broker, topic):
    """One is replaced by the other while records flow: partitions go over, each record once."""
    broker.create_topic(topic, partitions=4)
    out = tmp_path / "jvm.out"
    jvm = JvmConnect(tmp_path / "jvm", broker.bootstrap, {"ledger-" + topic: {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "topics": topic, "file": str(out),
        "tasks.max": "1", "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "consumer.override.heartbeat.interval.ms": "300"}})
    with Member(tmp_path / "one", broker, topic) as one:
        try:
            jvm.start()
            produce(broker, topic, 0, 40, 4)
            wait_until(lambda: len(one.held()) == 2, what="shares\n" + one.text())
            wait_until(lambda: committed(broker, topic) == 40, what="40 committed\n" + one.text())
            produce(broker, topic, 40, 80, 4)
            wait_until(lambda: committed(broker, topic) == 80, what="80 committed\n" + one.text())
        finally:
            jvm.stop()
        produce(broker, topic, 80, 120, 4)
        wait_until(lambda: committed(broker, topic) == 120, what="all committed\n" + one.text())
    ours = [offset * 4 + partition for partition, found in one.puts().items() for offset in found]
    theirs = [int(line) for line in out.read_text(encoding="ascii").split()]
    assert sorted(ours + theirs) == list(range(120)) and len(theirs) >= 20 and len(ours) >= 60
