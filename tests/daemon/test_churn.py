#!/usr/bin/env python3
"""Cgroups that come and go at any moment."""

import random
import sys
import threading

from fake import *

CONFIG = policy(held_class(), jobs_class("300ms", match="jobs/*/**"), tenant_class("graceful", "freeze 300ms, kill 1s"))


class Storm:
    """Threads that make, bomb, and remove cgroups until it is over."""

    def __init__(self, kernel, n=3, depth=3):
        self.kernel, self.over, self.made = kernel, False, 0
        self.threads = [threading.Thread(target=self.run, args=(i, depth)) for i in range(n)]
        for thread in self.threads:
            thread.start()

    def run(self, number, depth):
        dice, standing = random.Random(number), []
        while not self.over:
            if standing and dice.random() < 0.5:
                self.kernel.remove(standing.pop(dice.randrange(len(standing))))
                continue
            path = f"jobs/{number}-{dice.randrange(8)}"  # names are used again
            if path in self.kernel.cgroups:
                continue
            cgroup = self.kernel.make(path)
            self.made += 1
            for level in range(dice.randrange(depth)):
                path += f"/{level}"
                self.kernel.make(path)
            if dice.random() < 0.3:
                cgroup.bomb()
            standing.append(cgroup)

    def end(self):
        self.over = True
        for thread in self.threads:
            thread.join()


@test
def storm():
    """a storm of cgroups: the others are guarded meanwhile, and at its end everybody is known"""
    with World(CONFIG) as world:
        held = [world.kernel.make(f"held/{i}") for i in range(5)]
        world.start()
        storm = Storm(world.kernel)
        for cgroup in held:
            made = storm.made
            eventually("the storm goes on", lambda: storm.made > made + 100)
            cgroup.bomb()
            eventually("frozen meanwhile", lambda: cgroup.frozen)
        storm.end()
        there = lambda: {path for path in world.kernel.cgroups if path.startswith(("held/", "jobs/"))}
        eventually("who is there is known", lambda: {t["path"] for t in world.tenants().values()} == there())
        limits = lambda: {c.limit for path, c in world.kernel.cgroups.items() if path in there()}
        eventually("everybody has its limit", lambda: limits() == {"100"})
        ids = {c.id for c in world.kernel.cgroups.values()}
        same({e["id"] for e in world.entries("hold") + world.entries("limit")} - ids, set(), "ledger entries of removed cgroups")


@test
def start_in_a_storm():
    """a start in the middle of a storm: complete at READY=1 for those who stay"""
    with World(CONFIG) as world:
        held = [world.kernel.make(f"held/{i}") for i in range(50)]
        storm = Storm(world.kernel)
        for _ in range(5):
            world.start()
            link = world.link()
            names = {t["path"] for t in link.call("ListTenants")["tenants"]}
            same({c.path for c in held} - names, set(), "who is missing at READY=1")
            link.close()
            world.stop()
        storm.end()


def moments():
    """When a cgroup may vanish: (name, path, how to arrange it)."""
    def at_freeze(world, cgroup):
        cgroup.on_freeze = Cgroup.remove
        cgroup.bomb()

    def unconfirmed(world, cgroup):
        cgroup.freezes = False
        cgroup.bomb()
        eventually("it is being frozen", lambda: cgroup.freeze_writes)
        cgroup.remove()

    def frozen(world, cgroup):
        cgroup.bomb()
        eventually("frozen", lambda: world.tenants()[cgroup.path]["state"] == "frozen")
        same([e["id"] for e in world.entries("hold")], [cgroup.id], "holds")
        cgroup.remove()

    def at_thaw(world, cgroup):
        frozen_first(world, cgroup)
        cgroup.on_thaw = Cgroup.remove
        cgroup.set_tasks(1)

    def frozen_first(world, cgroup):
        cgroup.bomb()
        eventually("frozen", lambda: world.tenants()[cgroup.path]["state"] == "frozen")

    def at_kill(world, cgroup):
        cgroup.on_kill = Cgroup.remove
        cgroup.bomb()

    def unkilled(world, cgroup):
        cgroup.dies = False
        cgroup.bomb()
        eventually("it is being killed", lambda: cgroup.kills)
        cgroup.remove()

    def in_grace(world, cgroup):
        cgroup.bomb()
        eventually("in its grace", lambda: world.entries("terminate"))
        cgroup.remove()

    def at_release(world, cgroup):
        frozen_first(world, cgroup)
        cgroup.on_thaw = Cgroup.remove
        world.ctl("release", cgroup.path)

    def by_hand(world, cgroup):
        cgroup.on_freeze = Cgroup.remove
        check(world.ctl("freeze", cgroup.path).returncode in (0, 1), "guardctl comes back")

    return [("while it is being frozen", "held/a", at_freeze), ("before the freeze is confirmed", "held/a", unconfirmed),
            ("when it is frozen", "held/a", frozen), ("while it is thawed", "held/a", at_thaw),
            ("while it is killed", "jobs/a", at_kill), ("before the kill is confirmed", "jobs/a", unkilled),
            ("in its grace", "graceful/a", in_grace), ("while it is released", "held/a", at_release),
            ("while it is frozen by hand", "held/a", by_hand)]


def vanishing(name, path, arrange):
    def body():
        with World(CONFIG) as world:
            cgroup, next_one = world.kernel.make(path), world.kernel.make("held/next")
            world.start()
            watch = world.watch()
            arrange(world, cgroup)
            watch.wait("vanished", tenant=path)
            eventually("nothing of it is in the ledger",
                       lambda: not [e for e in world.entries() if e["kind"] in ("hold", "limit") and e["path"] == path])
            check(path not in world.tenants(), "it is no tenant any more")
            begun = len([e for e in watch.events if e["kind"] == "decision" and e["tenant"] == path])
            ended = len([e for e in watch.events if e["kind"] == "outcome" and e["tenant"] == path])
            same(begun, ended, "outcomes of what was decided")
            next_one.bomb()
            eventually("the next one is frozen", lambda: next_one.frozen)
            again = world.kernel.make(path)
            eventually("the same name again is a tenant again", lambda: again.limit == "100" and path in world.tenants())
            check(not again.wanted_frozen, "it was not frozen")
    body.__doc__ = f"removed {name}: nothing of it is left, and guardd goes on"
    body.__name__ = "vanishing_" + arrange.__name__
    return test(body)


for moment in moments():
    vanishing(*moment)


@test
def id_used_again():
    """the id of a removed frozen cgroup is used again at another path: a new tenant, not frozen, nothing in the ledger"""
    with World(CONFIG) as world:
        cgroup = world.kernel.make("held/a")
        world.start()
        cgroup.bomb()
        eventually("frozen", lambda: world.entries("hold"))
        new = world.kernel.reuse_id(cgroup, "jobs/b")
        eventually("it is known as what it is", lambda: list(world.tenants()) == ["jobs/b"])
        eventually("it has its limit", lambda: new.limit == "100")
        same([(e["kind"], e["path"]) for e in world.entries()], [("limit", "jobs/b")], "the ledger")
        same(new.freeze_writes, [], "what was written to the new one")
        new.bomb()
        eventually("the new one is guarded", lambda: new.kills)


@test
def above_and_below():
    """a frozen tenant below another tenant that is removed with all that is in it"""
    with World(CONFIG) as world:
        top = world.kernel.make("jobs/top")
        below = world.kernel.make("jobs/top/a/b")
        world.start()
        world.ctl("freeze", "jobs/top/a/b", check_exit=0)
        world.ctl("freeze", "jobs/top", check_exit=0)
        same(len(world.entries("hold")), 2, "holds")
        top.remove()
        eventually("all are forgotten", lambda: not world.tenants() and not world.entries())


if __name__ == "__main__":
    run()
