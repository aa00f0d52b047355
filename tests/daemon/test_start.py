#!/usr/bin/env python3
"""A start: who is here, the limits, and what guardctl says about them."""

import json
import os
import socket
import subprocess
import sys

from fake import *

CONFIG = """
[Guard]
Protect=work/precious*
[Tenants jobs]
Match=jobs/job-*
TasksMax=512
Rules=fork-bomb
[Tenants works]
Match=work/*
Rules=fork-bomb
[Tenants deep]
Match=deep/**/leaf
TasksMax=100
Rules=fork-bomb
[Rule fork-bomb]
When=tasks.denied > 0
Steps=freeze 1h, kill
"""


@test
def complete_before_ready():
    """discovery is complete and the limits are set before READY=1"""
    with World(CONFIG) as world:
        jobs = [world.kernel.make(f"jobs/job-{i}") for i in range(200)]
        leaves = [world.kernel.make(f"deep/{i}/{i}/leaf") for i in range(30)]
        other = world.kernel.make("jobs/other")
        world.start()
        link = world.link()  # no guardctl in between: it would give guardd time
        found = {t["path"] for t in link.call("ListTenants")["tenants"]}
        limits = {c.path: c.limit for c in jobs + leaves}
        same(found, {c.path for c in jobs + leaves}, "tenants at READY=1")
        same({limits[c.path] for c in jobs}, {"512"}, "pids.max of the jobs at READY=1")
        same({limits[c.path] for c in leaves}, {"100"}, "pids.max of the leaves at READY=1")
        same(other.limit, "max", "pids.max of who is no tenant")
        same(world.status()["tenants"], 230, "tenants in the status")
        same({e["found"] for e in world.entries("limit")}, {2**64 - 1}, "what the ledger gives back")
        same(len(world.entries("limit")), 230, "limits in the ledger")


@test
def found_while_running():
    """a cgroup made while guardd runs is a tenant with its limit; a removed one is none any more"""
    with World(CONFIG) as world:
        world.start()
        job = world.kernel.make("jobs/job-1")
        eventually("it is found", lambda: job.path in world.tenants())
        eventually("it has its limit", lambda: job.limit == "512")
        job.remove()
        eventually("it is forgotten", lambda: not world.tenants())
        same(world.entries(), [], "the ledger")


@test
def controller_comes_later():
    """the pids controller is enabled after the cgroup was made: it has its limit, and a bomb in it is frozen"""
    with World(CONFIG) as world:
        world.start()
        watch = world.watch()
        job = world.kernel.make("jobs/job-1", pids=False)
        eventually("it is found", lambda: watch.find("appeared"))  # who lists it would have guardd look again
        job.enable_pids()
        eventually("it has its limit", lambda: job.limit == "512")
        job.bomb()
        eventually("it is frozen", lambda: job.frozen)


@test
def only_tightens():
    """a smaller limit stays, a tenant beyond the limit keeps what it has, and both are said"""
    with World(CONFIG) as world:
        small = world.kernel.make("jobs/job-small", limit=100)
        full = world.kernel.make("jobs/job-full", tasks=900)
        world.start()
        same((small.limit, full.limit), ("100", "max"), "pids.max")
        note = lambda cgroup: world.show(cgroup.path)["limits"][0]["note"]
        check("less" in note(small), note(small))
        check("900 tasks" in note(full), note(full))
        same(world.entries(), [], "the ledger")


@test
def guardctl_looks():
    """guardctl status, list and show say what is there, for people and as JSON"""
    with World(CONFIG) as world:
        world.kernel.make("jobs/job-a", tasks=7)
        world.kernel.make("work/precious-1")
        world.start()
        text = world.ctl("list", check_exit=0).stdout
        check("jobs/job-a" in text and "work/precious-1" in text and "\x1b" not in text, text)
        text = world.ctl("list", "jobs", check_exit=0).stdout
        check("jobs/job-a" in text and "precious" not in text, text)
        rows = world.json("list")["tenants"]
        same([(r["name"], r["class"], r["state"], r["tasksCurrent"], r.get("tasksMax")) for r in rows],
             [("jobs/job-a", "jobs", "ok", 7, 512), ("work/precious-1", "works", "protected", 5, None)], "list --json")
        text = world.ctl("show", "jobs/job-a", check_exit=0).stdout
        check("512" in text and "fork-bomb" in text and "tasks.denied > 0" in text, text)
        details = world.json("show", "jobs/job-a")["details"]
        same(details["limits"][0]["asked"], {"value": 512}, "asked")
        same(details["limits"][0]["found"], {}, "found: no limit")
        status = world.json("status")
        same((status["mode"], status["tenants"], status["standing"], status["notices"]), ("enforce", 2, 0, []), "status")
        same(status["cgroupRoot"], world.kernel.root, "cgroup root")
        check("enforce" in world.ctl("status", check_exit=0).stdout, "status")


@test
def guardctl_exits():
    """guardctl's exit status: 0 done, 1 failed, 2 usage, 3 no such tenant, 5 refused"""
    with World(CONFIG) as world:
        job = world.kernel.make("jobs/job-a")
        precious = world.kernel.make("work/precious-1")
        world.ctl("status", check_exit=EXIT_FAILED)  # nobody listens
        world.start()
        for wrong in ["nonsense"], ["freeze"], ["freeze", "a", "b"], ["--nonsense"], ["status", "x"]:
            world.ctl(*wrong, check_exit=EXIT_USAGE)
        for verb in "show", "freeze", "thaw", "kill", "release":
            world.ctl(verb, "nobody", check_exit=EXIT_NO_SUCH_TENANT)
        for verb in "freeze", "kill":
            refused = world.ctl(verb, precious.path, check_exit=EXIT_REFUSED)
            check("protected (work/precious*)" in refused.stderr, refused.stderr)
        same((precious.freeze_writes, precious.kills), ([], 0), "what was written to the protected tenant")
        check(world.ctl("list", "nonsense").returncode != 0, "list of a class that is not there")
        world.ctl("freeze", job.path, check_exit=EXIT_DONE)
        check(job.frozen, "frozen when guardctl comes back")
        same(world.tenants()[job.path]["state"], "frozen", "state")
        world.ctl("freeze", job.path, check_exit=EXIT_DONE)  # nothing to do is done
        world.ctl("thaw", job.path, check_exit=EXIT_DONE)
        check(not job.frozen, "thawed when guardctl comes back")
        world.ctl("kill", job.path, check_exit=EXIT_DONE)
        same((job.kills, job.populated), (1, False), "kills, populated")


@test
def strangers_denied():
    """who is neither root nor in the operators' group is refused, with exit status 4"""
    if os.getuid() != 0:
        raise Skip("needs root, to be somebody else")
    with World(CONFIG) as world:
        job = world.kernel.make("jobs/job-a")
        world.start()
        copy = os.path.join(world.dir, "guardctl")
        shutil.copy(GUARDCTL, copy)
        for verb in ["status"], ["list"], ["show", job.path], ["freeze", job.path], ["kill", job.path], ["reload"], \
                ["release", "--all"]:
            denied = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", copy,
                                     f"--socket={world.socket}", *verb], capture_output=True, text=True)
            same(denied.returncode, EXIT_DENIED, f"exit status of {verb}: {denied.stderr}")
            check("guardd" in denied.stderr, "it names the group to join: " + denied.stderr)
        same((job.freeze_writes, job.kills, job.limit), ([], 0, "512"), "what was done")


@test
def configuration_wrong():
    """a wrong configuration: exit status 78, file and line, and nothing is touched"""
    wrong = {
        "unknown key": ("[Guard]\nMood=enforce\n", 2),
        "unknown section": ("[Guards]\nMode=enforce\n", 1),
        "bad value": (CONFIG.replace("TasksMax=512", "TasksMax=lots"), 6),
        "rule without a reading": (CONFIG.replace("tasks.denied > 0", "tasks.nonsense > 0"), 16),
        "class with an unknown rule": (CONFIG.replace("TasksMax=512\nRules=fork-bomb", "TasksMax=512\nRules=fork-bom"), 7),
    }
    for what, (text, line) in wrong.items():
        with World(text) as world:
            job = world.kernel.make("jobs/job-a")
            world.start(wait=False)
            same(world.wait_for_exit(), 78, f"exit status, {what}")
            check(f"etc/guardd/guardd.conf:{line}:" in world.log(), f"{what}: no line {line} in {world.log()}")
            same(job.limit, "max", "pids.max")


@test
def nothing_to_guard():
    """no cgroup tree where one is said to be: a failed start that says so"""
    with World(CONFIG) as world:
        os.rename(world.kernel.root, world.kernel.root + ".away")
        world.start(wait=False)
        same(world.wait_for_exit(), 1, "exit status")
        check("no cgroup v2 tree at " + world.kernel.root in world.log(), "it says so")


@test
def socket_activation():
    """the socket that systemd passes in is used"""
    with World(CONFIG) as world:
        world.kernel.make("jobs/job-a")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(world.socket)
        listener.listen()
        waiting = world.link()  # before guardd is there
        waiting.send("GetStatus")
        with open(world.log_path, "ab") as log:
            command = world.command()
            command = [arg for arg in command if not arg.startswith("--socket")]
            world.process = subprocess.Popen(
                ["sh", "-c", 'fd=$1; shift; eval "exec 3<&$fd"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh",
                 str(listener.fileno()), *command], pass_fds=[listener.fileno()], stdout=log, stderr=log)
        reply = waiting.receive()
        same(reply["parameters"]["tenants"], 1, "tenants in the answer")
        listener.close()


@test
def only_one():
    """a second guardd on the same ledger does not start, and the first goes on"""
    with World(CONFIG) as world:
        job = world.kernel.make("jobs/job-a")
        world.start()
        second = subprocess.run(world.command(), capture_output=True, text=True, timeout=DEADLINE, env={
            k: v for k, v in os.environ.items() if k != "NOTIFY_SOCKET"})
        same(second.returncode, 1, f"exit status of the second ({second.stderr})")
        check("another guardd" in second.stderr, second.stderr)
        job.bomb()
        eventually("the first one freezes", lambda: job.frozen)
        same(world.tenants()[job.path]["state"], "frozen", "the first one answers")


if __name__ == "__main__":
    run()
