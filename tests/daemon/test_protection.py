#!/usr/bin/env python3
"""Never the wrong victim: the protect list, the kill budget, and those who offend again."""

import sys

from fake import *

CONFIG = """
[Guard]
KillBudget=2/1h
Protect=jobs/precious*
Protect=jobs/*/vault
[Tenants jobs]
Match=jobs/*
TasksMax=100
Rules=fork-bomb
[Rule fork-bomb]
When=tasks.denied > 0
Until=tasks.current < 50% for 500ms
Steps=freeze 200ms, kill
"""


def untouched(world, cgroup):
    """It bombs, the rule holds, the next one is dealt with, and still nothing was done to it."""
    watch = world.watch()
    cgroup.bomb()
    warned = watch.wait("decision", "warn", cgroup.path)
    check("withheld: protected" in warned["sentence"], warned["sentence"])
    other = world.kernel.make("jobs/other")
    eventually("the other one is a tenant", lambda: other.limit == "100")
    other.bomb()
    eventually("the other one is killed", lambda: other.kills)
    same((cgroup.freeze_writes, cgroup.kills), ([], 0), "what was done to the protected one")
    same(len(watch.find("decision", "warn", cgroup.path)), 1, "warnings")


@test
def by_glob():
    """Protect= names it: limited and warned about, never frozen or killed, and not by hand either"""
    with World(CONFIG) as world:
        cgroup = world.kernel.make("jobs/precious-1")
        world.start()
        same((world.tenants()["jobs/precious-1"]["state"], world.show("jobs/precious-1")["protectedBy"]),
             ("protected", "jobs/precious*"), "state, protected by")
        same(cgroup.limit, "100", "limit")
        untouched(world, cgroup)
        for verb in "freeze", "kill":
            world.ctl(verb, "jobs/precious-1", check_exit=EXIT_REFUSED)


@test
def by_what_it_holds():
    """it holds a protected cgroup: protected with it, from the moment that one is there, and as long as it is"""
    with World(CONFIG) as world:
        cgroup = world.kernel.make("jobs/a")
        world.start()
        same(world.tenants()["jobs/a"]["state"], "ok", "state")
        vault = world.kernel.make("jobs/a/vault")
        eventually("protected", lambda: world.tenants()["jobs/a"]["state"] == "protected")
        same(world.show("jobs/a")["protectedBy"], "holds jobs/a/vault", "protected by")
        untouched(world, cgroup)
        world.ctl("kill", "jobs/a", check_exit=EXIT_REFUSED)
        vault.remove()
        eventually("not protected any more", lambda: "protectedBy" not in world.show("jobs/a"))
        world.ctl("kill", "jobs/a", check_exit=0)


@test
def becomes_protected():
    """a frozen tenant that a reload protects: not killed"""
    with World(CONFIG.replace("freeze 200ms", "freeze 3s")) as world:
        cgroup = world.kernel.make("jobs/a")
        world.start()
        cgroup.bomb()
        eventually("frozen", lambda: cgroup.frozen)
        world.configure(CONFIG.replace("Protect=jobs/precious*", "Protect=jobs/a").replace("freeze 200ms", "freeze 3s"))
        world.ctl("reload", check_exit=0)
        watch = world.watch()
        watch.wait("decision", "warn", "jobs/a")
        same(cgroup.kills, 0, "kills")


@test
def budget():
    """the kill budget is spent: what would be killed stays frozen, status says so, also after a crash"""
    with World(CONFIG) as world:
        jobs = [world.kernel.make(f"jobs/{i}") for i in range(5)]
        world.start()
        watch = world.watch()
        for n, job in enumerate(jobs):
            job.bomb()
            if n < 2:
                eventually("killed", lambda: job.kills)
                same(world.status()["killsLeft"], 1 - n, "kills left")
            else:
                warned = watch.wait("decision", "warn", job.path)
                check("kill budget of 2 in 1h is spent" in warned["sentence"], warned["sentence"])
                check(job.frozen, "frozen instead")
        same([job.kills for job in jobs], [1, 1, 0, 0, 0], "kills")
        check("kill budget is spent" in world.status()["notices"][0], "the status says so")
        check("freezes instead" in world.ctl("status", check_exit=0).stdout, "guardctl status says so")
        check(world.rule("jobs/2", "fork-bomb")["withheld"], "withheld")
        world.crash()
        world.start()
        same(world.status()["killsLeft"], 0, "kills left after a crash")
        again = world.kernel.make("jobs/again")
        eventually("a tenant", lambda: again.limit == "100")
        again.bomb()
        eventually("frozen", lambda: again.frozen)
        eventually("withheld", lambda: world.rule("jobs/again", "fork-bomb")["withheld"])
        same((again.kills, [job.frozen for job in jobs[2:]]), (0, [True] * 3), "kills, the others")
        world.ctl("kill", "jobs/2", check_exit=0)  # an operator is not bound by it
        jobs[3].set_tasks(5)
        eventually("relief thaws", lambda: not jobs[3].frozen)


@test
def no_budget():
    """KillBudget=0: guardd never kills by itself, and says so"""
    with World(CONFIG.replace("2/1h", "0/1min")) as world:
        job = world.kernel.make("jobs/a")
        world.start()
        job.bomb()
        eventually("withheld", lambda: world.rule("jobs/a", "fork-bomb")["withheld"])
        same((job.kills, job.frozen), (0, True), "kills, frozen")
        check("never kills" in world.ctl("status", check_exit=0).stdout, "guardctl status says so")


def again(world, crash):
    """A tenant that was killed is made again under its name."""
    job = world.kernel.make("jobs/a")
    world.start()
    job.bomb()
    eventually("killed", lambda: job.kills == 1)
    eventually("thawed", lambda: not world.entries("hold"))
    job.remove()
    if crash:
        world.crash()
        world.start()
    job = world.kernel.make("jobs/a")
    eventually("it is a tenant again", lambda: job.limit == "100")
    watch = world.watch()
    job.bomb()
    killed = watch.wait("decision", "kill", "jobs/a")
    check("offended 1 time" in killed["sentence"], killed["sentence"])
    watch.wait("outcome", "kill", "jobs/a", "done")
    same((job.freeze_writes, job.kills), ([], 1), "freezes, kills")


@test
def offends_again():
    """removed and made again under the same name, and it offends again: straight to the kill"""
    with World(CONFIG) as world:
        again(world, crash=False)


@test
def offends_after_a_crash():
    """the same with a crash of guardd in between: the ledger remembers"""
    with World(CONFIG) as world:
        again(world, crash=True)


@test
def another_name():
    """another tenant is no repeat offender"""
    with World(CONFIG) as world:
        first, second = world.kernel.make("jobs/a"), world.kernel.make("jobs/b")
        world.start()
        first.bomb()
        eventually("killed", lambda: first.kills)
        second.bomb()
        eventually("killed", lambda: second.kills)
        eventually("thawed", lambda: second.freeze_writes == [True, False])


if __name__ == "__main__":
    run()
