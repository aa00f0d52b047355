#!/usr/bin/env python3
"""Overrides that end by themselves, who has set them, and what two operators get who do it at once."""

from fake import *

CONFIG = """
[Guard]
[Tenants jobs]
Match=jobs/*
TasksMax=512
MemoryMax=4G
Rules=bomb
[Rule bomb]
When=tasks.denied > 0
Steps=warn
"""
MEMORY = {"memory.max": "8589934592", "memory.high": "max", "memory.swap.max": "max", "memory.current": "1048576",
          "memory.swap.current": "0", "cpu.max": "300000 100000", "cpu.weight": "100", "io.weight": "default 100"}


class Jobs(World):
    """One job, which guardd has given its limits."""

    def __init__(self):
        super().__init__(CONFIG)
        self.job = self.kernel.make("jobs/a", files=MEMORY)
        self.start()
        self.settle("512", "4294967296")

    def settle(self, tasks, memory):
        eventually(f"pids.max {tasks}, memory.max {memory}",
                   lambda: (self.job.limit, self.job.read("memory.max")) == (tasks, memory))

    def has(self, tasks, memory, when):
        same((self.job.limit, self.job.read("memory.max")), (tasks, memory), f"limits {when}")

    def set(self, *words, check_exit=EXIT_DONE):
        return self.ctl("set", "jobs/a", *words, check_exit=check_exit)

    def shown(self):
        return self.call("ShowTenant", {"tenant": "jobs/a"})

    def version(self):
        return self.shown()["version"]

    def origin(self, limit):
        return next(row["origin"] for row in self.shown()["details"]["limits"] if row["name"] == limit)

    def overrides(self, limit="TasksMax"):
        return [row for row in self.shown()["overrides"] if row["limit"] == limit]

    def refusal(self, **parameters):
        """What is answered to a set that is no good."""
        link = self.link()
        link.send("SetLimits", {"tenant": "jobs/a", "limits": [{"name": "TasksMax", "value": "100"}]} | parameters)
        return link.receive()

    def kept(self, directory):
        return sorted(os.listdir(os.path.join(directory, "overrides")))


@test
def falls_back():
    """--for: in force at once, counted down, and over by itself: the override before it counts again, or the class"""
    with Jobs() as world:
        world.set("TasksMax=300")
        said = world.set("TasksMax=200", "MemoryMax=5G", "--for", "3s").stdout
        world.has("200", "5368709120", "when guardctl has returned")
        check("left)" in said, said)
        top, below = world.overrides()
        same((top["layer"], top["value"], top["topmost"]), ("timed", {"value": 200}, True), "the timed one")
        same((below["layer"], below["value"], below["topmost"]), ("persistent", {"value": 300}, False), "the one below")
        check(0 < top["leftUsec"] <= 3000000, top["leftUsec"])
        same(world.origin("MemoryMax"), "override", "where it comes from")
        text = world.ctl("show", "jobs/a").stdout
        check("Set by operators" in text and "below it TasksMax=300" in text and "left)" in text, text)
        world.settle("300", "4294967296")
        same([row["layer"] for row in world.overrides()], ["persistent"], "what is left")
        same(world.origin("MemoryMax"), "class", "where it comes from")
        world.wait_log("TasksMax=200, which .* had set until now, has ended")


@test
def over_a_restart():
    """a timed one outlives a restart and a kill -9, and ends also when its time is over while guardd is down"""
    with Jobs() as world:
        world.set("TasksMax=200", "--for", "4s")
        world.restart()
        world.has("200", "4294967296", "after a restart")
        world.crash()
        world.start()
        world.has("200", "4294967296", "after kill -9")
        world.settle("512", "4294967296")
        world.set("TasksMax=200", "--for", "1s")
        world.crash()
        time.sleep(1.2)
        same(world.job.limit, "200", "while nobody is there")
        world.start()
        world.settle("512", "4294967296")
        same(world.overrides(), [], "what is left")
        same(world.kept(world.state), [], "what is kept")


@test
def over_a_reboot():
    """a timed one outlives a reboot, and one with --runtime does not"""
    with Jobs() as world:
        world.set("TasksMax=200", "--for", "1h")
        world.set("MemoryMax=5G", "--for", "1h", "--runtime")
        world.stop()
        shutil.rmtree(world.runtime)
        os.mkdir(world.runtime)
        world.job.write("pids.max", "max\n")
        world.start()
        world.settle("200", "4294967296")
        same([row["limit"] for row in world.shown()["overrides"]], ["TasksMax"], "what is left")


@test
def the_last_one_counts():
    """set for good takes the place of a timed one, and reset takes all layers"""
    with Jobs() as world:
        world.set("TasksMax=200", "--for", "1h")
        world.set("TasksMax=300")
        world.has("300", "4294967296", "set for good")
        same(len(world.overrides()), 1, "layers")
        world.set("TasksMax=200", "--for", "1h")
        world.ctl("reset", "jobs/a", "TasksMax", check_exit=EXIT_DONE)
        world.has("512", "4294967296", "reset")
        same((world.kept(world.state), world.kept(world.runtime)), ([], []), "what is kept")


@test
def not_while_it_is_gone():
    """the time of a tenant that is gone ends, too: whoever comes back under its name has the class's"""
    with Jobs() as world:
        world.set("TasksMax=200", "--for", "1s")
        world.job.remove()
        eventually("it is gone", lambda: "jobs/a" not in world.tenants())
        world.wait_log("jobs/a: TasksMax=200, .* has ended")
        world.job = world.kernel.make("jobs/a", files=MEMORY)
        world.settle("512", "4294967296")


@test
def who():
    """each limit keeps who set it and when; the record has each request with its process"""
    with Jobs() as world:
        before = time.time()
        world.set("TasksMax=200")
        (row,) = world.overrides()
        same(row["uid"], os.getuid(), "uid")
        check(before - 1 <= row["setRealtimeUsec"] / 1e6 <= time.time() + 1, row)
        if "command" in row:
            check("set jobs/a TasksMax=200" in row["command"], row)
        world.restart()
        same(world.overrides(), [row], "after a restart")
        for words, said in (("freeze", "freeze"), ("thaw", "thaw"), ("reset", "reset")):
            world.ctl(words, "jobs/a", check_exit=EXIT_DONE)
            world.wait_log(f"jobs/a: .*uid {os.getuid()}.* asks: {said}")
        world.ctl("reload", check_exit=EXIT_DONE)
        world.wait_log(f"uid {os.getuid()}.* asks: reload")
        check("guardctl" not in world.log(), "a command line is in the log")


@test
def version():
    """set --if-version: the loser is told what was changed, by whom, and nothing is changed"""
    with Jobs() as world:
        same(world.version(), 0, "of whom nothing was changed")
        world.set("TasksMax=300", "--if-version=0")
        first = world.version()
        check(first > 0, "a version")
        world.set("TasksMax=200", "--if-version", str(first))
        second = world.version()
        check(second > first, "another version")
        result = world.set("MemoryMax=5G", "TasksMax=100", f"--if-version={first}", check_exit=EXIT_REFUSED)
        for part in "TasksMax=200 by", f"uid {os.getuid()}", "changed":
            check(part in result.stderr, f"{part!r} is not in {result.stderr!r}")
        world.has("200", "4294967296", "of the winner")
        same(world.version(), second, "version")
        error = world.refusal(ifVersion=first)
        same((error["error"], error["parameters"]["version"]), ("io.guardd.Guard.LimitsChanged", second), "the answer")
        world.restart()
        same(world.version(), second, "after a restart")
        world.ctl("reset", "jobs/a", f"--if-version={first}", check_exit=EXIT_REFUSED)
        world.ctl("reset", "jobs/a", f"--if-version={second}", check_exit=EXIT_DONE)
        world.set("TasksMax=200", "--for", "1s")
        third = world.version()
        world.settle("512", "4294967296")
        result = world.set("TasksMax=100", f"--if-version={third}", check_exit=EXIT_REFUSED)
        check("the end of TasksMax=200" in result.stderr, result.stderr)


@test
def third_of_three():
    """a third limit that the kernel does not take: it is named, and the first two are as before when guardctl returns"""
    with Jobs() as world:
        world.set("TasksMax=300")
        before = world.shown()["overrides"], world.version()
        # more than a made-up cpu.weight holds of it: it reads back as another number
        result = world.set("TasksMax=200", "MemoryMax=5368709120", "CPUWeight=9", check_exit=EXIT_FAILED)
        check("CPUWeight" in result.stderr and "nothing is changed" in result.stderr, result.stderr)
        world.has("300", "4294967296", "when guardctl has returned")
        same((world.shown()["overrides"], world.version()), before, "what is set")
        world.restart()
        world.has("300", "4294967296", "after a restart")


@test
def wrong_words():
    """what is no span and no version is said, and what is no number of the wire's is refused"""
    with Jobs() as world:
        for word in "soon", "0", "-1h", "", "500ms", "1000000000h":
            result = world.set("TasksMax=200", f"--for={word}", check_exit=EXIT_USAGE)
            check("--for" in result.stderr, result.stderr)
        for word in "-1", "x", "1x", "99999999999999999999", "":
            world.set("TasksMax=200", f"--if-version={word}", check_exit=EXIT_USAGE)
        check("InvalidParameter" in world.refusal(forUsec=2**64 - 1)["error"], "what is answered")
        world.has("512", "4294967296", "after all")


@test
def origins():
    """each limit says where it comes from"""
    with Jobs() as world:
        same((world.origin("TasksMax"), world.origin("MemoryHigh"), world.origin("CPUQuota")), ("class", "kernel", "other"), "origins")
        world.ctl("release", "jobs/a", check_exit=EXIT_DONE)
        same((world.origin("TasksMax"), world.origin("MemoryMax")), ("kernel", "other"), "released")


if __name__ == "__main__":
    run()
