#!/usr/bin/env python3
"""The kernel gives no inotify watches, or no inotify at all: a slow sweep takes their place, and it is said."""

import sys

from fake import *

CONFIG = """
[Tenants held]
Match=held/*
TasksMax=100
Rules=held
[Rule held]
When=tasks.denied > 0
Until=tasks.current < 50% for 100ms
Steps=freeze 1h, kill
"""


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
        newcomer = world.kernel.make("held/new")
        held[-1].bomb()
        eventually("a sweep finds the newcomer", lambda: "held/new" in world.tenants() and newcomer.limit == "100")
        eventually("a sweep finds the bomb", lambda: held[-1].wanted_frozen)
        eventually("and that it is frozen", lambda: world.tenants()["held/19"]["state"] == "frozen")
        held[0].remove()
        newcomer.bomb()
        held[-1].set_tasks(5)
        eventually("a sweep finds who is gone", lambda: "held/0" not in world.tenants())
        eventually("a sweep finds the newcomer's bomb", lambda: newcomer.wanted_frozen)
        eventually("relief is seen", lambda: not held[-1].wanted_frozen)


@test
def no_watches():
    """inotify watches exhausted: status names the sysctl, and sweeps find newcomers and bombs"""
    degraded("max_inotify_watches=9", "fs.inotify.max_user_watches")


@test
def no_instances():
    """no inotify instance: the same, by another sysctl"""
    degraded("max_inotify_instances=0", "fs.inotify.max_user_instances")


if __name__ == "__main__":
    run()
