#!/usr/bin/env python3
"""Limits by hand, as far as a made-up tree goes: what guardctl says to a wrong word, and that nothing came of it."""

from fake import *

os.environ["GUARDD_PROGRAM"] = GUARDD  # of guardctl check
CONFIG = """
[Guard]
Protect=jobs/precious
[Tenants jobs]
Match=jobs/*
TasksMax=512
Rules=fork-bomb
[Rule fork-bomb]
When=tasks.denied > 0
Steps=freeze 1h, kill
"""
NAMES = ("TasksMax", "DiskSpaceMax", "DiskInodesMax", "MemoryHigh", "MemoryMax", "MemorySwapMax", "CPUQuota", "CPUWeight",
         "IOWeight", "IOReadBandwidthMax", "IOWriteBandwidthMax", "IOReadIOPSMax", "IOWriteIOPSMax")


def says(result, *parts):
    """One sentence that holds all of these."""
    same(result.stdout, "", "output")
    same(result.stderr.count("\n"), 1, "lines of " + repr(result.stderr))
    check(result.stderr.startswith("guardctl: "), result.stderr)
    for part in parts:
        check(part in result.stderr, f"{part!r} is not in {result.stderr!r}")


class Jobs(World):
    def __init__(self):
        super().__init__(CONFIG)
        self.job = self.kernel.make("jobs/a")
        self.start()
        eventually("it has its limit", lambda: self.job.limit == "512")

    def untouched(self):
        same(self.job.limit, "512", "pids.max")
        for limit in self.show("jobs/a")["limits"]:
            same((limit["name"], limit.get("override")), (limit["name"], None), "override")


@test
def wrong_words():
    """guardctl set and reset with wrong words: a sentence that says what is right, exit 2"""
    with Jobs() as world:
        wrong = lambda *words: world.ctl(*words, check_exit=EXIT_USAGE)
        says(wrong("set"), "set TENANT KEY=VALUE")
        says(wrong("set", "jobs/a"), "set TENANT KEY=VALUE")
        says(wrong("set", "jobs/a", "DiskSpaceMax"), "'DiskSpaceMax' has no value", "KEY=VALUE")
        says(wrong("set", "jobs/a", "DiskSpaceMax="), "no value", "infinity", "reset")
        says(wrong("set", "jobs/a", "=3"), "'=3' names no limit", "KEY=VALUE")
        says(wrong("set", "jobs/a", "DiskSpace=1G"), "'DiskSpace'", *NAMES)
        says(wrong("set", "jobs/a", "DiskSpaceMax=20X"), "DiskSpaceMax", "'20X'", "10G", "infinity")
        says(wrong("set", "jobs/a", "DiskInodesMax=-1"), "DiskInodesMax", "'-1'", "infinity")
        says(wrong("set", "jobs/a", "TasksMax=50%"), "TasksMax", "'50%'", "infinity")
        says(wrong("set", "jobs/a", "TasksMax=300", "TasksMax=400"), "TasksMax is named twice")
        says(wrong("set", "jobs/a", "MemoryMax=512"), "512 is out of range", "512M", "infinity")
        says(wrong("set", "jobs/a", "CPUQuota=50"), "CPUQuota", "'50'", "50%", "infinity")
        says(wrong("set", "jobs/a", "IOReadBandwidthMax=/dev/sda 5M"), "'/dev/sda 5M'", "20M", "none is named here")
        says(wrong("set", "jobs/a", "CPUWeight=infinity"), "CPUWeight", "10000")
        says(wrong("set", "jobs/a", "TasksMax=300", "DiskSpaceMax=\x1b[2J"), "'\\x1b[2J'")
        says(wrong("set", "jobs/a", "TasksMax=" + "9" * 5000), "TasksMax")
        says(wrong("reset"), "reset TENANT")
        says(wrong("reset", "jobs/a", "TasksMax=300"), "has a value")
        says(wrong("reset", "jobs/a", "MemoryMin"), "'MemoryMin'", *NAMES)
        says(wrong("reset", "jobs/a", "--runtime"), "--runtime is for set only")
        says(wrong("list", "--repair"), "--repair is for check only")
        world.untouched()


@test
def whom():
    """set, reset and check of a tenant that is not there: exit 3"""
    with Jobs() as world:
        for words in ["set", "nobody", "TasksMax=300"], ["reset", "nobody"], ["check", "nobody"]:
            says(world.ctl(*words, check_exit=EXIT_NO_SUCH_TENANT), "'nobody'")
        world.untouched()


@test
def raw_words():
    """wrong words past guardctl: typed errors, and the guard goes on"""
    with Jobs() as world:
        link = world.link()
        for method, parameters, error in (
                ("SetLimits", {"tenant": "jobs/a", "limits": []}, f"{INTERFACE}.InvalidLimit"),
                ("SetLimits", {"tenant": "jobs/a", "limits": [{"name": "TasksMax", "value": ""}]},
                 f"{INTERFACE}.InvalidLimit"),
                ("SetLimits", {"tenant": "jobs/a"}, "org.varlink.service.InvalidParameter"),
                ("SetLimits", {"tenant": "jobs/a", "limits": [{"name": "TasksMax", "value": 300}]},
                 "org.varlink.service.InvalidParameter"),
                ("ResetLimits", {"tenant": "jobs/a", "names": ["Nothing"]}, f"{INTERFACE}.InvalidLimit"),
                ("ResetLimits", {"tenant": "nobody"}, f"{INTERFACE}.NoSuchTenant"),
                ("CheckTenant", {}, "org.varlink.service.InvalidParameter")):
            link.send(method, parameters)
            same(link.receive().get("error"), error, f"{method} {parameters}")
        world.untouched()
        world.job.bomb()
        eventually("it is frozen", lambda: world.job.frozen)


@test
def file_or_tenant():
    """guardctl check: a file is the configuration's, another word is a tenant"""
    with Jobs() as world:
        good = os.path.join(world.dir, "good.conf")
        with open(good, "w") as file:
            file.write(CONFIG)
        check("tenant" not in world.ctl("check", good).stderr, "a path is a file")
        for missing in "missing.conf", "./missing", "../missing", "/missing":
            result = world.ctl("check", missing)
            check(result.returncode != EXIT_NO_SUCH_TENANT and missing in result.stdout + result.stderr,
                  f"{missing} is a file: {result}")
        says(world.ctl("check", "--repair", check_exit=EXIT_USAGE), "--repair needs a tenant")
        says(world.ctl("check", "--repair", good, check_exit=EXIT_USAGE), "--repair needs a tenant")
        says(world.ctl("check", good, "jobs/a", check_exit=EXIT_USAGE), "'jobs/a'", "alone")
        check("TENANT" in world.ctl("check", "--help", check_exit=EXIT_DONE).stdout, "the help")


@test
def strangers():
    """who may only look, or not even that, sets nothing: exit 4"""
    if os.getuid() != 0:
        raise Skip("needs root, to be somebody else")
    with Jobs() as world:
        copy = os.path.join(world.dir, "guardctl")
        shutil.copy(GUARDCTL, copy)
        for words in ["set", "jobs/a", "TasksMax=300"], ["reset", "jobs/a"], ["check", "jobs/a"]:
            result = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", copy,
                                     f"--socket={world.socket}", *words], capture_output=True, text=True)
            same(result.returncode, EXIT_DENIED, f"exit of {words}: {result.stderr}")
        world.untouched()


if __name__ == "__main__":
    run()
