"""What the tests in the guest stand on: TAP, waiting, cgroups, containers, guardd.

    @test("a bomb in docker is frozen, then killed")
    def docker_bomb(ground):
        web = ground.docker("web", "sleep", "infinity")
        ...

    main(prepare)

Everything made through a Ground is taken away again when the test ends, however it ends. `prepare` gets a Ground too,
which lasts as long as the file runs. A test fails by an exception; check() raises one with a sentence.

    @test("what was set is there after a reboot", boot=1)

runs after the guest was rebooted once. The file is then another process: prepare runs anew, boot() says which time it is,
and what was made through the first Ground of prepare is still there, to be taken away by the next.

    GUARDD_TEST_ONLY=TITLE GUARDD_TEST_WITHOUT=RULE GUARDD_TEST_PATIENCE=SECONDS test_...

runs only the tests whose titles begin so, with a guardd that does not have this rule (tests/run removal); what a rule
has to bring about is waited for so long and no longer.

The guest is emulated and may be slow: nothing here sleeps to let something happen. It waits for what shall happen, with
a deadline that only a broken guardd meets. Points in time are CLOCK_BOOTTIME in seconds, as guardd's and the witness's.
"""

import contextlib
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

PROGRAMS = "/usr/libexec/guardd-tests/bin"
TREE = "/sys/fs/cgroup"
IMAGE = "guardd-test"
STATE = "/run/guardd-tests"
DROP_INS = "/etc/guardd/guardd.conf.d"
SHIPPED = "/usr/lib/guardd/guardd.conf.d"
OWN_FILE = "40-test.conf"
CHANGES_FILE = "90-test.conf"
SOCKET = "/run/guardd/io.guardd.Guard"
REBOOT = 85  # (ERESTART) the exit status that asks tests/run to reboot the guest, and to run the file again
LONG = 180  # seconds: a deadline for what takes a moment on real hardware
ONLY = os.environ.get("GUARDD_TEST_ONLY", "")
WITHOUT = os.environ.get("GUARDD_TEST_WITHOUT")
PATIENCE = int(os.environ.get("GUARDD_TEST_PATIENCE", LONG))

AGAINST = ("warn", "freeze", "terminate", "kill")  # what is done against a tenant; a thaw is for it


class Failure(AssertionError):
    """What a test found wrong."""


def check(condition, sentence):
    if not condition:
        raise Failure(sentence)


def check_equal(found, wanted, what):
    check(found == wanted, f"{what}: {found!r}, not {wanted!r}")


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def so_many(all, sample):
    """Of what shows only in many repetitions, or in large: all of it when the run is to be thorough, else a sample."""
    return all if os.environ.get("GUARDD_THOROUGH") else sample


def wait_for(condition, what, deadline=LONG, step=None):
    """Waits until condition() is true, and returns what it returned. `what`: a text, or a function that makes one.

    Without a step it asks the less often the more it costs to ask: who waits for another shall not keep it from its work.
    """
    end = now() + deadline
    while True:
        begun = now()
        result = condition()
        if result:
            return result
        if now() >= end:
            raise Failure(f"not within {deadline} s: {what() if callable(what) else what}")
        time.sleep(step if step is not None else min(max(0.02, 4 * (now() - begun)), 0.5))


def run(*argv, status=0, timeout=LONG, **more):
    """Runs a command and returns its CompletedProcess. status=None: however it ends."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, **more)
    except subprocess.TimeoutExpired:
        raise Failure(f"not done within {timeout} s: {' '.join(argv)}") from None
    if status is not None and done.returncode != status:
        raise Failure(f"{' '.join(argv)}: status {done.returncode}, not {status}\n{done.stdout}{done.stderr}".rstrip())
    return done


def output(*argv, **more):
    return run(*argv, **more).stdout.strip()


def unique(name):
    """No two runs use one name for a tenant: guardd remembers offenders by their names."""
    unique.count += 1
    return f"{name}-{os.getpid()}-{unique.count}"


unique.count = 0


# ---- TAP -------------------------------------------------------------------------------------------------------------

_tests = []


def test(title, boot=0):
    """A test of the file. boot: after how many reboots of the guest it runs."""

    def register(function):
        if title.startswith(ONLY):
            _tests.append((title, function, boot))
        return function

    return register


def boot():
    """How often the guest was rebooted for this file."""
    return int(sys.argv[1]) if len(sys.argv) > 1 else 0


def note(text):
    """A diagnostic line, or several."""
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def _explain(error):
    if isinstance(error, Failure):
        note(error)
    else:
        note("".join(traceback.format_exception(error)))


def _run_one(function):
    began, mark = now(), journal_mark()
    try:
        with Ground() as ground:
            function(ground)
        passed = True
    except Exception as error:  # whatever it is, the tests after it shall run
        passed = False
        _explain(error)
        note("what guardd wrote meanwhile:")
        journal_of = ("journalctl", "--after-cursor", mark, "-u", "guardd", "-o", "short-monotonic", "-n", "60")
        note(output(*journal_of, status=None))
    return passed, now() - began


def _run_tests():
    """Those of this boot; returns how many failed."""
    failed = 0
    for number, (title, function, when) in enumerate(_tests, 1):
        if when != boot():
            continue
        passed, seconds = _run_one(function)
        failed += not passed
        print(f"{'ok' if passed else 'not ok'} {number} - {title}", flush=True)
        note(f"took {seconds:.1f} s")
    return failed


def main(prepare=None):
    """Runs every test of the file. Where some are for after a reboot, asks for that when those before it have passed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds, so that nothing is left behind
    failed = 0
    if boot() == 0:
        print(f"1..{len(_tests)}", flush=True)
    try:
        check(_tests, f"no test has a title that begins with {ONLY!r}")
        with Ground() as ground:
            if WITHOUT:
                ground.remove_rule(WITHOUT)
            if prepare:
                prepare(ground)
            failed += _run_tests()
            if not failed and any(when > boot() for _, _, when in _tests):
                ground.pop_all()  # what is there stays, for after the reboot
                sys.exit(REBOOT)
    except Exception as error:
        _explain(error)
        print("Bail out! the ground could not be prepared, or not be cleared", flush=True)
        failed += 1
    sys.exit(1 if failed else 0)


# ---- cgroups ---------------------------------------------------------------------------------------------------------


class Cgroup:
    def __init__(self, path):
        self.path = path.strip("/")
        self.directory = f"{TREE}/{self.path}"

    def __str__(self):
        return self.path

    def file(self, name):
        return f"{self.directory}/{name}"

    def exists(self):
        return os.path.isdir(self.directory)

    def read(self, name):
        with open(self.file(name)) as file:
            return file.read().strip()

    def write(self, name, value):
        with open(self.file(name), "w") as file:
            file.write(str(value))

    def keys(self, name):
        return {key: int(value) for key, value in (line.split() for line in self.read(name).splitlines())}

    def id(self):
        return os.stat(self.directory).st_ino

    def limit(self):
        return self.read("pids.max")

    def tasks(self):
        return int(self.read("pids.current"))

    def refused(self):
        return self.keys("pids.events.local")["max"]

    def frozen(self):
        return self.keys("cgroup.events")["frozen"] == 1

    def populated(self):
        """Has it live processes? A cgroup that is gone has none."""
        try:
            return self.keys("cgroup.events")["populated"] == 1
        except OSError:
            return False

    def pids(self):
        """Of it and all below it."""
        found = set()
        for directory, _, _ in os.walk(self.directory):
            with contextlib.suppress(OSError), open(f"{directory}/cgroup.procs") as file:
                found.update(int(line) for line in file)
        return found

    def children(self):
        return [Cgroup(f"{self.path}/{entry.name}") for entry in os.scandir(self.directory) if entry.is_dir()]

    def destroy(self):
        """Kills what is in it and removes it, and all below it."""
        with contextlib.suppress(OSError):
            self.write("cgroup.kill", 1)
        wait_for(lambda: not self.populated(), f"{self} is empty after cgroup.kill")
        for directory, _, _ in os.walk(self.directory, topdown=False):
            wait_for(lambda directory=directory: _removed(directory), f"{directory} can be removed")


def _removed(directory):
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        return True
    except OSError:
        return False  # a zombie in it is not reaped yet
    return True


def cgroup_of(pid):
    with open(f"/proc/{pid}/cgroup") as file:
        return Cgroup(file.read().split("::", 1)[1].strip())


# ---- processes -------------------------------------------------------------------------------------------------------


class Lines:
    """A program that runs in the background, and the lines it prints."""

    def __init__(self, *argv, stdin=subprocess.DEVNULL):
        self.argv = argv
        pipes = {"stdin": stdin, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(argv, text=True, **pipes)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait_line(self, start, deadline=LONG):
        """The first line that begins so, now or later."""

        def found():
            ended = self.process.poll() is not None and not self.reader.is_alive()  # before its last lines are looked at
            match = [line for line in self.lines if line.startswith(start)]
            check(match or not ended, f"{self.argv[0]} ended without {start!r}: {self.lines}")
            return match

        return wait_for(found, lambda: f"a line {start!r} of {' '.join(self.argv)}: {self.lines}", deadline)[0]

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(LONG)


class Witness(Lines):
    """Watches a cgroup on its own (programs/witness.c)."""

    def __init__(self, limited, frozen=None):
        super().__init__(f"{PROGRAMS}/witness", limited.directory, (frozen or limited).directory)
        self.wait_line("ready")

    def seen(self, *words):
        """When it saw these: refused, frozen, thawed, empty, gone."""
        return [int(line.split()[1]) / 1e6 for line in list(self.lines) if line.split()[0] in words]

    def wait(self, word, deadline=LONG):
        """When it saw this first. Who waits for it to happen to a cgroup that has ended waits in vain."""

        def seen():
            ended = self.seen("empty", "gone")  # before the word is looked for, which comes first
            check(self.seen(word) or not ended, f"no {word!r}, but {self.lines}")
            return self.seen(word)

        return wait_for(seen, lambda: f"{word!r} among {self.lines}", deadline)[0]

    def wait_ended(self, deadline=LONG):
        """When the cgroup had no process any more; it may be gone before anybody sees it empty."""
        return wait_for(lambda: self.seen("empty", "gone"), lambda: f"the end among {self.lines}", deadline)[0]


class Trigger:
    """A named pipe that programs wait on: containers are started and guarded first, and bomb when told to."""

    def __init__(self, directory):
        self.directory = directory
        os.mkfifo(f"{directory}/go")
        os.chmod(f"{directory}/go", 0o666)

    def pull(self):
        pipe = wait_for(self._reader, f"somebody waits for {self.directory}/go")
        os.write(pipe, b"go\n")
        os.close(pipe)

    def _reader(self):
        try:
            return os.open(f"{self.directory}/go", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None


# ---- containers, services, sessions ----------------------------------------------------------------------------------


class Container:
    """A docker or podman container."""

    def __init__(self, runtime, name, options, command):
        self.runtime, self.name = runtime, name
        self.id = output(runtime, "run", "-d", "--name", name, *options, IMAGE, *command)
        self.tenant = f"{runtime}/{name}"
        self.cgroup = Cgroup(self._cgroup_path())

    def _cgroup_path(self):
        slice, prefix = {"docker": ("system", "docker"), "podman": ("machine", "libpod")}[self.runtime]
        return f"{slice}.slice/{prefix}-{self.id}.scope"

    def inspect(self, format):
        return output(self.runtime, "inspect", "--format", format, self.name)

    def running(self):
        return self.inspect("{{.State.Running}}") == "true"


class Service:
    """A transient service, as one of a customer would be."""

    def __init__(self, name, properties, command):
        self.unit = self.tenant = f"{name}.service"
        options = [option for property in properties for option in ("-p", property)]
        run("systemd-run", "--quiet", f"--unit={self.unit}", *options, "--", *command)
        self.cgroup = Cgroup(f"system.slice/{self.unit}")

    def remove(self):
        run("systemctl", "kill", "-s", "KILL", self.unit, status=None)
        run("systemctl", "stop", self.unit, status=None)
        run("systemctl", "reset-failed", self.unit, status=None)


class Session:
    """A login session of a user through PAM and logind, with a command in it."""

    def __init__(self, user, command):
        self.user, self.unit = user, f"{unique('login')}.service"
        self.tenant, self.uid = f"user/{user}", int(output("id", "-u", user))
        self.slice = Cgroup(f"user.slice/user-{self.uid}.slice")
        properties = ("-p", f"User={user}", "-p", "PAMName=login")
        run("systemd-run", "--quiet", f"--unit={self.unit}", *properties, "--", *command)
        self.cgroup = wait_for(self._scope, f"a session scope of {user}")

    def _scope(self):
        pid = output("systemctl", "show", "-P", "MainPID", self.unit)
        if pid == "0":
            return None
        cgroup = cgroup_of(pid)
        return cgroup if "session-" in cgroup.path else None

    def remove(self):
        run("loginctl", "terminate-user", self.user, status=None)
        run("systemctl", "stop", self.unit, f"user-{self.uid}.slice", status=None)
        run("systemctl", "reset-failed", self.unit, status=None)
        wait_for(lambda: not self.slice.exists(), f"{self.user} is logged out")


class Neighbour(Container):
    """A container that works, and writes down when it finished what (programs/neighbour.c). `disk`: the directory that it
    works in; None: one of the container's own."""

    def __init__(self, name, directory, disk=None):
        self.log = f"{directory}/log"
        options = ["-v", f"{PROGRAMS}:/programs:ro", "-v", f"{directory}:/log", *(["-v", f"{disk}:/work"] if disk else [])]
        super().__init__("docker", name, options, ["/programs/neighbour", "/work" if disk else "/tmp", "/log/log"])
        wait_for(self.stamps, "the neighbour works")

    def stamps(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log) as file:
            return [int(line.split()[1]) / 1e6 for line in file if line.endswith("\n")]

    def rate(self, start, end):
        """Operations per second in a window of the past."""
        return sum(start <= stamp < end for stamp in self.stamps()) / (end - start)

    def slowest(self, start, end):
        """The longest time in seconds that it took from one operation to the next in a window of the past."""
        stamps = [start] + [stamp for stamp in self.stamps() if start <= stamp < end] + [end]
        return max(after - before for before, after in zip(stamps, stamps[1:]))

    def rate_for(self, seconds):
        start = now()
        time.sleep(seconds)
        return self.rate(start, now())

    def rate_after(self, start, seconds):
        """Of a window that may not be over yet."""
        time.sleep(max(0, start + seconds - now()))
        return self.rate(start, start + seconds)


# ---- guardd ----------------------------------------------------------------------------------------------------------

GUARDD = Cgroup("system.slice/guardd.service")

# PID 1 sets up the sandbox before guardd begins. It has no part in this, and where the processor is emulated it takes two
# thirds of each of the many starts.
NO_SANDBOX = """
[Service]
SystemCallFilter=
SystemCallArchitectures=
RestrictAddressFamilies=
RestrictNamespaces=no
RestrictRealtime=no
RestrictSUIDSGID=no
LockPersonality=no
MemoryDenyWriteExecute=no
PrivateDevices=no
ProtectClock=no
ProtectHostname=no
ProtectKernelLogs=no
ProtectKernelModules=no
ProtectKernelTunables=no
"""


def guardctl(*arguments, status=0):
    """What `guardctl ... --json` says; None where that is nothing."""
    text = output("guardctl", *arguments, "--json", status=status)
    return json.loads(text) if text else None


def show(tenant):
    """All of `guardctl show`; None when there is no such tenant."""
    done = run("guardctl", "show", tenant, "--json", status=None)
    check(done.returncode in (0, 3), f"guardctl show {tenant}: status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)["details"] if done.returncode == 0 else None


def tenants():
    """Rows of `guardctl list`, by cgroup path."""
    return {row["path"]: row for row in guardctl("list")["tenants"]}


def wait_guarded(cgroup):
    """Until guardd knows the cgroup, and its limits are as an operator or its class asks, or there is a note why not."""

    def settled(limit):
        asked = limit.get("override", limit.get("asked", limit.get("inForce")))
        as_asked = asked == limit.get("inForce")
        return not limit["waiting"] and (as_asked or "note" in limit)

    def guarded():
        details = show(cgroup.path)
        return details if details and all(map(settled, details["limits"])) else None

    return wait_for(guarded, f"{cgroup} is guarded")


def shipped_files():
    """{name: text} of the vendor's drop-ins."""
    found = {}
    for path in glob.glob(f"{SHIPPED}/*.conf"):
        with open(path) as file:
            found[os.path.basename(path)] = file.read()
    return found


def asking(section):
    """A class that names no rule has to set a limit: one that limits nobody."""
    keys = {line.partition("=")[0] for line in section.splitlines() if line and not line.startswith(("#", "["))}
    bare = section.startswith("[Tenants ") and keys == {"Match", "Rules"} and not re.search(r"^Rules=.", section, re.M)
    return section + "TasksMax=4194304\n" if bare else section


def without_rule(text, rule):
    """A configuration without a rule: without its section, and without its name in any Rules=."""
    kept, section, listed = [], "", False
    for line in text.splitlines():
        if line.startswith("["):
            section, listed = line.strip(), False
        if section == f"[Rule {rule}]":
            continue
        if line.startswith("Rules="):
            names = line.removeprefix("Rules=").split()
            left = [name for name in names if name != rule]
            if names and not left and listed:
                continue  # an empty one would empty the list; where it is the only one, a class needs it
            listed = listed or bool(left)
            line = "Rules=" + " ".join(left)
        kept.append(line + "\n")
    return "".join(map(asking, re.split(r"^(?=\[)", "".join(kept), flags=re.M)))


def write_drop_ins(texts):
    """Writes {name: text}; a file without text goes. Returns what was there, for the way back."""
    before = {}
    os.makedirs(DROP_INS, exist_ok=True)
    for name, text in texts.items():
        path = f"{DROP_INS}/{name}"
        before[name] = ""
        if os.path.exists(path):
            with open(path) as file:
                before[name] = file.read()
            os.unlink(path)
        if text:
            with open(path, "w") as file:
                file.write(without_rule(text, WITHOUT) if WITHOUT else text)
    return before


def take_configuration():
    """Started, or reloaded when it runs."""
    run("guardctl", "reload") if guardd_pid() else run("systemctl", "start", "guardd.socket", "guardd.service")


def guardd_pid():
    return int(output("systemctl", "show", "-P", "MainPID", "guardd.service"))


def watches(pid):
    """Of inotify, that the process has."""
    count = 0
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/fdinfo/{name}") as file:
            count += sum(line.startswith("inotify ") for line in file)
    return count


def kill_guardd():
    """With SIGKILL. Comes back when the next one is there."""
    old = guardd_pid()
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: guardd_pid() not in (0, old), "guardd is back")


def journal_mark():
    """The end of the journal now, for journal()."""
    text = output("journalctl", "-n", "1", "--show-cursor", "-o", "cat")
    return text.rsplit("-- cursor: ", 1)[1].strip()


def journal(mark, *matches):
    """Entries since the mark, as dictionaries."""
    text = output("journalctl", "-o", "json", "--after-cursor", mark, *matches)
    return [json.loads(line) for line in text.splitlines()]


def _event_of(line):
    """Replies may be marked as a sequence (RFC 7464); the first one holds no event."""
    return json.loads(line.lstrip("\x1e")).get("event", {})


def _is_event(event, tenant, kind, verb):
    return (
        event.get("kind") == (kind or event.get("kind", ""))
        and event.get("tenant") == (tenant or event.get("tenant"))
        and event.get("decision", {}).get("verb") == (verb or event.get("decision", {}).get("verb"))
    )


class Watch(Lines):
    """What guardd decides and does from now on. Through varlinkctl: its first line says that the watch stands."""

    def __init__(self):
        super().__init__("varlinkctl", "call", "-E", "--json=short", SOCKET, "io.guardd.Guard.Watch", "{}")
        wait_for(lambda: self.lines, "the watch stands")

    def events(self, tenant=None, kind=None, verb=None):
        return [event for event in map(_event_of, list(self.lines)) if _is_event(event, tenant, kind, verb)]

    def deeds(self, tenant=None):
        """(kind, verb, result) of what was decided and done against a tenant, in order."""
        return [
            (event["kind"], event["decision"]["verb"], event.get("outcome", {}).get("result"))
            for event in self.events(tenant)
            if "decision" in event and event["decision"]["verb"] in AGAINST
        ]

    def wait_event(self, what, deadline=PATIENCE, **match):
        def found():
            return [event for event in self.events(**match) if what(event)]

        return wait_for(found, lambda: f"an event {match}; seen: {self.deeds()}", deadline)[0]

    def wait_outcome(self, tenant, verb, deadline=PATIENCE):
        match = {"tenant": tenant, "kind": "outcome", "verb": verb}
        return self.wait_event(lambda event: event["outcome"]["result"] != "pending", deadline, **match)


# ---- the ground of one test ------------------------------------------------------------------------------------------


class Ground(contextlib.ExitStack):
    def _kept(self, thing, end):
        self.callback(end)
        return thing

    def directory(self, name="files"):
        """A directory of its own, in memory."""
        path = f"{STATE}/{unique(name)}"
        os.makedirs(path, mode=0o755)
        self.callback(shutil.rmtree, path, ignore_errors=True)
        return path

    def sysctl(self, name, value):
        """Until the test ends. No process is needed for it: there may be no PID left."""
        path = pathlib.Path("/proc/sys", *name.split("."))
        self.callback(path.write_text, path.read_text())
        path.write_text(f"{value}\n")

    def configure(self, own="", changes=""):
        """Drop-ins until the test ends: classes of its own before the vendor's, changes of the vendor's after them."""
        self.callback(take_configuration)
        self.drop_ins({OWN_FILE: own, CHANGES_FILE: changes})
        take_configuration()

    def remove_rule(self, rule):
        """Masks each of the vendor's files that names it by one that does not, until the file's tests are over."""
        masks = {name: text for name, text in shipped_files().items()
                 if without_rule(text, rule) != without_rule(text, "")}
        check(masks, f"no rule {rule!r} is shipped")
        self.callback(take_configuration)
        self.drop_ins(masks)
        take_configuration()

    def unit_drop_in(self, text):
        """Changes guardd.service until the test ends, and starts guardd anew."""
        directory = "/run/systemd/system/guardd.service.d"
        self.callback(run, "systemctl", "restart", "guardd.service")
        self.callback(run, "systemctl", "daemon-reload")
        self.callback(shutil.rmtree, directory)
        os.makedirs(directory)
        with open(f"{directory}/test.conf", "w") as file:
            file.write(text)
        run("systemctl", "daemon-reload")
        run("systemctl", "restart", "guardd.service")

    def drop_ins(self, texts):
        """Drop-ins that guardd is not told of. They are as before when the test ends."""
        self.callback(write_drop_ins, write_drop_ins(texts))

    def trigger(self):
        return Trigger(self.directory("trigger"))

    def cgroup(self, path, limit=None):
        """A cgroup that is no unit's. Those above it are made too, with the pids controller on."""
        made = ""
        for part in path.split("/"):
            made = f"{made}/{part}".strip("/")
            if Cgroup(made).exists():
                continue
            os.mkdir(f"{TREE}/{made}")
            self.callback(Cgroup(made).destroy)
            if made != path:
                Cgroup(made).write("cgroup.subtree_control", "+pids")
        cgroup = Cgroup(path)
        if limit:
            cgroup.write("pids.max", limit)
        return cgroup

    def start_in(self, cgroup, *argv):
        """Starts a program in a cgroup; what is left of it goes with the cgroup."""
        procs = cgroup.file("cgroup.procs")
        process = subprocess.Popen(
            ["/bin/sh", "-c", 'echo 0 >"$0" && exec "$@"', procs, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.callback(process.wait)
        self.callback(process.kill)
        return process

    def container(self, runtime, name, *command, options=()):
        self.callback(run, runtime, "rm", "-f", name, status=None)
        return Container(runtime, name, options, command)

    def docker(self, name, *command, options=()):
        return self.container("docker", name, *command, options=options)

    def podman(self, name, *command, options=()):
        return self.container("podman", name, *command, options=options)

    def neighbour(self, name=None, disk=None):
        name = name or unique("neighbour")
        self.callback(run, "docker", "rm", "-f", name, status=None)
        return Neighbour(name, self.directory(name), disk)

    def service(self, name, *command, properties=()):
        service = Service(name, properties, command)
        return self._kept(service, service.remove)

    def user(self):
        """A new user of the host. It stays: a user who came later and had its number could be taken for it."""
        name = unique("user")
        run("useradd", "--create-home", "--shell", "/bin/bash", name)
        return name

    def session(self, user, *command):
        session = Session(user, command)
        return self._kept(session, session.remove)

    def witness(self, limited, frozen=None):
        witness = Witness(limited, frozen)
        return self._kept(witness, witness.end)

    def watch(self):
        watch = Watch()
        return self._kept(watch, watch.end)

    def lines(self, *argv, stdin=subprocess.DEVNULL):
        lines = Lines(*argv, stdin=stdin)
        return self._kept(lines, lines.end)
