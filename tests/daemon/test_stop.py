#!/usr/bin/env python3
"""A clean stop, and release: what is given back, and what is left for the next start."""

import sys

from fake import *

CONFIG = policy(held_class())
INFINITY = 2**64 - 1


def frozen_world(*, limit="max"):
    """One tenant frozen by its rule, one by hand, one at peace, one that is none."""
    world, *made = started(CONFIG, "held/rule", "held/hand", "held/peace", "other", limit=limit)
    made[0].bomb()
    world.ctl("freeze", "held/hand", check_exit=0)
    eventually("frozen", lambda: world.status()["standing"] == 2)
    return world, *made


@test
def stop_thaws():
    """SIGTERM: what is frozen is thawed, the limits stay, and the ledger knows them"""
    world, rule, hand, peace, other = frozen_world(limit=900)
    with world:
        world.process.send_signal(signal.SIGTERM)
        world.wait_for("STOPPING=1")
        same(world.wait_for_exit(), 0, "exit status")
        same([c.frozen for c in (rule, hand)], [False, False], "frozen")
        same([c.limit for c in (rule, hand, peace)], ["100"] * 3, "limits")
        same(sorted((e["kind"], e["path"], e["found"], e["standing"]) for e in world.entries()),
             [("limit", f"held/{name}", 900, True) for name in ("hand", "peace", "rule")], "the ledger")
        same(other.freeze_writes, [], "what was done to who is no tenant")


@test
def next_start():
    """the next start takes the limits up: what was found is still the original, and release gives it back"""
    world, rule, hand, peace, other = frozen_world(limit=900)
    with world:
        for _ in range(3):
            world.restart()
            limit = world.show("held/peace")["limits"][0]
            same((limit["found"], limit["inForce"]), ({"value": 900}, {"value": 100}), "found, in force")
        world.ctl("release", "held/peace", check_exit=0)
        same((peace.limit, hand.limit), ("900", "100"), "limits")
        same([e["path"] for e in world.entries("limit", "held/peace")], [], "its entry")


@test
def stop_of_a_stubborn_one():
    """a stop while a freeze is on its way that never comes: taken back, and the stop comes to its end"""
    with World(CONFIG) as world:
        cgroup = world.kernel.make("held/a")
        cgroup.freezes = False
        world.start()
        cgroup.bomb()
        eventually("it is being frozen", lambda: cgroup.wanted_frozen)
        world.stop()
        same((cgroup.wanted_frozen, world.entries("hold")), (False, []), "cgroup.freeze, holds")


@test
def stop_by_interrupt():
    """^C is a clean stop too"""
    world, rule, hand, *_ = frozen_world()
    with world:
        world.stop(signal.SIGINT)
        same([c.frozen for c in (rule, hand)], [False, False], "frozen")


@test
def release_all():
    """release --all: everything of guardd is off, and nothing is touched until a reload"""
    world, rule, hand, peace, other = frozen_world()
    with world:
        check("3" in world.ctl("release", "--all", check_exit=0).stdout, "it says how many")
        same([(c.frozen, c.limit) for c in (rule, hand, peace)], [(False, "max")] * 3, "frozen, limit")
        same(world.entries("hold") + world.entries("limit"), [], "the ledger")
        same({t["state"] for t in world.tenants().values()}, {"released"}, "states")
        watch = world.watch()
        peace.set_tasks(100)
        peace.refuse_forks(5)
        newcomer = world.kernel.make("held/new")
        newcomer_limited = lambda: newcomer.limit == "100"
        eventually("a newcomer is guarded", newcomer_limited)
        newcomer.bomb()
        eventually("a newcomer is frozen", lambda: newcomer.frozen)
        same((peace.freeze_writes, peace.limit, watch.find("decision", tenant="held/peace")), ([], "max", []), "what was done")
        peace.set_tasks(20)
        world.ctl("reload", check_exit=0)
        eventually("limits again", lambda: {c.limit for c in (rule, hand, peace)} == {"100"})
        peace.bomb()
        eventually("guarded again", lambda: peace.frozen)


@test
def release_then_crash():
    """what was released is guarded again by the next start: the release is until a reload, and a start is one"""
    world, rule, hand, peace, other = frozen_world()
    with world:
        world.ctl("release", "held/rule", check_exit=0)
        same((rule.frozen, rule.limit, hand.frozen), (False, "max", True), "of the released one, of the other")
        world.crash()
        rule.set_tasks(5)
        world.start()
        same((rule.limit, hand.frozen), ("100", True), "limit of the released one, the other frozen")


@test
def release_refused():
    """a limit that cannot be given back: release fails, says so, and keeps the entry"""
    world, rule, hand, peace, other = frozen_world()
    with world:
        peace.write("pids.max", "broken")  # guardd's write of "max" reads back as garbage
        failed = world.ctl("release", "held/peace", check_exit=EXIT_FAILED)
        check("held/peace" in failed.stderr and "TasksMax" in failed.stderr, failed.stderr)
        same([e["found"] for e in world.entries("limit", "held/peace")], [INFINITY], "what the ledger gives back")
        peace.write("pids.max", "100")
        world.ctl("release", "held/peace", check_exit=0)
        same((peace.limit, world.entries("limit", "held/peace")), ("max", []), "limit, entry")


if __name__ == "__main__":
    run()
