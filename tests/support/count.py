"""Prints `passed failed skipped` summed over the closing lines of ctest, pytest and our runners in a log."""
import re
import sys

text = open(sys.argv[1], encoding="utf-8", errors="replace").read()
passed = failed = skipped = 0
for match in re.finditer(r"(\d+)% tests passed, (\d+) tests failed out of (\d+)", text):
    failed += int(match[2])
    passed += int(match[3]) - int(match[2])
skips = len(re.findall(r"\*\*\*Skipped", text))
skipped += skips
passed -= skips
for line in text.splitlines():
    if re.match(r"(?:\w+: )?\d+ passed, \d+ failed", line):  # our runners
        numbers = re.findall(r"(\d+) (passed|failed|skipped)", line)
    elif re.search(r"\d+ (passed|failed|skipped|error)[^/]* in [\d.]+s", line):  # pytest
        numbers = re.findall(r"(\d+) (passed|failed|skipped|errors?)", line)
    else:
        continue
    for number, what in numbers:
        if what == "passed":
            passed += int(number)
        elif what == "skipped":
            skipped += int(number)
        else:
            failed += int(number)
print(passed, failed, skipped)
