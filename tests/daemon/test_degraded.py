#!/usr/bin/env python3
"""The kernel gives no inotify watches, or no inotify at all: a slow sweep takes their place, and it is said. It gives no
descriptors for a while: whoever came meanwhile is guarded afterwards."""

import resource
import sys

from fake import *

CONFIG = policy(held_class(until="tasks.current < 50% for 100ms"))


def degraded(limits, sysctl):
    if not may_limit_inotify():
        raise Skip("needs a user namespace of its own")
    with World(CONFIG) as world:
        held = [world.kernel.make(f"held/{i}") for i in range(20)]
        world.start(limits=limits)
        same(len(world.tenants()), 20, "tenants at READY=1")
        same({c.limit for c in held}, {"100"}, "limits at READY=1")
        notice = world.status()["notices"][0]
        check(sysctl in notice and "slow sweep" in notice, notice)
        check(sysctl in world.ctl("status", check_exit=0).stdout, "guardctl status says so")
        # guardd is asked nothing here: it looks when it is asked
        newcomer = world.kernel.make("held/new")
        for cgroup in held:
            cgroup.bomb()
        eventually("sweeps find all bombs", lambda: all(c.wanted_frozen for c in held))
        eventually("a sweep finds the newcomer", lambda: newcomer.limit == "100")
        newcomer.bomb()
        eventually("a sweep finds the newcomer's bomb", lambda: newcomer.wanted_frozen)
        for cgroup in held:
            cgroup.set_tasks(5)
        eventually("relief is seen", lambda: not any(c.wanted_frozen for c in held))
        eventually("peace", lambda: sorted({t["state"] for t in world.tenants().values()}) == ["frozen", "ok"])
        held[0].remove()
        eventually("a sweep finds who is gone", lambda: "held/0" not in world.tenants())


@test
def no_watches():
    """inotify watches exhausted: status names the sysctl, and sweeps find newcomers and bombs"""
    degraded("max_inotify_watches=9", "fs.inotify.max_user_watches")


@test
def no_instances():
    """no inotify instance: the same, by another sysctl"""
    degraded("max_inotify_instances=0", "fs.inotify.max_user_instances")


@test
def counted_once():
    """no inotify instance, and no pids.events.local (an older kernel): a refused fork is judged by whichever look sees it first"""
    if not may_limit_inotify():
        raise Skip("needs a user namespace of its own")
    with World(CONFIG) as world:
        held = world.kernel.make("held/a")
        os.unlink(os.path.join(held.dir, "pids.events.local"))
        world.start(limits="max_inotify_instances=0")
        eventually("it has its limit", lambda: held.limit == "100")
        held.set_tasks(100)
        held.write("pids.events", "max 1\n")
        same(len(world.tenants()), 1, "tenants")  # guardd looks when it is asked
        eventually("it is frozen", lambda: held.wanted_frozen)


@test
def no_descriptors():
    """no descriptors are left for a newcomer: it is said, and once there are some it is guarded"""
    world, _ = started(CONFIG, "held/a")
    with world:
        pid = world.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        # enough to find the newcomer, not for all of its files
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(map(int, os.listdir(f"/proc/{pid}/fd"))) + 4, before[1]))
        newcomer = world.kernel.make("held/new")
        world.wait_log("held/new cannot be guarded yet: Too many open files")
        same(newcomer.limit, "max", "limit meanwhile")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        eventually("the newcomer has its limit", lambda: newcomer.limit == "100")
        newcomer.bomb()
        eventually("the newcomer's bomb is frozen", lambda: newcomer.frozen)
        same(world.log().count("cannot be guarded"), 1, "how often it was said")


if __name__ == "__main__":
    run()
