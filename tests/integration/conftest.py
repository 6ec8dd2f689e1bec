"""Where tests find their helpers, and the fixtures of real_kafka.py and sql_servers.py."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))

from instant import pytest_configure  # noqa: E402, F401 (a hook)
from real_kafka import broker, topic  # noqa: E402, F401 (fixtures)
from sql_servers import database, postgres, servers  # noqa: E402, F401 (fixtures)
