#!/usr/bin/env python3
"""Every call of guardd that can fail fails once, with each number that its manual page has for it.

A story is told on the made-up cgroup tree of the daemon's tests: a start, a tenant that appears, a fork bomb, an operator, a
reload, a crash, a stop. First it is told once to see by which sites guardd comes: a call of a function of functions.def, and
where it stands in guardd's own code. Then it is told again for each site and each number, and inject.c lets that call fail the
first time. What may come of it:

  done      the chapter in which it failed ended as always: it was tried again, or was of no matter here
  reported  what was asked for did not come, guardd said so, and the same chapter told once more ends as always
  refused   at a start: guardd ends with a line that says why, and the next start guards

Whatever else comes is a failure: an end, a wait without a word, a chapter after it that goes otherwise, a ledger, limit or freeze
that is left at the end, a descriptor that is.

GUARDD_FAULTS=SECONDS    stop beginning new ones after that time (default 60); they are taken in an order that is shuffled by a
                         fixed seed, so that a sample has something of everything
GUARDD_FAULTS=all        the whole table
GUARDD_FAULTS_ONLY=TEXT  only those whose description has it: "open64", "ledger.c", "ENOMEM"
"""

import collections
import errno
import multiprocessing
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "daemon"))
from fake import *  # noqa: E402

LIBRARY = os.environ["GUARDD_FAULTS_LIBRARY"]
PATIENCE = 15  # seconds for what takes some tenths of one, while a fault is about
STORY_DEADLINE = 240
Site = collections.namedtuple("Site", "function offset place")
Case = collections.namedtuple("Case", "site error")


def config(tasks):
    return policy(jobs_class("100ms"), held_class()).replace("TasksMax=100", f"TasksMax={tasks}")


class FaultWorld(World):
    """Its guardd has inject.c; a watch of its own would be one more thing to fail."""

    def __init__(self, variables):
        super().__init__(config(100))
        number = int(variables.get("GUARDD_FAULT", "0").split()[-1])
        self.words = rf"cannot|could not|failed|no ledger|hung up on|\"error\"|{os.strerror(number)}"  # of a report
        self.mark = os.path.join(self.dir, "mark")
        self.variables = {**os.environ, **variables, "LD_PRELOAD": LIBRARY, "GUARDD_FAULT_MARK": self.mark,
                          "NOTIFY_SOCKET": os.path.join(self.dir, "notify")}
        open(self.log_path, "w").close()
        self.replies = ""  # errors that were answered
        self.said_before = 0

    def launch(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), env=self.variables, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)

    def start(self):
        self.drain()
        self.launch()
        self.wait_until("READY=1", lambda: "READY=1" in self.notified)

    def has_failed(self):
        return os.path.exists(self.mark)

    def wait_until(self, what, condition):
        """As eventually(), and ends when guardd does."""
        def met():
            check(self.process.poll() is None, f"guardd ended with {self.process.returncode} before: {what}")
            return condition()
        eventually(what, met, PATIENCE if self.has_failed() else DEADLINE)

    def answer(self, method, parameters, more=False):
        """The first one; None when there is none."""
        try:
            link = self.link()
            link.socket.settimeout(PATIENCE)
            try:
                link.send(method, parameters, **({"more": True} if more else {}))
                return link.receive()
            finally:
                link.close()
        except OSError:
            return None

    def ask(self, method, more=False, **parameters):
        """An answer that is an error is one, too."""
        reply = self.answer(method, parameters, more)
        if reply is None:
            self.replies += "hung up on; "
        elif "error" in reply:
            self.replies += json.dumps(reply) + "; "
        check(reply and "error" not in reply, f"{method}: {reply}")
        return reply.get("parameters", {})

    def standing(self):
        """What is in force. Of a kill is told as long as the rule remembers."""
        return self.entries("hold") + self.entries("limit")

    def says(self, pattern):
        """Within a moment: another thread writes what is said."""
        try:
            return eventually(pattern, lambda: re.search(pattern, self.log()[self.said_before:]), 0.5)
        except AssertionError:
            return False

    def said(self):
        """What was said since the last time."""
        text = self.log()[self.said_before:] + self.replies
        self.said_before, self.replies = len(self.log()), ""
        return text


# --- the chapters: each takes the world and a number, for names of its own, and can be told again -----------------------------


def limits_are(world, value, *cgroups):
    world.wait_until("the limits", lambda: all(c.limit == str(value) for c in cgroups))


def is_guarded(world, path):
    world.wait_until(f"{path} is known", lambda: path in {t["name"] for t in world.ask("ListTenants")["tenants"]})


def begin(world, number):
    if not world.process or world.process.poll() is not None:
        world.start()
    limits_are(world, 100, *world.kernel.leaves())


def appear(world, number):
    cgroup = world.kernel.make(f"jobs/new{number}")
    limits_are(world, 100, cgroup)
    is_guarded(world, cgroup.path)


def bomb(world, number):
    """Frozen, killed, thawed; and nobody is held any more."""
    cgroup = world.kernel.make(f"jobs/bomb{number}")
    is_guarded(world, cgroup.path)
    limits_are(world, 100, cgroup)
    cgroup.bomb()
    world.wait_until("the bomb is frozen", lambda: True in cgroup.freeze_writes)
    world.wait_until("the bomb is killed", lambda: cgroup.kills)
    world.wait_until("the dead are thawed", lambda: not cgroup.wanted_frozen and not world.entries("hold", cgroup.path))


def operate(world, number):
    cgroup = world.kernel.cgroups["held/x"]
    name = {"tenant": "held/x"}
    world.ask("Freeze", **name)
    world.wait_until("frozen by hand", lambda: cgroup.frozen)
    world.ask("Thaw", **name)
    world.wait_until("thawed by hand", lambda: not cgroup.frozen)
    world.ask("SetLimits", **name, limits=[{"name": "TasksMax", "value": "300"}])
    limits_are(world, 300, cgroup)
    world.ask("ResetLimits", **name, names=["TasksMax"])
    limits_are(world, 100, cgroup)


def look(world, number):
    world.ask("GetStatus")
    check(world.ask("ShowTenant", tenant="held/x")["details"]["limits"], "its limits are shown")
    world.ask("Watch", more=True)


def reload(world, number):
    for tasks in 200, 100:
        world.configure(config(tasks))
        world.ask("Reload")
        limits_are(world, tasks, world.kernel.cgroups["held/x"])


def hold(world):
    cgroup = world.kernel.cgroups["held/x"]
    if not cgroup.frozen:
        world.ask("Freeze", tenant="held/x")
    world.wait_until("held", lambda: cgroup.frozen)
    return cgroup


def end(world):
    world.process.send_signal(signal.SIGTERM)
    same(eventually("the end", lambda: world.process.poll() is not None, PATIENCE * 2) and world.process.returncode, 0,
         "exit status at a stop")


def restart(world, number):
    """A stop thaws what is frozen, and the next start has all limits again."""
    if world.process.poll() is None:
        cgroup = hold(world)
        end(world)
        eventually("a stop thaws", lambda: not cgroup.frozen, PATIENCE)
    begin(world, number)


def crash(world, number):
    """The next start takes up what is frozen."""
    cgroup = world.kernel.cgroups["held/x"]
    if world.process.poll() is None:
        hold(world)
        world.process.kill()
        world.process.wait()
    begin(world, number)
    if cgroup.frozen:
        world.ask("Thaw", tenant="held/x")
    world.wait_until("thawed by hand", lambda: not cgroup.frozen)


def release(world, number):
    if number > 1:
        reload(world, number)  # what was released is taken up again
    world.ask("ReleaseAll")
    limits_are(world, "max", *world.kernel.leaves())
    world.wait_until("an empty ledger", lambda: not world.standing())


CHAPTERS = [begin, appear, bomb, operate, look, reload, restart, crash, bomb, release]
STARTS = (begin, restart, crash)


def tell(world, chapter, number):
    """One chapter. When the fault came in it, what came of that; None when it did not."""
    before = world.has_failed()
    world.said()
    try:
        chapter(world, number)
        if before or not world.has_failed():
            return None
        # What a start says that it does without, the next one has.
        if chapter in STARTS and world.says(world.words):
            start_anew(world, chapter, number)
            return "reported"
        return "done"
    except AssertionError as problem:
        if before or not world.has_failed():
            raise
        text, ended = world.said(), world.process.poll()
        check(re.search(world.words, text), f"not a word: {problem}; it said: {text}")
        check(ended is None or (chapter in STARTS and ended > 0), f"ended with {ended}: {problem}; it said: {text}")
        start_anew(world, chapter, number)
        return "reported" if ended is None else "refused"


def start_anew(world, chapter, number):
    if chapter in STARTS and world.process.poll() is None:
        world.process.kill()
        world.process.wait()
    chapter(world, number + 100)


def descriptors(world):
    return len(os.listdir(f"/proc/{world.process.pid}/fd"))


def story(variables):
    """Tells it all, and returns what came of the fault: None when it never came."""
    came = None
    with FaultWorld(variables) as world:
        world.kernel.leaves = lambda: [c for path, c in world.kernel.cgroups.items() if "/" in path]
        world.kernel.make("jobs/a")
        world.kernel.make("held/x")
        for number, chapter in enumerate(CHAPTERS, 1):
            open_before = world.process and world.process.poll() is None and descriptors(world)
            came = tell(world, chapter, number) or came
            if chapter in (look, operate, reload) and open_before:
                world.wait_until("no descriptor is left open", lambda: descriptors(world) <= open_before)
        end(world)
        same([c.path for c in world.kernel.leaves() if c.wanted_frozen], [], "who is left frozen")
        same(world.standing(), [], "what is left in the ledger")
        check("Assertion" not in world.log(), "an assertion failed")
    return came


# --- all of them ----------------------------------------------------------------------------------------------------------------


def functions():
    text = (HERE / "functions.def").read_text()
    return {name: numbers.split() for name, numbers in re.findall(r'(?m)^FAULT\((\w+), \w+,\s*"([^"]*)"', text)}


def sites():
    """By which guardd comes in the story, with their places in the source."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "sites")
        check(story({"GUARDD_FAULT_SITES": path}) is None, "no fault")
        with open(path) as file:
            found = sorted({tuple(line.split()) for line in file})
    shown = subprocess.run(["addr2line", "-s", "-f", "-e", GUARDD],
                           input="".join(f"{int(offset, 16) - 1:#x}\n" for _, offset in found), capture_output=True, text=True,
                           check=True).stdout.split("\n")
    return [Site(name, offset, f"{shown[2 * i + 1].split(' ')[0]} {shown[2 * i]}()") for i, (name, offset) in enumerate(found)]


def describe(case):
    return f"{case.site.function} in {case.site.place}: {case.error}"


def hung(*_):
    raise AssertionError(f"not at an end after {STORY_DEADLINE} s")


def outcome(task):
    """Of one case, in a process of its own: (case, what came of it, what was said). None when it is too late to begin."""
    case, until = task
    if time.monotonic() > until:
        return None
    number = getattr(errno, case.error)
    sys.stdout = open(os.devnull, "w")
    signal.signal(signal.SIGALRM, hung)
    signal.alarm(STORY_DEADLINE)
    try:
        return case, story({"GUARDD_FAULT": f"{case.site.function} {case.site.offset} {number}"}) or "not come by", ""
    except BaseException as problem:
        return case, "failed", f"{type(problem).__name__}: {problem}"
    finally:
        signal.alarm(0)


def chosen(all_sites):
    table = functions()
    cases = [Case(site, error) for site in all_sites for error in table[site.function]]
    only = os.environ.get("GUARDD_FAULTS_ONLY", "")
    cases = [case for case in cases if only in describe(case)]
    random.Random(7).shuffle(cases)
    return cases


def show(all_sites, results, n_cases):
    ways = ["done", "reported", "refused", "not come by", "failed"]
    rows = collections.defaultdict(collections.Counter)
    for case, what, _ in results:
        rows[case.site.function][what] += 1
    count = collections.Counter(site.function for site in all_sites)
    print(f"# {'function':38} {'sites':>6} {'tried':>6} " + " ".join(f"{way:>11}" for way in ways))
    for name in sorted(rows):
        print(f"# {name:38} {count[name]:6} {sum(rows[name].values()):6} " + " ".join(f"{rows[name][way]:11}" for way in ways))
    total = sum(rows.values(), collections.Counter())
    print(f"# {'all':38} {len(all_sites):6} {len(results):6} " + " ".join(f"{total[way]:11}" for way in ways))
    print(f"# of {n_cases} faults (sites x numbers) {len(results)} were tried")


def main():
    if not os.path.exists(LIBRARY):
        print("1..1\nok 1 - faults # SKIP inject.c is written for x86-64")
        return 0
    os.umask(0o022)
    sys.stdout.reconfigure(line_buffering=True)
    wanted = os.environ.get("GUARDD_FAULTS", "60")
    all_sites = sites()
    cases = chosen(all_sites)
    results, until = [], time.monotonic() + float("inf" if wanted == "all" else wanted)
    print(f"# {len(all_sites)} sites of guardd's code are come by, {len(cases)} faults")
    with multiprocessing.Pool(3 * os.cpu_count()) as pool:
        for result in filter(None, pool.imap_unordered(outcome, [(case, until) for case in cases])):
            results.append(result)
            if result[1] == "failed":
                print(f"not ok - {describe(result[0])}\n" + diagnostics(result[2]), end="")
    show(all_sites, results, len(cases))
    failed = sum(what == "failed" for _, what, _ in results)
    if results and not failed:
        print(f"ok - {len(results)} faults, none of which did more than it had to")
    print(f"1..{max(failed, 1)}")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
