#!/usr/bin/env python3
"""Another configuration for a guardd that runs."""

import sys

from fake import *

CONFIG = """
[Guard]
KillBudget=60/1min
[Tenants held]
Match=held/*
TasksMax=500
Rules=held
[Rule held]
When=tasks.denied > 0
Until=tasks.current < 50% for 1s
Steps=freeze 1h, kill
[Rule quick]
When=tasks.denied > 0
Until=tasks.current < 50% for 1s
Steps=freeze 200ms, kill
"""


def freeze_by_rule(world, cgroup):
    cgroup.bomb()
    eventually("frozen by its rule", lambda: world.tenants()[cgroup.path]["state"] == "frozen")


@test
def broken():
    """guardctl reload of a broken file: file, line, what is right, exit status 1, and nothing changes"""
    world, first, second = started(CONFIG, "held/a", "held/b")
    with world:
        freeze_by_rule(world, first)
        world.configure(CONFIG.replace("TasksMax=500", "TasksMax=300\nTaskMax=100"))
        failed = world.ctl("reload", check_exit=EXIT_FAILED)
        check("guardd.conf:7:" in failed.stderr and "TasksMax" in failed.stderr, failed.stderr)
        same((first.frozen, first.limit, second.limit), (True, "500", "500"), "frozen, limits")
        newcomer = world.kernel.make("held/c")
        eventually("the old configuration is in force", lambda: newcomer.limit == "500")
        freeze_by_rule(world, second)


@test
def broken_by_hangup():
    """SIGHUP with a broken file: told with file and line, RELOADING=1 and READY=1, and nothing changes"""
    world, first, second = started(CONFIG, "held/a", "held/b")
    with world:
        world.configure(CONFIG.replace("Rules=held", "Rules=hold"))
        world.process.send_signal(signal.SIGHUP)
        world.wait_for("RELOADING=1")
        world.wait_for("READY=1")
        world.wait_log(r"guardd\.conf:7:.*hold")
        freeze_by_rule(world, first)


@test
def was_here_before():
    """a tenant that only the new classes match, and that is beyond its limit, is left as it is; one below gets it at once"""
    world, first, second = started(CONFIG, "held/a", "held/b")
    with world:
        many, few = world.kernel.make("other/many", tasks=900), world.kernel.make("other/few", tasks=9)
        world.configure(CONFIG.replace("Match=held/*", "Match=held/*\nMatch=other/*"))
        world.ctl("reload")
        same((many.limit, few.limit), ("max", "500"), "limits right after the reload")
        note = world.show(many.path)["limits"][0]["note"]
        check("900 tasks run already" in note, note)


@test
def notified():
    """SIGHUP: RELOADING=1 with the time, then READY=1, with the new configuration in force"""
    world, first, second = started(CONFIG, "held/a", "held/b")
    with world:
        world.configure(CONFIG.replace("TasksMax=500", "TasksMax=300"))
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        world.process.send_signal(signal.SIGHUP)
        world.wait_for("RELOADING=1")
        stamp = eventually("its time", lambda:
                           [l for l in world.notified if l.startswith("MONOTONIC_USEC=")])
        check(before <= int(stamp[0].split("=")[1]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000, stamp)
        world.wait_for("READY=1")
        same((first.limit, second.limit), ("300", "300"), "limits at READY=1")


@test
def limits():
    """limits go down, up, away and come back; what was found stays the original"""
    world, first, second = started(CONFIG, "held/a", "held/b")
    with world:
        for wanted in "300", "800", "max", "400":
            key = f"TasksMax={wanted}" if wanted != "max" else ""
            world.configure(CONFIG.replace("TasksMax=500", key))
            world.ctl("reload", check_exit=0)
            eventually(f"TasksMax {wanted}", lambda: (first.limit, second.limit) == (wanted, wanted))
            entries = [] if wanted == "max" else [2**64 - 1] * 2
            same([e["found"] for e in world.entries("limit")], entries, "found, in the ledger")


@test
def classes():
    """tenants fall in other classes, become tenants, and stop being some"""
    world, first, second = started(CONFIG, "held/a", "held/b")
    with world:
        other = world.kernel.make("other/a")
        world.configure(CONFIG.replace("[Tenants held]\nMatch=held/*", "[Tenants one]\nMatch=held/a\nMatch=other/*"))
        world.ctl("reload", check_exit=0)
        same([(t["name"], t.get("class")) for t in world.tenants().values()],
             [("held/a", "one"), ("held/b", None), ("other/a", "one")], "tenants and classes")
        eventually("limits", lambda: [c.limit for c in (first, second, other)] == ["500", "max", "500"])
        second.bomb()
        other.bomb()
        eventually("the new one is guarded", lambda: other.frozen)
        same(second.freeze_writes, [], "who is no tenant any more")


@test
def rule_taken_away():
    """the rule that holds a tenant is taken away: thawed"""
    world, first, second = started(CONFIG, "held/a", "held/b")
    with world:
        freeze_by_rule(world, first)
        world.ctl("freeze", "held/b", check_exit=0)
        world.configure(CONFIG.replace("Rules=held", "Rules=quick"))
        world.ctl("reload", check_exit=0)
        eventually("thawed", lambda: not first.frozen)
        same(([e["path"] for e in world.entries("hold")], second.frozen), (["held/b"], True), "what the operator holds stays")
        same(first.kills, 0, "kills")


@test
def rule_kept():
    """a rule that holds a tenant and stays: frozen through the reload, and it goes on by the new steps"""
    world, first, second = started(CONFIG, "held/a", "held/b")
    with world:
        freeze_by_rule(world, first)
        world.configure(CONFIG.replace("Rules=held", "Rules=quick held"))  # it has another place now
        world.ctl("reload", check_exit=0)
        same((first.freeze_writes, world.show("held/a")["frozenBy"]), ([True], ["held"]), "what was written, frozen by")
        same([(e["rule"], e["standing"]) for e in world.entries("hold")], [("held", True)], "holds")
        world.configure(CONFIG.replace("freeze 1h", "freeze 100ms"))
        world.ctl("reload", check_exit=0)
        eventually("killed by the new steps", lambda: first.kills)
        eventually("and thawed", lambda: not first.wanted_frozen and not world.entries("hold"))


@test
def observe():
    """Mode=observe: what is frozen is thawed, then everything is decided and recorded, and nothing is touched"""
    world, first, second = started(CONFIG, "held/a", "held/b")
    with world:
        freeze_by_rule(world, first)
        world.configure(CONFIG.replace("[Guard]", "[Guard]\nMode=observe"))
        world.ctl("reload", check_exit=0)
        eventually("thawed", lambda: not first.frozen and not world.entries("hold"))
        same(world.status()["mode"], "observe", "mode")
        newcomer = world.kernel.make("held/c")
        eventually("a tenant", lambda: "held/c" in world.tenants())
        watch = world.watch()
        for cgroup in second, newcomer:
            cgroup.set_tasks(500)
            cgroup.refuse_forks(3)
            watch.wait("outcome", "freeze", cgroup.path, "observed")
        text = world.ctl("kill", "held/b", check_exit=0).stdout
        check("would have been killed" in text, text)
        same((second.freeze_writes, second.kills, newcomer.freeze_writes, newcomer.limit), ([], 0, [], "max"), "what was done")
        same({t["state"] for t in world.tenants().values()} & {"frozen", "freezing", "killing"}, set(), "states")
        check(world.log().count("held/c: freeze") < 3, "one refused fork is no line each")
        world.configure(CONFIG)
        world.ctl("reload", check_exit=0)
        eventually("the limit comes with enforcing", lambda: newcomer.limit == "500")
        newcomer.set_tasks(5)
        eventually("peace", lambda: world.tenants()["held/c"]["state"] == "ok")
        second.set_tasks(5)
        newcomer.bomb()
        eventually("and it acts again", lambda: newcomer.freeze_writes or newcomer.kills)


@test
def observed_story():
    """Mode=observe from the start: the whole story is told, kill included, and no file is written"""
    with World(CONFIG.replace("[Guard]", "[Guard]\nMode=observe").replace("Rules=held", "Rules=quick")) as world:
        cgroup = world.kernel.make("held/a", limit=100)
        world.start()
        watch = world.watch()
        cgroup.bomb()
        watch.wait("outcome", "freeze", "held/a", "observed")
        watch.wait("outcome", "kill", "held/a", "observed")
        same((cgroup.freeze_writes, cgroup.kills, cgroup.limit, world.entries()), ([], 0, "100", []), "what was done")


@test
def reloads_in_a_row():
    """a hundred reloads under a bomb: it stays frozen"""
    world, first, second = started(CONFIG, "held/a", "held/b")
    with world:
        freeze_by_rule(world, first)
        link = world.link()
        for n in range(100):
            world.configure(CONFIG.replace("TasksMax=500", f"TasksMax={500 + n}"))
            link.call("Reload")
            first.refuse_forks()
        same((first.freeze_writes, first.frozen, second.limit), ([True], True, "599"), "frozen, limit")
        same(len(world.entries("hold")), 1, "holds")


if __name__ == "__main__":
    run()
