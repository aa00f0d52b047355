#!/usr/bin/env python3
"""What was recorded is decided again, bit for bit; other rules decide something else; what is damaged is refused."""

import json
import os
import shutil
import subprocess
import sys

from fake import *

CONFIG = policy(
    tenant_class("graceful", "freeze 500ms, kill 1s"),
    tenant_class("patient", "warn 500ms, freeze", when="tasks.current > 80% for 1s", until="tasks.current < 60% for 1s"),
    held_class(),
    jobs_class("1500ms"))


def program(world, *arguments, check_exit=0):
    """guardd --replay, as guardctl executes it."""
    run = subprocess.run([GUARDD, f"--root={world.root}", *arguments], capture_output=True, text=True, timeout=DEADLINE)
    same(run.returncode, check_exit, f"exit status of {arguments} (it said: {run.stdout + run.stderr})")
    return run


def save(world, name="trace"):
    path = os.path.join(world.root, name)
    world.ctl("trace", "save", path, check_exit=0)
    return path


def decisions(events):
    """What the engine decided, as Watch told it; in the order of time, since two at one moment have none."""
    mine = [{k: v for k, v in e.items() if k not in ("sequence", "action")} for e in events
            if e["kind"] == "decision" and e["decision"]["cause"] in ("rule", "relief")]
    return sorted(json.dumps(e, sort_keys=True) for e in mine)


def replayed(world, path, *arguments):
    return [json.loads(line) for line in program(world, "--replay", path, "--json", *arguments).stdout.splitlines()]


def directory(world, name, text):
    path = os.path.join(world.root, name)
    os.makedirs(path)
    with open(os.path.join(path, "guardd.conf"), "w") as file:
        file.write(text)
    return path


def attacked(config=CONFIG):
    """Bombs that are frozen, killed, let go; an operator in between; the trace of it, and what Watch told."""
    world, job, graceful, patient, held = started(config, "jobs/a", "graceful/a", "patient/a", "held/a")
    try:
        watch = world.watch()
        job.bomb()
        graceful.bomb()
        patient.set_tasks(95)
        held.bomb()
        patient.refuse_forks()  # so that it is looked at
        watch.wait("outcome", "freeze", "held/a", "done")
        world.ctl("thaw", "held/a", check_exit=0)
        watch.wait("outcome", "thaw", "jobs/a", "done")
        watch.wait("outcome", "kill", "graceful/a", "done")
        late = world.kernel.make("jobs/late", limit=100)
        eventually("the late one is known", lambda: any(t["path"] == "jobs/late" for t in world.call("ListTenants")["tenants"]))
        late.bomb()
        watch.wait("outcome", "kill", "jobs/late", "done")
        watch.wait("outcome", "thaw", "jobs/late", "done")
        late.remove()
        return world, watch
    except BaseException:
        world.__exit__(*sys.exc_info())
        raise


@test
def the_same_again():
    """a replay decides what was decided live, bit for bit in the JSON that Watch gave"""
    world, watch = attacked()
    with world:
        path = save(world)
        live, again = decisions(watch.events), decisions(replayed(world, path))
        check(len(live) >= 10, f"there was something to decide: {live}")
        same(again, live, "decisions")
        text = program(world, "--replay", path).stdout
        check("the same as were recorded" in text, text)
        same(os.stat(path).st_mode & 0o777, 0o600, "the mode of the file")
        os.environ["GUARDD_PROGRAM"] = GUARDD
        text = world.ctl("replay", path, check_exit=0).stdout
        check("jobs/a" in text and "the same as were recorded" in text, "guardctl replay: " + text)
        text = world.ctl("replay", path, "--json", f"--config={directory(world, 'own', CONFIG)}", check_exit=0).stdout
        same(decisions(map(json.loads, text.splitlines())), live, "decisions by the same configuration from a directory")


@test
def stricter():
    """a stricter rule acts earlier, a laxer one later or never; --diff says so against the present one"""
    world, watch = attacked()
    with world:
        path = save(world)
        kill = lambda events: [e["realtimeUsec"] for e in events if e["kind"] == "decision"
                               and e["decision"]["verb"] == "kill" and e["tenant"] == "jobs/a"]
        live = kill(watch.events)[0]
        strict = directory(world, "strict", CONFIG.replace("freeze 1500ms, kill", "freeze 200ms, kill"))
        lax = directory(world, "lax", CONFIG.replace("freeze 1500ms, kill", "freeze"))
        earlier = kill(replayed(world, path, "--config", strict))
        check(earlier and earlier[0] < live - 500_000, f"{earlier} is earlier than {live}")
        same(kill(replayed(world, path, "--config", lax)), [], "kills where no step is one")
        found = {(d["difference"], (d.get("here") or d["there"])["decision"]["verb"]) for d in
                 replayed(world, path, "--config", strict, "--diff")
                 if (d.get("here") or d["there"])["tenant"] == "jobs/a"}
        check(("earlier", "kill") in found, f"--diff with a stricter one: {found}")
        found = {(d["difference"], (d.get("here") or d["there"])["decision"]["verb"]) for d in
                 replayed(world, path, "--config", lax, "--diff")}
        check(("only there", "kill") in found, f"--diff with a laxer one: {found}")
        text = program(world, "--replay", path, "--config", strict, "--diff").stdout
        check("earlier" in text and "differ from the present configuration" in text, text)
        text = program(world, "--replay", path, "--diff").stdout
        check("No decision would be another one" in text, text)


@test
def another_configuration_in_between():
    """a reload, and what was decided before and after it"""
    world, job, held = started(CONFIG, "jobs/a", "held/a")
    with world:
        watch = world.watch()
        job.bomb()
        watch.wait("outcome", "freeze", "jobs/a", "done")
        world.configure(CONFIG.replace("freeze 1h, kill", "warn 300ms, freeze 1h, kill"))
        world.ctl("reload", check_exit=0)
        held.bomb()
        watch.wait("outcome", "freeze", "held/a", "done")
        watch.wait("outcome", "kill", "jobs/a", "done")
        same(decisions(replayed(world, save(world))), decisions(watch.events), "decisions")


@test
def what_an_operator_changed():
    """exempt and guarded again, mode observe and enforce: decided again as it was"""
    world, job, held = started(CONFIG, "jobs/a", "held/a")
    with world:
        watch = world.watch()
        held.bomb()
        watch.wait("outcome", "freeze", "held/a", "done")
        world.ctl("exempt", "held/a", "--for", "1h", check_exit=0)
        held.refuse_forks()
        world.ctl("mode", "observe", check_exit=0)
        job.bomb()
        watch.wait("outcome", "kill", "jobs/a", "observed")
        world.ctl("mode", "enforce", check_exit=0)
        job.refuse_forks()
        watch.wait("outcome", "kill", "jobs/a", "done")
        world.ctl("exempt", "held/a", "--end", check_exit=0)
        held.refuse_forks()
        eventually("it is frozen again", lambda: len([e for e in watch.find("outcome", "freeze") if e["tenant"] == "held/a"]) == 2)
        same(decisions(replayed(world, save(world))), decisions(watch.events), "decisions")


@test
def a_trace_that_went_round():
    """the ring is small and full: what is left is replayed from the state that it begins with"""
    world, job, held = started(CONFIG.replace("[Guard]", "[Guard]\nTraceSize=512K"), "jobs/a", "held/a")
    with world:
        watch = world.watch()
        held.bomb()
        watch.wait("outcome", "freeze", "held/a", "done")
        link = world.link()
        for _ in range(6000):  # each of them looks
            link.call("ShowTenant", {"tenant": "held/a"})
        job.bomb()
        watch.wait("outcome", "kill", "jobs/a", "done")
        world.ctl("thaw", "held/a", check_exit=0)
        path = save(world)
        with open(path) as file:
            lines = [json.loads(line) for line in file]
        check(not any(l["kind"] == "decision" and l["decision"]["verb"] == "freeze" and l["cgroupId"] == held.id
                      for l in lines if "decision" in l), "the first freeze is no longer in it")
        first = lines[1]["realtimeUsec"]
        live = decisions(e for e in watch.events if e["realtimeUsec"] >= first)
        check(len(live) >= 3, f"there was something to decide: {live}")
        same(decisions(replayed(world, path)), live, "decisions")


@test
def off():
    """TraceSize=0: nothing is kept, and guardctl says so; a reload switches it on"""
    world, job = started(CONFIG.replace("[Guard]", "[Guard]\nTraceSize=0"), "jobs/a")
    with world:
        path = os.path.join(world.root, "trace")
        run = world.ctl("trace", "save", path, check_exit=EXIT_REFUSED)
        check("TraceSize=0" in run.stderr and not os.path.exists(path), run.stderr)
        world.configure(CONFIG)
        world.ctl("reload", check_exit=0)
        watch = world.watch()
        job.bomb()
        watch.wait("outcome", "kill", "jobs/a", "done")
        same(decisions(replayed(world, save(world))), decisions(watch.events), "decisions")


@test
def damaged():
    """a file that is no trace, cut off or wrong in a line: a sentence with the line, never more"""
    world, job = started(CONFIG, "jobs/a")
    with world:
        watch = world.watch()
        job.bomb()
        watch.wait("outcome", "kill", "jobs/a", "done")
        path = save(world)
        with open(path) as file:
            lines = file.read().splitlines()
        looks = [n for n, line in enumerate(lines) if json.loads(line)["kind"] == "look"]

        def refused(text, *words):
            broken = os.path.join(world.root, "broken")
            with open(broken, "wb") as file:
                file.write(text if isinstance(text, bytes) else text.encode())
            error = program(world, "--replay", broken, check_exit=1).stderr
            for word in words:
                check(word in error, f"{word!r} in {error!r}")
            same(len(error.splitlines()), 1, f"lines of {error!r}")

        n = looks[0]
        refused("", "nothing is in it")
        refused("hello\n", ":1:")
        refused("{}\n", "no trace")
        refused('{"kind":"trace","format":99}\n', "format")
        refused("\n".join(lines)[:-20], ":%d:" % len(lines), "cut off")
        refused("\n".join(lines[:1] + lines[n:]) + "\n", ":2:", "begins with its configuration")
        refused("\n".join(lines[:n] + [lines[n].replace('"kind":"look"', '"kind":"bite"')] + lines[n + 1:]) + "\n",
                f":{n + 1}:", "kind")
        refused("\n".join(lines[:n] + [lines[n].replace('"tasks.current":[', '"tasks.curent":[')] + lines[n + 1:]) + "\n",
                f":{n + 1}:", "readings")
        refused("\n".join(lines[:n] + ["[" * 5000] + lines[n + 1:]) + "\n", f":{n + 1}:")
        refused("\n".join(lines[:n]).encode() + b"\n{\0}\n", f":{n + 1}:", "NUL")
        refused("\n".join(line.replace("[Rule fork-bomb]", "[Rulle fork-bomb]") for line in lines) + "\n", "configuration")
        program(world, "--replay", "/nonexistent", check_exit=1)
        program(world, "--replay", path, "--config", "/nonexistent", check_exit=1)
        # What is no lie of a line's form: entries that are missing. It says what it has.
        with open(path, "w") as file:
            file.write("\n".join(line for line in lines if json.loads(line)["kind"] != "tenant") + "\n")
        run = subprocess.run([GUARDD, "--replay", path], capture_output=True, text=True, timeout=DEADLINE)
        check(run.returncode == 1 and "not whole" in run.stdout, run.stdout + run.stderr)


@test
def not_for_everybody():
    """whoever may only look is not given the trace"""
    world, job = started(CONFIG, "jobs/a")
    with world:
        if os.geteuid() != 0:
            return
        copy = shutil.copy(GUARDCTL, world.root)
        os.chmod(world.root, 0o755)
        run = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", copy,
                              f"--socket={world.socket}", "trace", "save", "-"],
                             capture_output=True, text=True, timeout=DEADLINE)
        same(run.returncode, EXIT_DENIED, run.stderr)


@test
def nobody_reads():
    """a peer that asks for the trace and does not read: others go on, and it may go"""
    world, job = started(CONFIG, "jobs/a")
    with world:
        link = world.link()
        for _ in range(3000):
            link.call("ShowTenant", {"tenant": "jobs/a"})
        mute = world.link()
        mute.send("Trace", more=True)
        run = eventually("it is being sent", lambda: (lambda r: r if r.returncode else None)(world.ctl("trace", "save", "-")))
        same(run.returncode, EXIT_REFUSED, run.stderr)
        watch = world.watch()
        job.bomb()
        watch.wait("outcome", "kill", "jobs/a", "done")
        mute.socket.close()
        eventually("the next one has it", lambda: world.ctl("trace", "save", "-").returncode == 0)


if __name__ == "__main__":
    run()
