#!/usr/bin/env python3
"""What happens to a tenant whose forks are refused: frozen, killed or let go, and each outcome verified."""

import json
import signal
import sys
import threading

from fake import *

CONFIG = policy(
    tenant_class("patient", "warn 500ms, freeze", when="tasks.current > 80% for 1s", until="tasks.current < 60% for 1s"),
    tenant_class("graceful", "freeze 500ms, kill 1s"),
    held_class(),
    jobs_class("500ms"))


def order(watch, tenant):
    return [(e["kind"], e["decision"]["verb"], e.get("outcome", {}).get("result")) for e in watch.events
            if e.get("tenant") == tenant and e["kind"] in ("decision", "outcome")]


@test
def frozen_then_killed():
    """a bomb: frozen with the ledger's entry before it, killed after the step, thawed afterwards"""
    world, job, neighbour = started(CONFIG, "jobs/a", "jobs/b")
    with world:
        seen = []
        job.on_freeze = lambda c: seen.append(("freeze", [e["standing"] for e in world.entries("hold", c.path)]))
        job.on_kill = lambda c: seen.append(("kill", len(world.entries("kill", c.path))))
        watch = world.watch()
        job.bomb()
        watch.wait("outcome", "kill", "jobs/a", "done")
        watch.wait("outcome", "thaw", "jobs/a", "done")
        same(seen, [("freeze", [True]), ("kill", 1)], "what was in the ledger when the kernel was told")
        same(order(watch, "jobs/a"),
             [("decision", "freeze", None), ("outcome", "freeze", "done"), ("decision", "kill", None),
              ("outcome", "kill", "done"), ("decision", "thaw", None), ("outcome", "thaw", "done")], "the story")
        check("tasks.denied 1" in watch.find("decision", "freeze")[0]["decision"]["reason"], "the reading is given")
        same((job.frozen, job.populated, job.kills), (False, False, 1), "frozen, populated, kills at the end")
        eventually("no hold is left", lambda: not world.entries("hold"))
        same((neighbour.freeze_writes, neighbour.kills), ([], 0), "what was done to the neighbour")
        text = world.ctl("show", "jobs/a", check_exit=0).stdout
        check("frozen after" in text and "killed after" in text, "guardctl show tells the story: " + text)


@test
def watched():
    """guardctl watch and watch --json print decisions and outcomes as they happen, until it is interrupted"""
    world, job = started(CONFIG, "jobs/a")
    with world:
        lines = {"--json": [], "--socket=" + world.socket: []}
        watchers = []
        for option, into in lines.items():
            watcher = world.child(GUARDCTL, f"--socket={world.socket}", "watch", option, stdout=subprocess.PIPE, text=True)
            threading.Thread(target=lambda f=watcher.stdout, i=into: i.extend(f), daemon=True).start()
            watchers.append(watcher)

        def both_hear():
            world.ctl("reload", check_exit=0)
            return all(lines.values())
        eventually("both watch", both_hear)
        job.bomb()
        text = lines["--socket=" + world.socket]
        eventually("people read of it", lambda: any("jobs/a" in l and "killed after" in l for l in text))
        is_kill = lambda e: e["kind"] == "outcome" and e["decision"]["verb"] == "kill" and e["outcome"]["result"] == "done"
        eventually("programs read of it", lambda: any(map(is_kill, map(json.loads, list(lines["--json"])))))
        for watcher in watchers:
            watcher.send_signal(signal.SIGINT)
            same(watcher.wait(DEADLINE), 0, "exit status of an interrupted watch")


@test
def relieved():
    """relief while frozen: thawed and not killed"""
    world, job = started(CONFIG, "held/a")
    with world:
        watch = world.watch()
        job.bomb()
        watch.wait("outcome", "freeze", "held/a", "done")
        same(world.tenants()["held/a"]["state"], "frozen", "state")
        same(world.show("held/a")["frozenBy"], ["held"], "frozen by")
        job.set_tasks(10)
        watch.wait("outcome", "thaw", "held/a", "done", cause="relief")
        same((job.frozen, job.kills, world.entries("hold")), (False, 0, []), "frozen, kills, holds")
        eventually("peace", lambda: world.tenants()["held/a"]["state"] == "ok")


@test
def relieved_before_the_kill():
    """measured again right before the kill: who is back below Until is not killed"""
    world, job = started(CONFIG.replace("50% for 1s", "50% for 2s"), "jobs/a")
    with world:
        watch = world.watch()
        job.on_freeze = lambda c: c.set_tasks(10)
        job.bomb()
        watch.wait("outcome", "thaw", "jobs/a", "done", cause="relief")
        same((job.kills, watch.find("decision", "kill")), (0, []), "kills")


@test
def never_frozen():
    """a freeze that the kernel never confirms is rolled back and failed, and the kill follows"""
    world, job = started(CONFIG, "jobs/a")
    with world:
        job.freezes = False
        watch = world.watch()
        job.bomb()
        failed = watch.wait("outcome", "freeze", "jobs/a", "failed")
        check("rolled back" in failed["sentence"], failed["sentence"])
        same(failed["outcome"]["error"], 110, "errno")
        watch.wait("outcome", "kill", "jobs/a", "done")
        eventually("written and taken back", lambda: job.freeze_writes == [True, False])
        same((job.frozen, job.kills, world.entries("hold")), (False, 1, []), "frozen, kills, holds")


@test
def slowly_frozen():
    """a freeze that takes its time is awaited, and no step goes by meanwhile"""
    world, job = started(CONFIG, "jobs/a")
    with world:
        job.freeze_delay = 2
        watch = world.watch()
        job.bomb()
        watch.wait("decision", "freeze", "jobs/a")
        same(world.tenants()["jobs/a"]["state"], "freezing", "state")
        watch.wait("outcome", "kill", "jobs/a", "done")
        same([o["outcome"]["result"] for o in watch.find("outcome", "freeze")], ["done"], "the freeze")


@test
def never_dead():
    """a kill that empties nothing is failed, not done"""
    world, job = started(CONFIG, "jobs/a")
    with world:
        job.dies = False
        watch = world.watch()
        job.bomb()
        failed = watch.wait("outcome", "kill", "jobs/a", "failed", deadline=2 * DEADLINE)
        check("did not confirm" in failed["sentence"], failed["sentence"])
        same(watch.find("outcome", "kill", result="done"), [], "kills that are called done")
        check(job.frozen, "it stays frozen")
        job.dies = True
        watch.wait("outcome", "kill", "jobs/a", "done")  # tried again
        eventually("thawed", lambda: not job.frozen)


CHILD = """
import signal, sys, time
def term(number, frame):
    print("TERM", flush=True)
    if sys.argv[1] == "heeds":
        sys.exit(0)
signal.signal(signal.SIGTERM, term)
print("ready", flush=True)
while True:
    time.sleep(60)
"""


@test
def grace():
    """kill 1s: SIGTERM to every process, also below, a thaw, and the kill for those who do not heed it"""
    world, job = started(CONFIG, "graceful/a")
    with world:
        below = world.kernel.make("graceful/a/payload")
        start = lambda how: world.child(sys.executable, "-c", CHILD, how, stdout=subprocess.PIPE, text=True)
        heeding, deaf, inner = start("heeds"), start("deaf"), start("deaf")
        for child in heeding, deaf, inner:
            same(child.stdout.readline(), "ready\n", "the child")
        bystander = start("heeds")
        same(bystander.stdout.readline(), "ready\n", "the bystander")
        job.set_procs([heeding.pid, deaf.pid])
        below.set_procs([inner.pid])
        watch = world.watch()
        # when the thaw is written, the signal was sent: who thaws with it pending does not get to fork
        termed = []
        job.on_thaw = lambda c: termed.append(len(world.entries("terminate", "graceful/a")))
        job.bomb()
        watch.wait("outcome", "terminate", "graceful/a", "done")
        for child in heeding, deaf, inner:
            same(child.stdout.readline(), "TERM\n", "what the child got")
        same(heeding.wait(DEADLINE), 0, "exit status of the one who heeds it")
        watch.wait("outcome", "kill", "graceful/a", "done")
        same((deaf.wait(DEADLINE), inner.wait(DEADLINE)), (-signal.SIGKILL,) * 2, "exit status of those who do not")
        same(bystander.poll(), None, "the bystander")
        same(order(watch, "graceful/a")[:6],
             [("decision", "freeze", None), ("outcome", "freeze", "done"), ("decision", "terminate", None),
              ("outcome", "terminate", "done"), ("decision", "kill", None), ("outcome", "kill", "done")], "the story")
        same(termed, [1], "entries of the grace in the ledger at the thaw")
        same((job.frozen, world.entries("hold")), (False, []), "frozen, holds")


@test
def grace_heeded():
    """who ends within the grace is not killed"""
    world, job = started(CONFIG.replace("kill 1s", "kill 30s"), "graceful/a")
    with world:
        child = world.child(sys.executable, "-c", CHILD, "heeds", stdout=subprocess.PIPE, text=True)
        same(child.stdout.readline(), "ready\n", "the child")
        job.set_procs([child.pid])
        watch = world.watch()
        job.bomb()
        same(child.wait(DEADLINE), 0, "exit status of the child")
        job.set_tasks(0)
        eventually("peace", lambda: world.tenants()["graceful/a"]["state"] == "ok")
        same(job.kills, 0, "kills")


@test
def polled_rule():
    """a rule on tasks.current: warned, frozen, and thawed when it goes back"""
    world, job = started(CONFIG, "patient/a")
    with world:
        watch = world.watch()
        job.set_tasks(90)
        watch.wait("decision", "warn", "patient/a")
        watch.wait("outcome", "freeze", "patient/a", "done")
        job.set_tasks(20)
        watch.wait("outcome", "thaw", "patient/a", "done")


@test
def left_in_peace():
    """from 10 to 90 of 100 tasks and back: not touched"""
    world, job, after = started(CONFIG, "jobs/a", "jobs/b")
    with world:
        for n in [*range(10, 91, 5), *range(90, 9, -5)]:
            job.set_tasks(n)
            job.write("pids.events", "max 0\n")  # announces that nothing happened
        after.bomb()
        eventually("the next one is dealt with", lambda: after.frozen)
        same((job.freeze_writes, job.kills), ([], 0), "what was done")


@test
def by_hand():
    """freeze, thaw and kill by hand, beside a rule that holds the same tenant"""
    world, job = started(CONFIG, "held/a")
    with world:
        watch = world.watch()
        world.ctl("freeze", "held/a", check_exit=0)
        same([(e["rule"], e["standing"]) for e in world.entries("hold")], [("", True)], "holds")
        job.bomb()
        watch.wait("outcome", "freeze", "held/a", "done", cause="rule")
        same(sorted(world.show("held/a")["frozenBy"]), ["held", "operator"], "frozen by")
        same(len(world.entries("hold")), 2, "holds in the ledger")
        job.set_tasks(10)
        watch.wait("outcome", "thaw", "held/a", cause="relief")
        check(job.frozen, "the operator's hold is left")
        same(len(world.entries("hold")), 1, "holds in the ledger")
        world.ctl("thaw", "held/a", check_exit=0)
        same((job.frozen, world.entries("hold")), (False, []), "frozen, holds")
        world.ctl("freeze", "held/a", check_exit=0)
        world.ctl("kill", "held/a", check_exit=0)
        eventually("nothing is left", lambda: not job.populated)
        eventually("and nothing is held", lambda: not job.frozen and not world.entries("hold"))


@test
def killed_by_hand():
    """a tenant that a rule has frozen and an operator kills is thawed, for whoever uses the cgroup next"""
    world, job = started(CONFIG, "held/a")
    with world:
        watch = world.watch()
        job.bomb()
        watch.wait("outcome", "freeze", "held/a", "done")
        world.ctl("kill", "held/a", check_exit=0)
        eventually("thawed", lambda: not job.frozen and not world.entries("hold"))
        eventually("peace", lambda: world.tenants()["held/a"]["state"] == "ok")


@test
def by_hand_failing():
    """a freeze by hand that is never confirmed: guardctl fails with the reason, and it is taken back"""
    world, job = started(CONFIG, "held/a")
    with world:
        job.freezes = False
        failed = world.ctl("freeze", "held/a", check_exit=EXIT_FAILED)
        check("rolled back" in failed.stderr, failed.stderr)
        same((job.wanted_frozen, world.entries("hold")), (False, []), "cgroup.freeze, holds")


@test
def overtaken():
    """a thaw by hand while a freeze is on its way, and a kill while a freeze is on its way"""
    world, first, second = started(CONFIG, "held/a", "held/b")
    with world:
        first.freezes = second.freezes = False
        watch = world.watch()
        for job in first, second:
            job.bomb()
            watch.wait("decision", "freeze", job.path)
        world.ctl("thaw", "held/a", check_exit=0)
        watch.wait("outcome", "freeze", "held/a", "superseded")
        eventually("taken back", lambda: not first.wanted_frozen)
        world.ctl("kill", "held/b", check_exit=0)
        watch.wait("outcome", "freeze", "held/b", "superseded")
        same((second.kills, second.populated), (1, False), "kills, populated")
        eventually("nothing is kept frozen", lambda: not second.wanted_frozen and not world.entries("hold"))


@test
def somebody_elses():
    """what somebody else has frozen (docker pause) is not thawed, not by hand and not by a stop"""
    world, job = started(CONFIG, "held/a")
    with world:
        job.freeze_by_somebody_else()
        check("somebody else" in world.ctl("thaw", "held/a", check_exit=0).stdout, "it is said")
        world.stop()
        check(job.wanted_frozen, "still paused")


@test
def slice_by_what_is_in_it():
    """a slice is frozen by what is in it, what joins it is frozen too, and all of it is thawed"""
    world = World(CONFIG.replace("Match=held/*", "Match=*.slice"))
    with world:
        top = world.kernel.make("some.slice")
        inner = [world.kernel.make(f"some.slice/{name}.service") for name in "ab"]
        world.start()
        watch = world.watch()
        top.bomb()
        watch.wait("outcome", "freeze", "some.slice", "done")
        same(([c.frozen for c in inner], top.wanted_frozen), ([True, True], False), "frozen")
        world.ctl("thaw", "some.slice", check_exit=0)
        same([c.frozen for c in inner], [False, False], "frozen after the thaw")
        world.ctl("freeze", "some.slice", check_exit=0)
        inner[0].remove()
        world.stop()
        same([inner[1].frozen, read_ledger(world.ledger_path) and world.entries("hold")], [False, []], "after the stop")


if __name__ == "__main__":
    run()
