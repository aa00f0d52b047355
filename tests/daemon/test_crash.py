#!/usr/bin/env python3
"""kill -9 at any instant, and whatever a start may find of the run before."""

import os
import random
import shutil
import subprocess
import sys
import threading

from fake import *

RELIEF = "tasks.current < 50% for 200ms"
CONFIG = policy(held_class(until=RELIEF), jobs_class("100ms", until=RELIEF))
INFINITY = 2**64 - 1


def frozen_without_entry(world):
    holds = {e["id"] for e in world.entries("hold")} if os.path.exists(world.ledger_path) else set()
    return [c.path for c in list(world.kernel.cgroups.values()) if c.wanted_frozen and c.id not in holds]


def limited_without_entry(world):
    limits = {e["id"] for e in world.entries("limit")} if os.path.exists(world.ledger_path) else set()
    return [c.path for c in list(world.kernel.cgroups.values()) if c.limit != "max" and c.id not in limits]


def nothing_is_lost(world, when):
    same(frozen_without_entry(world), [], f"frozen and not in the ledger, {when}")
    same(limited_without_entry(world), [], f"limited and not in the ledger, {when}")


def all_as_the_rules_want(world, held, jobs):
    """Everybody back at peace: thawed; who bombs on: frozen, or killed."""
    def settled():
        rows = world.tenants()
        return all(c.frozen == c.wanted_frozen == (int(c.read("pids.current")) >= 50) for c in held) and \
            not any(c.wanted_frozen for c in jobs) and all(rows[c.path]["state"] == "ok" for c in jobs)
    eventually("all are as the rules want", settled)
    nothing_is_lost(world, "at the end")


@test
def killed_at_random():
    """kill -9 at 30 random instants around freezes, thaws and kills: nothing is lost, and the next start sets it right"""
    dice = random.Random(1)
    with World(CONFIG) as world:
        held = [world.kernel.make(f"held/{i}") for i in range(4)]
        jobs = [world.kernel.make(f"jobs/{i}") for i in range(4)]
        for n in range(30):
            world.start(wait=n % 3 != 0)  # in the middle of a start, too
            for cgroup in dice.sample(held + jobs, 4):
                cgroup.bomb() if dice.random() < 0.7 and cgroup.populated else cgroup.set_tasks(5)
            time.sleep(dice.random() * 0.15)
            world.crash()
            nothing_is_lost(world, f"after crash {n + 1}")
            for cgroup in jobs:  # started anew, in the same cgroup
                if not cgroup.populated:
                    cgroup.populated = True
                    cgroup.set_tasks(5)
                    world.kernel.settle(cgroup)
        for cgroup in held[:2] + jobs:
            cgroup.set_tasks(5)
        world.start()
        for cgroup in held[2:]:
            cgroup.bomb()
        all_as_the_rules_want(world, held, jobs)
        world.stop()
        same([c.path for c in held + jobs if c.wanted_frozen], [], "frozen after a clean stop")


def strace_works():
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True).returncode == 0


UNDER_STRACE = {"ASAN_OPTIONS": "detect_leaks=0"}  # which ptrace does not go together with


def killer(when, log):
    return ["strace", "-f", "-qq", "-o", log, "-e", "trace=pwrite64", "-e", f"inject=pwrite64:signal=SIGKILL:when={when}"]


def crash_at_write(when, prepare, act):
    """One run that is killed at its write number `when`, counted from the start; False if it made fewer.

    Each change guardd makes, in the ledger and in the tree, is a pwrite: between two of them nothing changes.
    """
    with World(CONFIG) as world:
        held, job = world.kernel.make("held/a"), world.kernel.make("jobs/a")
        if prepare:
            world.start()
            prepare(world, held, job)
        world.start(wrapper=killer(when, os.path.join(world.dir, "strace")), environment=UNDER_STRACE, wait=False)
        try:
            world.wait_for("READY=1")
            act(world, held, job)
            survived = eventually("the end of it", lambda: world.process.poll() is not None or act.over(world, held, job))
            survived = world.process.poll() is None
        except (AssertionError, OSError):
            if world.process.poll() is None:
                raise
            survived = False
        if survived:  # strace goes with what it traces
            subprocess.run(["pkill", "-KILL", "-P", str(world.process.pid)], check=True)
        world.process.wait(DEADLINE)
        world.drain()
        nothing_is_lost(world, f"after the crash at write {when}")
        original = {e["path"]: e["found"] for e in world.entries("limit")}
        same(set(original.values()) - {INFINITY}, set(), f"what the ledger would give back after the crash at write {when}")
        if job.populated:
            job.set_tasks(5)
        held.set_tasks(5)
        world.start()
        eventually(f"all is thawed after the crash at write {when}", lambda: not held.wanted_frozen and not job.wanted_frozen)
        eventually("all is at peace", lambda: {t["state"] for t in world.tenants().values()} == {"ok"})
        same((held.limit, job.limit), ("100", "100"), "limits")
        same(world.entries("hold"), [], "holds")
        world.ctl("release", "--all", check_exit=0)
        same((held.limit, job.limit), ("max", "max"), f"limits given back after the crash at write {when}")
        return survived


def at_every_write(name, act, over, prepare=None):
    act.over = over

    def body():
        if not strace_works():
            raise Skip("needs strace")
        when, survived = 1, False
        while not survived:
            survived = crash_at_write(when, prepare, act)
            when += 1
            check(when < 100, "it comes to an end")
        print(f"# {when - 2} writes")
        check(when > 4, f"it made {when - 2} writes")
    body.__doc__ = f"kill -9 after each single write, {name}: nothing is lost, and the next start sets it right"
    body.__name__ = "writes_" + act.__name__
    return test(body)


def bomb_both(world, held, job):
    held.bomb()
    job.bomb()


def relief(world, held, job):
    held.set_tasks(5)


def release(world, held, job):
    world.ctl("release", "--all")


def freeze_held(world, held, job):
    held.bomb()
    eventually("frozen", lambda: world.tenants()["held/a"]["state"] == "frozen")
    world.crash()


at_every_write("limits, freeze and kill", bomb_both,
               lambda world, held, job: held.frozen and job.kills and not job.wanted_frozen and
               not [e for e in world.entries("hold") if e["path"] == "jobs/a"])
at_every_write("a hold taken up and relieved", relief, lambda world, held, job: not world.entries("hold"), freeze_held)
at_every_write("release --all", release, lambda world, held, job: not world.entries(), freeze_held)


def left_frozen(world, path="held/a"):
    """A tenant that a crash leaves frozen, in its limit."""
    cgroup = world.kernel.make(path)
    world.start()
    cgroup.bomb()
    eventually("frozen", lambda: world.tenants()[path]["state"] == "frozen")
    world.crash()
    same(len(world.entries()), 2, "a hold and a limit in the ledger")
    return cgroup


@test
def taken_up():
    """what a crash left frozen is taken up: frozen still, and thawed when the danger has passed"""
    with World(CONFIG) as world:
        cgroup = left_frozen(world)
        world.start()
        check(cgroup.frozen, "frozen")
        same(world.show("held/a")["frozenBy"], ["held"], "frozen by")
        same(cgroup.freeze_writes, [True], "what was written")
        cgroup.set_tasks(5)
        eventually("thawed", lambda: not cgroup.frozen and not world.entries("hold"))


@test
def step_goes_on():
    """the time of a step goes on over a crash: the kill comes"""
    with World(CONFIG.replace("freeze 1h", "freeze 2s")) as world:
        cgroup = left_frozen(world)
        world.start()
        eventually("killed", lambda: cgroup.kills == 1)
        eventually("and thawed", lambda: not cgroup.wanted_frozen)


@test
def hand_taken_up():
    """what an operator has frozen stays so over a crash"""
    with World(CONFIG) as world:
        cgroup = world.kernel.make("held/a")
        world.start()
        world.ctl("freeze", "held/a", check_exit=0)
        world.crash()
        world.start()
        same((cgroup.frozen, world.show("held/a")["frozenBy"]), (True, ["operator"]), "frozen, by")
        world.ctl("thaw", "held/a", check_exit=0)
        same((cgroup.frozen, world.entries("hold")), (False, []), "frozen, holds")


@test
def rule_gone():
    """a crash, and the rule that held it is gone from the configuration: thawed"""
    with World(CONFIG) as world:
        cgroup = left_frozen(world)
        world.configure(CONFIG.replace("Rules=held", "Rules=fork-bomb"))
        world.start()
        eventually("thawed", lambda: not cgroup.frozen and not world.entries("hold"))
        same(cgroup.kills, 0, "kills")


@test
def class_gone():
    """a crash, and it is no tenant any more: thawed, and the limit given back"""
    with World(CONFIG) as world:
        cgroup = left_frozen(world)
        world.configure(CONFIG.replace("Match=held/*", "Match=nothing/*"))
        world.start()
        eventually("all is undone", lambda: not cgroup.frozen and cgroup.limit == "max" and not world.entries())


@test
def observe_now():
    """a crash, and Mode=observe: what is frozen is thawed"""
    with World(CONFIG) as world:
        cgroup = left_frozen(world)
        world.configure(CONFIG.replace("[Guard]", "[Guard]\nMode=observe"))
        world.start()
        eventually("thawed", lambda: not cgroup.frozen and not world.entries("hold"))


@test
def vanished():
    """an entry for a cgroup that is gone: dropped"""
    with World(CONFIG) as world:
        left_frozen(world).remove()
        world.start()
        same(world.entries(), [], "the ledger")


@test
def reused():
    """an entry for an id that is used again at another path: dropped, the other one is not touched"""
    for path in "elsewhere/b", "held/b":  # no tenant, and one
        with World(CONFIG) as world:
            new = world.kernel.reuse_id(left_frozen(world), path, limit=90)
            new.freeze_by_somebody_else()
            world.start()
            same(world.entries(), [], "the ledger")
            same((new.limit, new.freeze_writes), ("90", [True]), "limit, freezes")
            same(world.status()["standing"], 0, "holds")


@test
def path_used_again():
    """an entry for a path that another cgroup has by now: dropped, and the new one is as any other"""
    with World(CONFIG) as world:
        left_frozen(world).remove()
        new = world.kernel.make("held/a", limit=900)
        new.freeze_by_somebody_else()
        world.start()
        same((new.freeze_writes, new.limit), ([True], "100"), "freezes, limit")
        same([(e["kind"], e["id"], e["found"]) for e in world.entries()], [("limit", new.id, 900)], "the ledger")


@test
def torn():
    """a torn entry: dropped and told, and the others are taken up"""
    with World(CONFIG) as world:
        cgroup = left_frozen(world)
        victim = world.entries("limit")[0]["at"]
        with open(world.ledger_path, "r+b") as file:
            file.seek(victim + 600)
            file.write(b"torn")
        world.start()
        world.wait_log("1 half-written ledger entries dropped")
        check(cgroup.frozen and len(world.entries("hold")) == 1, "the other entry is taken up")


@test
def cut_off():
    """a ledger that ends in the middle of a slot: the rest is taken up"""
    with World(CONFIG) as world:
        cgroup = left_frozen(world)
        last = max(e["at"] for e in world.entries()) + SLOT_SIZE
        os.truncate(world.ledger_path, last + 100)
        world.start()
        check(cgroup.frozen and len(world.entries()) == 2, "taken up")


def odd_ledger(name, spoil, text=None):
    def body():
        with World(CONFIG) as world:
            cgroup = world.kernel.make("held/a")
            spoil(world)
            world.start()
            if text:
                world.wait_log(text)
            same(len(world.entries("limit")), 1, "limits in the ledger")
            cgroup.bomb()
            eventually("it guards", lambda: cgroup.frozen and world.entries("hold"))
    body.__doc__ = f"the ledger is {name}: begun anew, and guarded"
    body.__name__ = "ledger_" + name.replace(" ", "_").replace("'", "")
    return test(body)


def write_ledger(data):
    def spoil(world):
        with open(world.ledger_path, "wb") as file:
            file.write(data)
    return spoil


def of_another_boot(world):
    """A whole header of another boot, and an entry that would freeze."""
    import zlib
    header = struct.pack("<8sII32s", b"guardd\r\n", 1, SLOT_SIZE, b"f" * 32).ljust(SLOT_SIZE - 4, b"\0")
    write_ledger(header + struct.pack("<I", zlib.crc32(header)) + b"ENTR" + os.urandom(SLOT_SIZE - 4))(world)


odd_ledger("empty", write_ledger(b""))
odd_ledger("shorter than its header", write_ledger(b"guardd\r\n"))
odd_ledger("garbage", write_ledger(random.Random(2).randbytes(50_000)), "the ledger was damaged: kept as .*ledger.damaged")
odd_ledger("all zeros", write_ledger(b"\0" * 10240))
odd_ledger("of another boot", of_another_boot)


def no_ledger(name, spoil, user=0):
    def body():
        if user and os.getuid() != 0:
            raise Skip("needs root, to be somebody else")
        with World(CONFIG.replace("freeze 1h", "freeze 200ms")) as world:
            cgroup, unlimited = world.kernel.make("held/a", limit=100), world.kernel.make("held/b")
            if user:
                for directory, _, names in os.walk(world.kernel.root):
                    for path in [directory] + [os.path.join(directory, n) for n in names]:
                        os.chmod(path, 0o777 if os.path.isdir(path) else 0o666)
                os.chmod(world.dir, 0o777)
            spoil(world)
            world.start(user=user)
            notice = world.status()["notices"][0]
            check("no ledger in " + world.runtime in notice, notice)
            check("nothing is frozen or limited" in notice, notice)
            check("no ledger in" in world.ctl("status", check_exit=0).stdout, "guardctl status says so")
            watch = world.watch()
            cgroup.bomb()
            watch.wait("outcome", "freeze", "held/a", "failed")
            watch.wait("outcome", "kill", "held/a", "done")
            same((cgroup.freeze_writes, unlimited.limit), ([], "max"), "freezes, limit")
    body.__doc__ = f"{name}: guarded without a ledger, nothing is frozen or limited, and it is said"
    body.__name__ = "no_ledger_" + spoil.__name__
    return test(body)


def not_there(world):
    os.rmdir(world.runtime)


def a_file(world):
    os.rmdir(world.runtime)
    with open(world.runtime, "w"):
        pass


def not_ours(world):
    os.chmod(world.runtime, 0o555)


no_ledger("no runtime directory", not_there)
no_ledger("a file where the runtime directory should be", a_file)
no_ledger("a runtime directory that cannot be written", not_ours, user=NOBODY)


@test
def no_permission():
    """no permission to write cgroup files: it starts, it watches, and what it cannot do is reported failed"""
    if os.getuid() != 0:
        raise Skip("needs root, to be somebody else")
    with World(CONFIG.replace("freeze 1h", "freeze 200ms")) as world:
        cgroup, dark = world.kernel.make("held/a", limit=100), world.kernel.make("held/dark")
        unlimited = world.kernel.make("held/b")
        os.chmod(dark.dir, 0o700)
        os.chown(world.runtime, NOBODY, NOBODY)
        os.chmod(world.dir, 0o777)
        world.start(user=NOBODY)
        same(list(world.tenants()), ["held/a", "held/b"], "tenants")
        world.wait_log("held/dark.*Permission denied|Permission denied.*held/dark")  # who cannot be looked at is named
        check(world.show("held/b")["limits"][0].get("note"), "the limit says why it is not set")
        same(unlimited.limit, "max", "limit")
        watch = world.watch()
        cgroup.bomb()
        for verb in "freeze", "kill":
            failed = watch.wait("outcome", verb, "held/a", "failed")
            check(failed["outcome"]["error"] > 0 and failed["outcome"]["text"], failed["sentence"])
        eventually("nothing is left in the ledger", lambda: not world.entries("hold"))
        same((cgroup.freeze_writes, cgroup.kills), ([], 0), "what was written")
        world.ctl("freeze", "held/a", check_exit=EXIT_FAILED)


if __name__ == "__main__":
    run()
