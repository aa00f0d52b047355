"""What the tests of shipped rules stand on, beside disk.py: a tenant of each class that attacks when it is told to, and
what a rule has done to it.

The classes are read from what is installed: one that lists a rule from now on is tested with it from now on. The title of
a test begins with its rule and a colon, and rules.tsv says in which file it is. What it writes of the rule's deeds
("# RULE met: ...", "# RULE missed: ...", "# RULE seconds: ...") is read by tests/run removal."""

from disk import *

LEFT = 700 * MIB
WAIT = 'until [ -e "$0" ]; do sleep 0.1; done; "$@"; exec sleep infinity'  # sh -c WAIT FILE COMMAND...
MACHINES = "/var/lib/machines/busybox"


def meminfo(key):
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(f"{key}:"))


def set_aside(ground):
    """Under emulation 3 GiB are not taken in a moment: all but LEFT is taken before, as huge pages."""
    ground.callback(run, "sysctl", "-q", "vm.nr_hugepages=0")
    run("sysctl", "-q", f"vm.nr_hugepages={(meminfo('MemAvailable') - LEFT) // (2 * MIB)}")


def classes_of(rule):
    """The shipped classes that list it, in the order of their files."""
    found, section = [], ""
    for _, text in sorted(shipped_files().items()):
        for line in text.splitlines():
            section = line.strip("[]") if line.startswith("[") else section
            if line.startswith("Rules=") and rule in line.removeprefix("Rules=").split():
                found.append(section.removeprefix("Tenants "))
    check(found, f"a class lists {rule}")
    return found


class Attacker:
    """A tenant of a shipped class. In its command PROGRAMS and VOLUME stand for where these are. tasks, memory: a limit
    that it has of its own, as its runtime would set it; of a container's memory, as an operator would."""

    def __init__(self, ground, kind, *command, volume=None, tasks=None, memory=None, options=()):
        self.ground, self.kind, self.volume = ground, kind, volume
        self.tasks, self.memory, self.options = tasks, memory, options
        self.files = ground.directory("attack")
        make = {"docker": self._container, "podman": self._container, "nspawn": self._machine, "users": self._session,
                "services": self._service, "vm": self._scope}[kind]
        make(command)
        wait_for(lambda: self.cgroup.path in tenants(), f"{self.cgroup} is a tenant")
        row = tenants()[self.cgroup.path]
        check_equal(row["class"], kind, f"class of {self.cgroup}")
        self.tenant = row["name"]
        wait_guarded(self.cgroup)
        if memory and kind in ("docker", "podman"):
            run("guardctl", "set", self.tenant, f"MemoryHigh={memory}")

    def go(self):
        open(f"{self.files}/go", "w").close()

    def end(self):
        with contextlib.suppress(OSError):
            self.cgroup.write("cgroup.kill", 1)
        wait_for(lambda: not self.cgroup.populated(), f"{self.tenant} has ended")

    def _words(self, command, files, programs, volume):
        there = {"PROGRAMS": programs, "VOLUME": volume or ""}
        for name, path in there.items():
            command = [word.replace(name, path) for word in command]
        return ["sh", "-c", WAIT, f"{files}/go", *command]

    def _inside(self, command):
        return self._words(command, "/files", "/programs", "/vol")

    def _outside(self, command):
        return self._words(command, self.files, PROGRAMS, self.volume)

    def _properties(self):
        limits = {"TasksMax": self.tasks, "MemoryHigh": self.memory}
        return [f"{name}={value}" for name, value in limits.items() if value]

    def _container(self, command):
        mounts = {PROGRAMS: "/programs:ro", self.files: "/files", **({self.volume: "/vol"} if self.volume else {})}
        options = [word for path, where in mounts.items() for word in ("-v", f"{path}:{where}")]
        options += ["--pids-limit", str(self.tasks)] if self.tasks else []
        options, command = [*options, *self.options], self._inside(command)
        self.cgroup = self.ground.container(self.kind, unique("shipped"), *command, options=options).cgroup

    def _machine(self, command):
        name = unique("shipped").replace("-", "x")
        mounts = [f"--bind-ro={PROGRAMS}:/programs", f"--bind={self.files}:/files"]
        mounts += ["--tmpfs=/dev/shm:mode=1777,size=8g"]
        mounts += [f"--bind={self.volume}:/vol"] if self.volume else []
        properties = [f"--property={text}" for text in self._properties()]
        self.ground.callback(run, "machinectl", "terminate", name, status=None)
        self.ground.lines("systemd-nspawn", "--quiet", "--ephemeral", f"--machine={name}", f"--directory={MACHINES}",
                          *mounts, *properties, *self._inside(command))
        self.cgroup = Cgroup(f"machine.slice/machine-{name}.scope")

    def _session(self, command):
        session = self.ground.session(self.ground.user(), "/bin/sh", *self._outside(command)[1:])
        self.cgroup = session.slice
        for file, value in (("pids.max", self.tasks), ("memory.high", self.memory)):
            if value:
                self.cgroup.write(file, value)

    def _service(self, command):
        command = ["/bin/sh", *self._outside(command)[1:]]
        self.cgroup = self.ground.service(unique("shipped"), *command, properties=self._properties()).cgroup

    def _scope(self, command):
        """As libvirt registers a virtual machine."""
        unit = f"{unique('machine-qemu').replace('-', chr(92) + 'x2d').replace(chr(92) + 'x2d', '-', 1)}.scope"
        properties = [word for text in self._properties() for word in ("-p", text)]
        self.ground.callback(run, "systemctl", "stop", unit, status=None)
        self.ground.lines("systemd-run", "--quiet", "--scope", "--slice=machine.slice", f"--unit={unit}", *properties,
                          *self._outside(command))
        self.cgroup = Cgroup(f"machine.slice/{unit}")


def has_done(watch, rule, verb, tenant):
    """Has the rule done this to it? A warning is done when it is decided."""
    kind = "decision" if verb == "warn" else "outcome"
    return any(event["decision"].get("rule") == rule and event.get("outcome", {}).get("result") in (None, "done")
               for event in watch.events(tenant, kind, verb))


def deeds_wanted(watch, rule, verb, attackers):
    """Waits until the rule has done this to each of them; returns the kinds of those to whom it has not."""

    def missed():
        return [attacker for attacker in attackers if not has_done(watch, rule, verb, attacker.tenant)]

    began = now()
    while missed() and now() < began + PATIENCE:
        time.sleep(0.05)
    deeds_wanted.longest = max(deeds_wanted.longest, now() - began)
    return [attacker.kind for attacker in missed()]


deeds_wanted.longest = 0  # seconds


def settle_accounts(watch, rule, missed, attackers):
    """The end of a test: says whom the rule has met and whom not, and fails when there is anybody."""
    for attacker in attackers:
        reasons = [event["decision"]["reason"] for event in watch.events(attacker.tenant, "decision")
                   if event["decision"].get("rule") == rule]
        note(f"{attacker.tenant}: {'; then '.join(reasons) or 'nothing'}")
    met = [attacker.kind for attacker in attackers if attacker.kind not in missed]
    note(f"{rule} met: {' '.join(met)}")
    note(f"{rule} missed: {' '.join(missed)}")
    note(f"{rule} seconds: {round(deeds_wanted.longest)}")
    check(not missed, f"{rule} has done nothing to a tenant of {', '.join(missed)}")


def all_at_once(ground, rule, verb, make, kinds=None):
    """One tenant of each class that lists the rule, made by make(kind): the rule does this to each of them."""
    attackers = [make(kind) for kind in kinds or classes_of(rule)]
    watch = ground.watch()
    for attacker in attackers:
        attacker.go()
    settle_accounts(watch, rule, deeds_wanted(watch, rule, verb, attackers), attackers)
    return watch, attackers


def one_by_one(ground, rule, verb, make, kinds=None):
    """The same where only one can be elected."""
    watch, attackers, missed = ground.watch(), [], []
    for kind in kinds or classes_of(rule):
        attackers.append(make(kind))
        attackers[-1].go()
        missed += deeds_wanted(watch, rule, verb, attackers[-1:])
        attackers[-1].end()
    settle_accounts(watch, rule, missed, attackers)
    return watch, attackers


class SlowDisk:
    """A disk on which each transfer takes its time: there tasks wait for it, however slow the CPU is."""

    def __init__(self, ground, mib=200, delay=50):
        name = unique("slow")
        image, self.path = f"{STATE}/{name}.image", f"/mnt/{name}"
        with open(image, "w") as file:
            file.truncate(mib * MIB)
        ground.callback(os.unlink, image)
        run("mkfs.ext4", "-q", "-E", "lazy_itable_init=1,lazy_journal_init=1", image)
        loop = output("losetup", "--show", "-f", image)
        ground.callback(run, "losetup", "-d", loop, status=None)
        run("modprobe", "dm-delay")
        sectors = output("blockdev", "--getsz", loop)
        run("dmsetup", "create", name, "--table", f"0 {sectors} delay {loop} 0 {delay}")
        ground.callback(run, "dmsetup", "remove", "--retry", name, status=None)
        os.makedirs(self.path)
        ground.callback(os.rmdir, self.path)
        ground.callback(run, "umount", "--lazy", self.path, status=None)
        run("mount", "-o", "noatime", f"/dev/mapper/{name}", self.path)

    def directory(self, name):
        os.mkdir(f"{self.path}/{name}")
        return f"{self.path}/{name}"
