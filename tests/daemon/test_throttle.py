#!/usr/bin/env python3
"""A throttle by hand: what it does, who takes it off, and what a start finds of it. Of memory: it needs no two looks."""

import os
import sys

from fake import *

CONFIG = policy(held_class())
FOUND, VALUE, OTHER = "83886080", "20971520", "62914560"  # of one length: the made-up files are overwritten in place


def high(cgroup):
    return cgroup.read("memory.high")


def throttled_world():
    """One tenant throttled by hand."""
    world = World(CONFIG)
    cgroup = world.kernel.make("held/a")
    cgroup.write("memory.high", FOUND, cgroup.dir)
    cgroup.write("memory.current", "41943040", cgroup.dir)
    world.start()
    answer = world.ctl("throttle", "held/a", "memory", "50%", check_exit=0)
    check(f"throttled after" in answer.stdout and f"memory.high {VALUE}, found {FOUND}" in answer.stdout, answer.stdout)
    return world, cgroup


def same_ledger(world, *wanted):
    same([(e["lines"], e["standing"]) for e in world.entries("throttle")], list(wanted), "the ledger")


STANDING = ([FOUND, VALUE], True)


@test
def by_hand():
    """guardctl throttle: in force, written down, shown; again: nothing; thaw takes it off"""
    world, cgroup = throttled_world()
    with world:
        same(high(cgroup), VALUE, "memory.high")
        same_ledger(world, STANDING)
        same(world.tenants()["held/a"]["state"], "throttled", "state")
        same(world.show("held/a")["throttles"], [{"resource": "memory", "file": "memory.high", "found": FOUND,
                                                  "value": VALUE, "by": ["operator"]}], "what is shown")
        shown = world.ctl("show", "held/a", check_exit=0).stdout
        check(f"memory: memory.high {VALUE}, found {FOUND}" in shown, shown)
        again = world.ctl("throttle", "held/a", "memory", check_exit=0).stdout
        check("already" in again, again)
        thawed = world.ctl("thaw", "held/a", check_exit=0).stdout
        check(f"memory.high {FOUND} again" in thawed, thawed)
        same(high(cgroup), FOUND, "memory.high")
        same_ledger(world)
        same(world.tenants()["held/a"]["state"], "ok", "state")


@test
def thawed_and_unthrottled():
    """thaw of who is frozen and throttled: both"""
    world, cgroup = throttled_world()
    with world:
        world.ctl("freeze", "held/a", check_exit=0)
        same(world.tenants()["held/a"]["state"], "frozen", "state")
        world.ctl("thaw", "held/a", check_exit=0)
        same((high(cgroup), cgroup.frozen, world.entries("hold")), (FOUND, False, []), "memory.high, frozen, holds")
        same_ledger(world)


@test
def wrong_words():
    """what cannot be throttled, and what is no share"""
    world, cgroup = throttled_world()
    with world:
        for words in (("tasks",), ("cpu", "0"), ("cpu", "100"), ("cpu", "50x"), ("50", "cpu"), ("cpu", "")):
            world.ctl("throttle", "held/a", *words, check_exit=EXIT_USAGE)
        unknown = world.ctl("throttle", "held/a", check_exit=EXIT_FAILED).stderr
        check("no such controller" in unknown or "nothing is known" in unknown, unknown)


@test
def released():
    """release: given back, and left alone"""
    world, cgroup = throttled_world()
    with world:
        world.ctl("release", "held/a", check_exit=0)
        same(high(cgroup), FOUND, "memory.high")
        same_ledger(world)


@test
def clean_stop():
    """SIGTERM: a throttle is undone, as a freeze is"""
    world, cgroup = throttled_world()
    with world:
        world.stop()
        same(high(cgroup), FOUND, "memory.high")
        same_ledger(world)


@test
def killed():
    """kill -9: the next start takes it up, and its end gives back what was found first"""
    world, cgroup = throttled_world()
    with world:
        for _ in range(2):
            world.crash()
            same(high(cgroup), VALUE, "memory.high")
            world.start()
            same(world.show("held/a")["throttles"][0]["found"], FOUND, "found")
            same_ledger(world, STANDING)
        world.crash()
        cgroup.write("memory.high", FOUND)  # it had ended between entry and act
        world.start()
        same(high(cgroup), VALUE, "memory.high")
        world.ctl("thaw", "held/a", check_exit=0)
        same(high(cgroup), FOUND, "memory.high")
        same_ledger(world)


@test
def nobody_wants_it_any_more():
    """kill -9, then it is no tenant any more, or protected, or nothing is acted on: written back by the next start"""
    for config in (policy(jobs_class("1h")), "[Guard]\nProtect=held/*\n" + CONFIG.replace("[Guard]\n", "", 1),
                   CONFIG.replace("[Guard]\n", "[Guard]\nMode=observe\n", 1)):
        world, cgroup = throttled_world()
        with world:
            world.crash()
            world.configure(config)
            world.start()
            same(high(cgroup), FOUND, "memory.high")
            same_ledger(world)


@test
def somebody_else():
    """another limit set while it is throttled: the throttle goes over it, and its end gives that one back"""
    world, cgroup = throttled_world()
    with world:
        cgroup.write("memory.high", OTHER)
        eventually("the throttle again", lambda: high(cgroup) == VALUE)
        same_ledger(world, ([OTHER, VALUE], True))
        world.ctl("release", "held/a", check_exit=0)
        same(high(cgroup), OTHER, "memory.high")


@test
def undone_after_kill():
    """somebody set another limit while nobody guarded: it stays"""
    world, cgroup = throttled_world()
    with world:
        world.crash()
        cgroup.write("memory.high", OTHER)
        world.configure(policy(jobs_class("1h")))
        world.start()
        same(high(cgroup), OTHER, "memory.high")
        same_ledger(world)


if __name__ == "__main__":
    run()
