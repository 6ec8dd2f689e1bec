"""For a conftest.py: a failure is told when it happens, in the output and to whom SLUICE_TELL_FD says (test.sh), as a run
may be cut short."""
import os

import pytest

LINES = 60  # of a failure, where SLUICE_TELL_FD is; the log has all


class Instant:
    def __init__(self, reporter):
        self.reporter = reporter

    def pytest_runtest_logreport(self, report):
        if not report.failed:
            return
        text = report.longreprtext
        self.reporter.write_line(f"\nFAILED {report.nodeid} ({report.when})\n{text}")
        if "SLUICE_TELL_FD" in os.environ:
            message = getattr(getattr(report.longrepr, "reprcrash", None), "message", text)
            lines = [f"FAILED  {report.nodeid} ({report.when})", *message.splitlines()[:LINES]]
            os.write(int(os.environ["SLUICE_TELL_FD"]), ("\n        | ".join(lines) + "\n").encode())


@pytest.hookimpl(trylast=True)  # the terminal's own comes first
def pytest_configure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Instant(reporter), "instant")
