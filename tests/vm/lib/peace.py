"""Does guardd sleep? Every wake-up of a thread is a context switch, and the kernel counts them."""

import contextlib
import glob
import re

from ground import *

SYSTEMD = "org.freedesktop.systemd1"
SECONDS = 60
# Projects of containers that are gone are collected after half a minute, and for a minute after anybody looked guardd
# listens to what becomes of links.
UNTIL_QUIET = 180  # seconds


def switches(pid):
    """Context switches of each thread of a process, voluntary and involuntary. One may end meanwhile."""
    found = {}
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError), open(path) as file:
            numbers = re.findall(r"voluntary_ctxt_switches:\s*(\d+)", file.read())
            found[int(path.split("/")[4])] = tuple(map(int, numbers))
    return found


def watchdog_seconds():
    """Of the unit, in force; guardd pings at least twice as often."""
    unit = "/org/freedesktop/systemd1/unit/guardd_2eservice"
    text = output("busctl", "get-property", SYSTEMD, unit, f"{SYSTEMD}.Service", "WatchdogUSec")
    return int(text.split()[1]) / 1e6


def most_pings(seconds):
    """How often the watchdog explains that the main thread woke up."""
    watchdog = watchdog_seconds()
    return int(seconds / (watchdog / 2)) + 1 if watchdog else 0


def without_need(before, after, pid, pings):
    """The threads that woke up, but for so many pings of the main one."""
    return {thread for thread in after for new, old in zip(after[thread], before[thread])
            if new - old > (pings if thread == pid else 0)}


def check_peace(pid, seconds=SECONDS):
    """When whatever went before has its end, no thread of guardd wakes up for so long, but for the watchdog's ping."""
    pings, last = most_pings(seconds), [switches(pid), now()]

    def quiet():
        found = switches(pid)
        if found.keys() != last[0].keys() or without_need(last[0], found, pid, pings):
            last[:] = found, now()
        return now() - last[1] >= seconds

    wait_for(quiet, f"{seconds} s in which no thread of guardd wakes up", UNTIL_QUIET + seconds, step=0.5)
    note(f"the watchdog explains at most {pings} wake-ups of the main thread")
    after = switches(pid)
    for thread in after:
        grown = [new - old for new, old in zip(after[thread], last[0][thread])]
        note(f"thread {thread}: {grown[0]} voluntary and {grown[1]} involuntary context switches in {seconds} s")
