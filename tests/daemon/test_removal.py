#!/usr/bin/env python3
"""guardd --release: what is left of guardd on a host where none runs any more. And a restart, which undoes nothing."""

import sys

from fake import *

CONFIG = policy(held_class())


def release(world, exit=0):
    done = subprocess.run(world.command(more=["--release"]), capture_output=True, text=True, timeout=DEADLINE)
    same(done.returncode, exit, f"exit status ({done.stdout}{done.stderr})")
    return done


def frozen_world():
    """One tenant frozen by its rule, one by hand, one at peace; the limits that were there before are 900."""
    world, *made = started(CONFIG, "held/rule", "held/hand", "held/peace", limit=900)
    made[0].bomb()
    world.ctl("freeze", "held/hand", check_exit=0)
    eventually("frozen", lambda: world.status()["standing"] == 2)
    return world, *made


def look_for_nothing(world, *cgroups):
    same([c.wanted_frozen for c in cgroups], [False] * len(cgroups), "cgroup.freeze")
    same([c.limit for c in cgroups], ["900"] * len(cgroups), "limits")
    same(world.entries("hold") + world.entries("limit"), [], "the ledger")


@test
def after_a_crash():
    """a guardd that was killed leaves tenants frozen and limited: all of it is taken off"""
    world, *cgroups = frozen_world()
    with world:
        world.crash()
        check("nothing of guardd is left" in release(world).stdout, "it says so")
        look_for_nothing(world, *cgroups)
        check("nothing of guardd is left" in release(world).stdout, "and once more")


@test
def after_a_stop():
    """a clean stop leaves limits: they are given back"""
    world, *cgroups = frozen_world()
    with world:
        world.stop()
        release(world)
        look_for_nothing(world, *cgroups)


@test
def with_a_broken_configuration():
    """the configuration is not asked what to undo"""
    world, *cgroups = frozen_world()
    with world:
        world.crash()
        world.configure("[Guard]\nMode=perhaps\n")
        check("not valid" in release(world).stderr, "it says so")
        look_for_nothing(world, *cgroups)


@test
def while_observing():
    """what a guardd did before it was told to observe is undone all the same"""
    world, *cgroups = frozen_world()
    with world:
        world.crash()
        world.configure("[Guard]\nMode=observe\n" + CONFIG)
        release(world)
        look_for_nothing(world, *cgroups)


@test
def beside_a_running_one():
    """one that runs is not disturbed: it is asked by guardctl"""
    world, rule, hand, peace = frozen_world()
    with world:
        check("guardctl release" in release(world, exit=1).stderr, "it says what to do")
        same((rule.frozen, hand.frozen, peace.limit), (True, True, "100"), "what stands")


@test
def what_cannot_be_undone():
    """what could not be given back is counted, and stays in the ledger for another try"""
    world, rule, hand, peace = frozen_world()
    with world:
        world.crash()
        os.rename(f"{peace.dir}/pids.max", f"{peace.dir}/aside")
        os.mkdir(f"{peace.dir}/pids.max")
        check("1 actions could not" in release(world, exit=1).stderr, "it is counted")
        same([e["path"] for e in world.entries("limit")], ["held/peace"], "the ledger")
        os.rmdir(f"{peace.dir}/pids.max")
        os.rename(f"{peace.dir}/aside", f"{peace.dir}/pids.max")
        release(world)
        look_for_nothing(world, rule, hand, peace)


@test
def restart():
    """SIGUSR1, with which the service is restarted: nothing is thawed in between, and the next one takes it up"""
    world, rule, hand, peace = frozen_world()
    with world:
        writes = [len(c.freeze_writes) for c in (rule, hand)]
        world.process.send_signal(signal.SIGUSR1)
        world.wait_for("STOPPING=1")
        same(world.wait_for_exit(), 0, "exit status")
        same((rule.frozen, hand.frozen, peace.limit), (True, True, "100"), "what stands in between")
        same([len(c.freeze_writes) for c in (rule, hand)], writes, "writes to cgroup.freeze")
        world.start()
        same(world.status()["standing"], 2, "standing")
        world.ctl("thaw", "held/hand", check_exit=0)
        same(hand.frozen, False, "frozen")


@test
def restart_without_a_future():
    """with a configuration that is wrong nobody would take it up: thawed, as at a stop"""
    world, rule, hand, peace = frozen_world()
    with world:
        world.configure("[Guard]\nMode=perhaps\n")
        world.process.send_signal(signal.SIGUSR1)
        same(world.wait_for_exit(), 0, "exit status")
        same((rule.wanted_frozen, hand.wanted_frozen, world.entries("hold")), (False, False, []), "frozen, holds")


if __name__ == "__main__":
    run()
