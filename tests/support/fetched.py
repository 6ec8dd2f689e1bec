"""What tests fetch from registries, once: jars, packages of npm and of Python."""
import fcntl
import os
import shutil
import subprocess
import time

from harness import PATIENCE

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sluice-tests")
AGAIN = 600  # seconds until what could not be had is tried again


class Missing(Exception):
    """It cannot be had here; the text says why and what to do."""


def fetched(folder, *command, files=None, patience=PATIENCE):
    """The folder that the command fills, run in it among these files ({name: text}) where it is not there yet.
    patience: seconds that it may take."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    made, why = folder + ".new", folder + ".missing"
    with open(folder + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(folder):
            return folder
        if not os.path.exists(why) or time.time() - os.path.getmtime(why) > AGAIN:
            shutil.rmtree(made, ignore_errors=True)
            os.makedirs(made)
            for name, text in (files or {}).items():
                with open(os.path.join(made, name), "w", encoding="utf-8") as file:
                    file.write(text)
            with open(why + ".new", "w", encoding="utf-8") as output:
                # timeout(1) also ends what the command has started, when a registry does not answer
                done = subprocess.run(["timeout", "--kill-after=5", str(patience), *command], cwd=made, check=False,
                                      stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
                output.write(f"\nexit status {done.returncode}" + " (not done in time)" * (done.returncode in (124, 137)))
            if done.returncode == 0:
                os.rename(made, folder)
                return folder
            os.rename(why + ".new", why)
        with open(why, encoding="utf-8", errors="replace") as text:
            lines = text.read().splitlines()
        first = next((line for line in lines if "error" in line.lower()), lines[0])
        raise Missing(f"{os.path.basename(folder)} cannot be fetched: {first[:300]} ({lines[-1]}; more is in {why})")


def minio():
    """The script that runs MinIO (minio.sh), which is installed by now: the minutes that this takes the first time are
    no test's, and those who need it at the same time wait for one of them."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "minio.sh")
    program = subprocess.run([script, "path"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    if not os.path.exists(program):
        fetched(program + "-installed", script, "install", patience=600)
    return script
