"""`sluice schedule` against croniter where the two have one rule, and by table where a clock changes."""
import datetime
import json
import os
import random
import subprocess
import sys
import zoneinfo

import pytest

from fetched import CACHE, Missing, fetched
from harness import SLUICE

ZONES = ["UTC", "America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia",
         "America/Sao_Paulo", "Asia/Tehran"]


def sluice(expression, zone, after, count):
    done = subprocess.run([SLUICE, "schedule", expression, "--timezone", zone, "--from", str(after), "--count",
                           str(count), "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["ms"] for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def croniter():
    try:
        import croniter
        return croniter.croniter
    except ImportError:
        try:
            sys.path.insert(0, fetched(os.path.join(CACHE, "croniter"), sys.executable, "-m", "pip", "install", "-q",
                                       "--target", ".", "croniter"))
        except Missing as missing:
            pytest.skip(str(missing))
        import croniter
        return croniter.croniter


def changes_near(zone, ms):
    """Whether the zone's clock changes within a day of this instant: there the two rules differ."""
    at = datetime.datetime.fromtimestamp(ms / 1000, zone)
    return len({(at + datetime.timedelta(days=d)).utcoffset() for d in (-1, 0, 1)}) > 1


def random_field(rng, low, high):
    form = rng.randrange(5)
    if form == 0:
        return "*"
    if form == 1:
        return f"*/{rng.randrange(1, high)}"
    a, b = sorted((rng.randint(low, high), rng.randint(low, high)))
    # `3-3` is every hour to croniter.
    return str(a) if form == 2 or a == b else f"{a}-{b}" if form == 3 else f"{a},{b}"


def test_as_croniter_over_zones(croniter):
    rng = random.Random(8)
    compared = 0
    for number in range(160):
        fields = [random_field(rng, 0, 59), random_field(rng, 0, 23), random_field(rng, 1, 28),
                  random_field(rng, 1, 12), random_field(rng, 0, 6)]
        # `*/2` in one day field and a number in the other: croniter takes either, cron both.
        if fields[2].startswith("*/") or fields[4].startswith("*/"):
            fields[2 if number % 2 else 4] = "*"
        expression, name = " ".join(fields), ZONES[number % len(ZONES)]
        zone = zoneinfo.ZoneInfo(name)
        after = rng.randrange(1577836800, 1893456000) // 60 * 60
        mine = sluice(expression, name, after * 1000, 10)
        base = datetime.datetime.fromtimestamp(after, zone)
        walk = croniter(expression, base)
        for ms in mine:
            theirs = int(walk.get_next(datetime.datetime).timestamp() * 1000)
            if changes_near(zone, ms) or changes_near(zone, theirs):
                break  # from here on they may have gone different ways
            assert ms == theirs, f"{expression} {name} after {after}: {ms} and {theirs}"
            compared += 1
    assert compared > 500


@pytest.mark.parametrize("expression, after, expected", [
    # New York, 10 March 2024: 02:00 does not come; 3 November: 01:00 comes twice. Debian's cron.
    ("30 2 * * *", "2024-03-09T12:00Z", ["2024-03-10T07:00Z", "2024-03-11T06:30Z"]),
    ("*/30 * * * *", "2024-03-10T06:00Z", ["2024-03-10T06:30Z", "2024-03-10T07:00Z"]),
    ("0 */2 * * *", "2024-03-10T04:00Z", ["2024-03-10T05:00Z", "2024-03-10T08:00Z"]),
    ("30 1 * * *", "2024-11-03T00:00Z", ["2024-11-03T05:30Z", "2024-11-04T06:30Z"]),
    ("0 * * * *", "2024-11-03T04:00Z", ["2024-11-03T05:00Z", "2024-11-03T06:00Z", "2024-11-03T07:00Z"]),
    ("0 1,2 * * *", "2024-11-03T04:00Z", ["2024-11-03T05:00Z", "2024-11-03T07:00Z"]),
])
def test_when_a_clock_changes(expression, after, expected):
    def ms(text):
        return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)
    assert sluice(expression, "America/New_York", ms(after), len(expected)) == [ms(text) for text in expected]


@pytest.mark.parametrize("arguments, word", [
    (["* * * *"], "five are needed"), (["0 0 30 2 *"], "never due"), (["* * * * *", "--timezone", "No/Where"], "No/Where"),
    ([], "no expression"), (["* * * * *", "--count", "0"], "--count"), (["*", "*"], "in quotes")])
def test_rubbish_is_refused(arguments, word):
    done = subprocess.run([SLUICE, "schedule", *arguments], capture_output=True, text=True)
    assert done.returncode == 2 and word in done.stderr, done.stderr
