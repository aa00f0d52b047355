#!/usr/bin/env python3
"""Limits that an operator sets live: at once, all or none, for as long as was asked. The made-up tree has tasks to limit and
no disks, which is just what "none" needs."""

from fake import *

CLASS = """
[Tenants jobs]
Match=jobs/*
TasksMax=512
Rules=fork-bomb
[Rule fork-bomb]
When=tasks.denied > 0
Until=tasks.current < 50% for 1s
Steps=freeze 1h, kill
"""
CONFIG = "[Guard]\nProtect=jobs/precious\n" + CLASS


class Jobs(World):
    """One job, which guardd has given its limit."""

    def __init__(self, config=CONFIG, found="max", settled="512"):
        super().__init__(config)
        self.job = self.kernel.make("jobs/a", limit=found)
        self.start()
        self.settle("jobs/a", settled)

    def settle(self, name, limit):
        eventually(f"{name} has {limit}", lambda: name in self.tenants() and self.kernel.cgroups[name].limit == limit)

    def set(self, *words, check_exit=EXIT_DONE):
        return self.ctl("set", "jobs/a", *words, check_exit=check_exit)

    def reset(self, *words, check_exit=EXIT_DONE):
        return self.ctl("reset", "jobs/a", *words, check_exit=check_exit)

    def tasks_max(self, tenant="jobs/a"):
        """The limit as it is shown, values as plain numbers."""
        shown = next(limit for limit in self.show(tenant)["limits"] if limit["name"] == "TasksMax")
        return {key: value.get("value", value) if isinstance(value, dict) else value for key, value in shown.items()}

    def has(self, limit, override, what, tenant="jobs/a"):
        """In the kernel, and what is said of it."""
        same(self.kernel.cgroups[tenant].limit, limit, f"pids.max {what}")
        same(self.tasks_max(tenant).get("override"), override, f"override {what}")

    def kept(self, directory):
        """Names of the files of overrides."""
        return sorted(os.listdir(os.path.join(directory, "overrides")))

    def refused(self, result, *parts):
        """One sentence, and nothing came of it."""
        same(result.stderr.count("\n"), 1, "lines of " + repr(result.stderr))
        for part in parts:
            check(part in result.stderr, f"{part!r} is not in {result.stderr!r}")


@test
def at_once():
    """set: in force before guardctl returns, and read back; reset gives back the class's"""
    with Jobs() as world:
        said = world.set("TasksMax=300").stdout
        world.has("300", 300, "when guardctl has returned")
        check("TasksMax" in said and "300" in said, said)
        same(world.tasks_max()["inForce"], 300, "what was read back")
        for value in "200", "100", "999":
            world.set(f"TasksMax={value}")
            world.has(value, int(value), "the next one")
        world.reset("TasksMax")
        world.has("512", None, "after reset")
        same(world.kept(world.state), [], "what is kept")


# Values of the same length: the made-up files keep what is not written over.
MEMORY = {"memory.max": "8589934592", "memory.high": "9663676416", "memory.swap.max": "max", "memory.current": "1048576",
          "memory.swap.current": "0", "cpu.max": "300000 100000", "cpu.weight": "100", "io.weight": "default 100"}
MEMORY_CLASS = CLASS.replace("TasksMax=512", "TasksMax=512\nMemoryMax=4G\nCPUQuota=200%\nIOWeight=200")


class MemoryJobs(Jobs):
    """One job with limits of its own, and a class that asks for less."""

    def __init__(self):
        World.__init__(self, "[Guard]\n" + MEMORY_CLASS)
        self.job = self.kernel.make("jobs/a", files=MEMORY)
        self.start()
        eventually("the class's", lambda: self.kernel_has() == self.OF_CLASS)

    OF_CLASS = "4294967296", "200000 100000", "default 200"
    FOUND = MEMORY["memory.max"], MEMORY["cpu.max"], MEMORY["io.weight"]

    def kernel_has(self):
        return tuple(self.job.read(name) for name in ("memory.max", "cpu.max", "io.weight"))

    def shown(self):
        return {limit["name"]: limit for limit in self.show("jobs/a")["limits"]}


@test
def memory_and_cpu():
    """limits of memory, CPU and I/O: of the class, by hand, taken back, and given back as found"""
    with MemoryJobs() as world:
        shown = world.shown()
        same((shown["MemoryMax"]["inForce"], shown["MemoryMax"]["found"], shown["MemoryMax"]["used"]),
             ({"value": 4 << 30}, {"value": 8 << 30}, 1 << 20), "MemoryMax")
        same((shown["CPUQuota"]["inForce"], shown["CPUQuota"]["asked"], shown["CPUQuota"]["unit"]),
             ({"value": 20000}, {"value": 20000}, "percent"), "CPUQuota")
        same((shown["MemoryHigh"]["inForce"], shown["MemoryHigh"].get("found")), ({"value": 9 << 30}, None),
             "the tenant's own, which guardd leaves alone")
        said = world.set("MemoryMax=2G", "CPUQuota=150%", "IOWeight=300").stdout
        check("MemoryMax=2G (was 4G), uses 1M, 0%" in said and "CPUQuota=150% (was 200%)" in said, said)
        same(world.kernel_has(), ("2147483648", "150000 100000", "default 300"), "when guardctl has returned")
        world.reset("MemoryMax")
        same(world.kernel_has(), (world.OF_CLASS[0], "150000 100000", "default 300"), "one of them reset")
        world.crash()
        world.start()
        same(world.kernel_has(), (world.OF_CLASS[0], "150000 100000", "default 300"), "after kill -9")
        world.reset()
        same(world.kernel_has(), world.OF_CLASS, "all reset")
        world.ctl("release", "jobs/a", check_exit=EXIT_DONE)
        same(world.kernel_has(), world.FOUND, "released")
        same(world.entries("limit"), [], "the ledger")


@test
def memory_and_cpu_all_or_none():
    """one limit that cannot be set leaves the others as they are"""
    with MemoryJobs() as world:
        os.unlink(os.path.join(world.job.dir, "cpu.weight"))
        world.set("MemoryMax=2G", "CPUQuota=150%", "CPUQuota=1%", check_exit=EXIT_USAGE)
        result = world.set("MemoryMax=2G", "DiskSpaceMax=1G", check_exit=5)
        check("disk" in result.stderr, result.stderr)
        same(world.kernel_has(), world.OF_CLASS, "nothing was changed")
        result = world.set("MemoryMax=2G", "CPUWeight=500", check_exit=5)
        world.refused(result, "CPUWeight", "cpu controller is not enabled")
        same(world.kernel_has(), world.OF_CLASS, "nothing was changed")


class DiskJobs(Jobs):
    """One job on a host with one disk, where its runtime has set a limit; the class asks for less."""

    FOUND, OF_CLASS = "8:0 wbps=90000000", "8:0 wbps=20000000"

    def __init__(self, disk=True):
        World.__init__(self, "[Guard]\n" + CLASS.replace("TasksMax=512", "TasksMax=512\nIOWriteBandwidthMax=20M"))
        if disk:
            for path, text in (("proc/1/mountinfo", "28 1 8:0 / / rw - ext4 /dev/sda rw\n"),
                               ("sys/dev/block/8:0/dev", "8:0\n")):
                os.makedirs(os.path.dirname(os.path.join(self.root, path)))
                with open(os.path.join(self.root, path), "w") as file:
                    file.write(text)
        self.job = self.kernel.make("jobs/a", files={"io.max": self.FOUND})
        self.start()
        self.settle("jobs/a", "512")

    def line(self):
        return self.job.read("io.max")

    def shown(self):
        return next(limit for limit in self.show("jobs/a")["limits"] if limit["name"] == "IOWriteBandwidthMax")


@test
def disks():
    """limits of I/O: on the host's disk, of the class, by hand, taken up after a crash, and given back as found"""
    with DiskJobs() as world:
        eventually("the class's", lambda: world.line() == world.OF_CLASS)
        shown = world.shown()
        same((shown["inForce"], shown["found"], shown["unit"]), ({"value": 20000000}, {"value": 90000000}, "bytes/s"), "shown")
        said = world.set("IOWriteBandwidthMax=50M").stdout
        check("IOWriteBandwidthMax=50M/s (was 20M/s)" in said, said)
        same(world.line(), "8:0 wbps=50000000", "when guardctl has returned")
        world.crash()
        world.start()
        same(world.line(), "8:0 wbps=50000000", "after kill -9")
        world.reset()
        same(world.line(), world.OF_CLASS, "reset")
        world.job.write("io.max", "8:0 wbps=70000000")
        same(world.shown()["inForce"], {"value": 70000000}, "what is there is shown")
        eventually("it is mended", lambda: world.line() == world.OF_CLASS)
        world.ctl("release", "jobs/a", check_exit=EXIT_DONE)
        same(world.line(), "8:0 wbps=70000000", "released")
        same(world.entries("limit"), [], "the ledger")


@test
def disks_undone():
    """a limit of I/O of a cgroup that is no tenant any more is given back by the next start"""
    with DiskJobs() as world:
        eventually("the class's", lambda: world.line() == world.OF_CLASS)
        world.crash()
        world.configure("")
        world.start()
        same(world.line(), world.FOUND, "given back")
        same(world.entries("limit"), [], "the ledger")


@test
def no_disks():
    """limits of I/O where no disk is known: said, and refused"""
    with DiskJobs(disk=False) as world:
        result = world.set("IOWriteBandwidthMax=50M", check_exit=5)
        world.refused(result, "IOWriteBandwidthMax", "no disk is known")
        check("no disk is known" in world.shown()["note"], world.shown())
        same(world.line(), world.FOUND, "nothing was changed")


@test
def somebody_else_and_memory():
    """what somebody else changed is seen by who looks, and mended"""
    with MemoryJobs() as world:
        world.job.write("memory.max", "6442450944")
        world.job.write("cpu.max", "250000 100000")
        shown = world.shown()
        same(shown["MemoryMax"]["inForce"], {"value": 6 << 30}, "what is there is shown")
        eventually("it is mended", lambda: world.kernel_has() == world.OF_CLASS)
        world.ctl("release", "jobs/a", check_exit=EXIT_DONE)
        same(world.kernel_has(), ("6442450944", "250000 100000", "default 100"), "given back is what was there last")


@test
def above_all():
    """an operator's limit goes above the class's and above what was found; reset gives back what was found"""
    with Jobs(found="200", settled="200") as world:
        world.set("TasksMax=900")
        world.has("900", 900, "above both")
        world.set("TasksMax=infinity")
        same(world.job.limit, "max", "without limit")
        world.reset()
        world.has("200", None, "as found")


@test
def persistent():
    """an override outlives a restart and a kill -9, also what follows on a first one"""
    with Jobs() as world:
        world.set("TasksMax=300")
        world.restart()
        world.has("300", 300, "after a restart")
        world.set("TasksMax=400")
        world.crash()
        world.job.write("pids.max", "max\n")  # a reboot
        os.unlink(world.ledger_path)
        world.start()
        world.settle("jobs/a", "400")
        world.has("400", 400, "after a reboot")
        world.crash()
        world.start()
        world.reset()
        world.crash()
        world.start()
        world.has("512", None, "reset outlives it as well")


@test
def until_reboot():
    """--runtime ends with /run, what is persistent below it comes back"""
    with Jobs() as world:
        world.set("TasksMax=300")
        world.set("TasksMax=200", "--runtime")
        world.has("200", 200, "the runtime one")
        world.crash()
        world.start()
        world.has("200", 200, "after kill -9")
        world.stop()
        shutil.rmtree(world.runtime)
        os.mkdir(world.runtime)
        world.job.write("pids.max", "max\n")
        world.start()
        world.settle("jobs/a", "300")
        world.has("300", 300, "after a reboot")
        world.set("TasksMax=200", "--runtime")
        world.reset("TasksMax")
        world.has("512", None, "reset takes both")
        same((world.kept(world.state), world.kept(world.runtime)), ([], []), "what is kept")


@test
def all_or_none():
    """TasksMax= and DiskSpaceMax= where no disk can be limited: refused, and neither is changed"""
    with Jobs() as world:
        world.refused(world.set("TasksMax=300", "DiskSpaceMax=1G", check_exit=EXIT_REFUSED), "disk")
        world.has("512", None, "after the refusal")
        same(world.kept(world.state), [], "what is kept")
        world.refused(world.set("DiskInodesMax=1k", "TasksMax=300", "--runtime", check_exit=EXIT_REFUSED), "disk")
        world.has("512", None, "after the refusal")
        world.set("TasksMax=400")
        world.refused(world.set("TasksMax=300", "DiskSpaceMax=1G", check_exit=EXIT_REFUSED), "disk")
        world.has("400", 400, "the override before")
        world.restart()
        world.has("400", 400, "and after a restart")


@test
def kernel_says_no():
    """what the kernel does not take takes all of it back: the value, the override, and what was in force before"""
    with Jobs() as world:
        world.set("TasksMax=400")
        # more than a made-up pids.max holds of it: it reads back as another number, as a kernel that does not comply
        world.set("TasksMax=30", check_exit=EXIT_FAILED)
        eventually("the override is back", lambda: world.tasks_max().get("override") == 400)
        eventually("the value is back", lambda: world.job.limit == "400")
        world.restart()
        world.has("400", 400, "after a restart")


@test
def made_again():
    """the override is the name's: a cgroup that is made again under it has it, another one has not"""
    with Jobs() as world:
        world.set("TasksMax=300")
        world.job.remove()
        eventually("it is gone", lambda: "jobs/a" not in world.tenants())
        world.job = world.kernel.make("jobs/a")
        other = world.kernel.make("jobs/b")
        world.settle("jobs/a", "300")
        world.settle("jobs/b", "512")
        world.has("300", 300, "of the second of that name")
        world.has("512", None, "of the other", tenant="jobs/b")
        world.reset()
        world.has("512", None, "after reset")
        same(other.limit, "512", "the other one's")


@test
def newcomer():
    """set of a tenant that has just appeared, before its class's limits are looked at"""
    with Jobs() as world:
        world.kernel.make("jobs/new")
        eventually("it is met", lambda: "jobs/new" in world.tenants())
        world.ctl("set", "jobs/new", "TasksMax=300", check_exit=EXIT_DONE)
        same(world.kernel.cgroups["jobs/new"].limit, "300", "at once")
        eventually("the looks are over", lambda: "jobs/new" in world.tenants())
        time.sleep(1)
        world.has("300", 300, "after a look", tenant="jobs/new")


@test
def two_operators():
    """twenty operators set the same limit at once: each is answered, and one of their values stands"""
    with Jobs() as world:
        values = [str(value) for value in range(300, 320)]
        operators = [subprocess.Popen([GUARDCTL, f"--socket={world.socket}", "set", "jobs/a", f"TasksMax={value}"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                     for value in values]
        for operator in operators:
            out, err = operator.communicate(timeout=DEADLINE)
            check(operator.returncode in (EXIT_DONE, EXIT_REFUSED), f"{operator.returncode}: {out}{err}")
            if operator.returncode == EXIT_REFUSED:
                check("under way" in err, err)
        check(world.job.limit in values, world.job.limit)
        world.has(world.job.limit, int(world.job.limit), "of the last one")
        last = world.job.limit
        world.restart()
        world.has(last, int(last), "after a restart")


@test
def one_after_the_other():
    """calls that wait in one connection are answered in their order"""
    with Jobs() as world:
        link = world.link()
        for value in range(300, 310):
            link.send("SetLimits", {"tenant": "jobs/a", "limits": [{"name": "TasksMax", "value": str(value)}]})
        for value in range(300, 310):
            reply = link.receive()
            check("error" not in reply, str(reply))
        world.has("309", 309, "of the last one")


@test
def observing():
    """Mode=observe: set and reset are refused, and an override of before is only reported"""
    with Jobs() as world:
        world.set("TasksMax=300")
        world.configure("[Guard]\nMode=observe\n" + CLASS)
        world.ctl("reload", check_exit=EXIT_DONE)
        world.refused(world.set("TasksMax=200", check_exit=EXIT_REFUSED), "observe")
        world.refused(world.reset(check_exit=EXIT_REFUSED), "observe")
        world.has("300", 300, "while it observes")
        world.configure(CONFIG)
        world.ctl("reload", check_exit=EXIT_DONE)
        world.reset()
        world.has("512", None, "when it guards again")


@test
def protected():
    """a protected tenant gets limits like any other"""
    with Jobs() as world:
        world.kernel.make("jobs/precious")
        world.settle("jobs/precious", "512")
        world.ctl("set", "jobs/precious", "TasksMax=300", check_exit=EXIT_DONE)
        world.has("300", 300, "protected", tenant="jobs/precious")


@test
def released():
    """a tenant that was released is left alone: set is refused until a reload, which brings its override back"""
    with Jobs() as world:
        world.set("TasksMax=300")
        world.ctl("release", "jobs/a", check_exit=EXIT_DONE)
        same(world.job.limit, "max", "as found")
        world.refused(world.set("TasksMax=200", check_exit=EXIT_REFUSED), "released")
        same(world.job.limit, "max", "still")
        world.ctl("reload", check_exit=EXIT_DONE)
        world.settle("jobs/a", "300")


@test
def frozen():
    """set of a frozen tenant is taken, and more room lets it go"""
    with Jobs() as world:
        world.job.bomb()
        eventually("it is frozen", lambda: world.job.frozen)
        world.set("TasksMax=999")
        world.has("999", 999, "of the frozen one")
        world.job.set_tasks(10)
        eventually("it is thawed", lambda: not world.job.frozen)


@test
def not_written_down():
    """what cannot be written down is not done, and a sentence says why"""
    with World(CONFIG) as world:
        world.__class__ = Jobs
        os.rmdir(world.state)
        with open(world.state, "w"):
            pass
        world.job = world.kernel.make("jobs/a")
        world.start()
        world.settle("jobs/a", "512")
        world.refused(world.set("TasksMax=300", check_exit=EXIT_REFUSED), "could not be written down")
        world.has("512", None, "after the refusal")
        world.wait_log("limits that operators set")  # said at the start
        world.set("TasksMax=300", "--runtime")  # that one lies elsewhere
        world.has("300", 300, "in /run")


@test
def lost_under_way():
    """the directory of overrides vanishes while guardd runs: the same, and the override of before stands"""
    with Jobs() as world:
        world.set("TasksMax=300")
        shutil.rmtree(os.path.join(world.state, "overrides"))
        world.refused(world.set("TasksMax=200", check_exit=EXIT_REFUSED), "could not be written down")
        world.has("300", 300, "after the refusal")


@test
def damaged():
    """a damaged file of overrides is put aside and told, the others are read"""
    with Jobs() as world:
        world.kernel.make("jobs/b")
        world.settle("jobs/b", "512")
        world.set("TasksMax=300")
        world.ctl("set", "jobs/b", "TasksMax=400", check_exit=EXIT_DONE)
        world.stop()
        directory = os.path.join(world.state, "overrides")
        name = next(name for name in world.kept(world.state) if "a" in name.rsplit(".", 1)[0].rsplit("%2F", 1)[-1])
        with open(os.path.join(directory, name), "r+") as file:
            file.truncate(20)
        with open(os.path.join(directory, "stray.json"), "w") as file:
            file.write('{"tenant": "jobs/b", "uid": 0, "realtimeUSec": 1, "limits": {"TasksMax": 100}}')
        with open(os.path.join(directory, "half.tmp"), "w") as file:
            file.write("{")
        world.start()
        world.settle("jobs/a", "512")
        world.has("512", None, "of the damaged one")
        world.has("400", 400, "of the other", tenant="jobs/b")
        world.wait_log("2 damaged files")
        check(any(kept.endswith(".damaged") for kept in world.kept(world.state)), str(world.kept(world.state)))
        world.set("TasksMax=200")
        world.restart()
        world.has("200", 200, "set anew")


@test
def killed_while_set():
    """kill -9 at any moment of a set: the next start has the old limit or the new one, in kernel and state alike"""
    with Jobs() as world:
        for turn in range(12):
            before = world.tasks_max().get("override")
            wanted = 300 + turn
            operator = subprocess.Popen([GUARDCTL, f"--socket={world.socket}", "set", "jobs/a", f"TasksMax={wanted}"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(turn * 0.0015)
            world.crash()
            done = operator.wait(timeout=DEADLINE) == EXIT_DONE
            world.start()
            override = world.tasks_max().get("override")
            check(override == wanted or (override == before and not done), f"turn {turn}: {before} to {wanted}: {override}")
            eventually("the kernel has it", lambda: world.job.limit == str(override or 512))


if __name__ == "__main__":
    run()
