"""The ground of the daemon tests: a made-up kernel, the real guardd on it, and TAP.

Kernel   plain directories with the files of cgroup v2, and a thread that answers cgroup.freeze and cgroup.kill as the kernel
         does, or misbehaves when told to.
World    a Kernel, a configuration, a runtime and a state directory, and guardd and guardctl on them.
policy   the text of a configuration; started() a world with it and some tenants, in which guardd runs.
test     a decorator; run() runs what it has collected.

Plain files are no cgroupfs, and what differs is kept out of guardd's sight:
- guardd writes with pwrite and the kernel normalises; a plain file keeps the old tail. So values are padded with NULs to a
  fixed length, and limits in tests have three characters ("max", 100 to 999).
- A file that is truncated and written shows guardd an empty one in between: each change here is one pwrite of that length.
- mkdir in cgroupfs makes a directory with all of its files: here it is made aside and renamed to its place, and renamed
  away before it is removed. A descriptor of a removed cgroup gives no ENODEV here: the tests in the VM have that.
"""

import ctypes
import grp
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

DEADLINE = 60  # seconds: for what takes milliseconds, on a machine that is busy
GUARDD = os.environ["GUARDD"]
GUARDCTL = os.environ["GUARDCTL"]
INTERFACE = "io.guardd.Guard"
NOBODY = 65534
EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_NO_SUCH_TENANT, EXIT_DENIED, EXIT_REFUSED = range(6)


def eventually(what, condition, deadline=DEADLINE):
    """Waits until condition() is true, and returns what it returned."""
    until = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > until:
            raise AssertionError(f"not within {deadline} s: {what}")
        time.sleep(0.005)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def same(found, wanted, what):
    check(found == wanted, f"{what}: {found!r}, not {wanted!r}")


# --- the kernel ----------------------------------------------------------------------------------------


class Cgroup:
    """One directory. Change the flags below to have the kernel misbehave."""

    VALUE, KEYED, LIST = 16, 64, 1024  # lengths of files

    def __init__(self, kernel, path, populated=True):
        self.kernel, self.path, self.populated = kernel, path, populated
        self.freezes = True  # cgroup.freeze is confirmed
        self.dies = True  # cgroup.kill empties it
        self.freeze_delay = 0  # seconds
        self.on_freeze = self.on_thaw = self.on_kill = None  # called in the kernel's place, before it answers
        self.freeze_writes = []  # values seen
        self.kills = 0  # writes to cgroup.kill seen
        self.denied = 0
        self.removed = False
        self.id = None

    @property
    def dir(self):
        return os.path.join(self.kernel.root, self.path)

    def write(self, name, text, directory=None, length=None):
        length = length or (self.KEYED if name.endswith(("events", "events.local", "controllers")) else self.VALUE)
        fd = os.open(os.path.join(directory or self.dir, name), os.O_WRONLY | (os.O_CREAT if directory else 0), 0o644)
        try:
            os.pwrite(fd, text.encode().ljust(length, b"\0"), 0)
        finally:
            os.close(fd)

    def read(self, name):
        with open(os.path.join(self.dir, name), "rb") as file:
            return file.read().split(b"\0", 1)[0].decode().strip()

    def populate(self, directory, limit, current, procs):
        os.makedirs(directory)
        self.write("cgroup.freeze", "0\n", directory)
        self.write("cgroup.kill", "0\n", directory)
        self.write("cgroup.events", self.events(False), directory)
        self.write("cgroup.controllers", "cpu memory pids\n", directory)
        self.write("cgroup.procs", "".join(f"{pid}\n" for pid in procs), directory, self.LIST)
        self.write("pids.current", f"{current}\n", directory)
        self.write("pids.max", str(limit), directory)
        self.write("pids.events", "max 0\n", directory)
        self.write("pids.events.local", "max 0\n", directory)

    def enable_pids(self, on=True, directory=None):
        """As whoever is above it does: its files come, or go."""
        directory = directory or self.dir
        for name in "pids.current", "pids.max", "pids.events", "pids.events.local":
            here, away = os.path.join(directory, name), os.path.join(directory, f"off.{name}")
            os.rename(away, here) if on else os.rename(here, away)

    def events(self, frozen):
        return f"populated {int(self.populated)}\nfrozen {int(frozen)}\n"

    # What tests look at and do

    @property
    def wanted_frozen(self):
        return self.read("cgroup.freeze") == "1"

    @property
    def frozen(self):
        return "frozen 1" in self.read("cgroup.events")

    @property
    def limit(self):
        return self.read("pids.max")

    def set_tasks(self, n):
        self.write("pids.current", f"{n}\n")

    def refuse_forks(self, n=1):
        """The counters move, as when fork() failed n times."""
        self.denied += n
        self.write("pids.events.local", f"max {self.denied}\n")
        self.write("pids.events", f"max {self.denied}\n")

    def bomb(self, n=1):
        """Full to its limit, and more is refused."""
        if self.limit != "max":
            self.set_tasks(int(self.limit))
        self.refuse_forks(n)

    def set_procs(self, pids):
        self.write("cgroup.procs", "".join(f"{pid}\n" for pid in pids), length=self.LIST)

    def remove(self):
        self.kernel.remove(self)

    def freeze_by_somebody_else(self):
        """As `docker pause` does."""
        self.write("cgroup.freeze", "1\n")
        eventually("the pause", lambda: self.frozen)


class Inotify:
    """Just what the kernel's thread needs of it."""

    MODIFY, MOVED_TO = 0x2, 0x80

    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")

    def add(self, path):
        wd = self.libc.inotify_add_watch(self.fd, os.fsencode(path), self.MODIFY)
        if wd < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch", path)
        return wd

    def remove(self, wd):
        self.libc.inotify_rm_watch(self.fd, wd)

    def read(self, timeout):
        """The watch descriptors of what changed."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return []
        data, at, found = os.read(self.fd, 65536), 0, []
        while at < len(data):
            wd, _, _, length = struct.unpack_from("iIII", data, at)
            found.append(wd)
            at += 16 + length
        return found


class Kernel:
    def __init__(self, directory):
        self.root, self.aside = os.path.join(directory, "cgroup"), os.path.join(directory, "aside")
        for path in self.root, self.aside:
            os.mkdir(path)
        for name in "cgroup.controllers", "cgroup.subtree_control":
            with open(os.path.join(self.root, name), "w") as file:
                file.write("cpu memory pids\n")
        self.lock = threading.RLock()
        self.cgroups = {}  # path -> Cgroup
        self.watched = {}  # watch descriptor -> Cgroup
        self.counter = 0
        self.inotify = Inotify()
        self.stopping = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def stop(self):
        self.stopping = True
        self.thread.join()
        os.close(self.inotify.fd)

    def make(self, path, limit="max", tasks=5, procs=(), populated=True, files=None, pids=True):
        """Makes a cgroup, with those above it, and returns it. files: name -> text, of controllers other than pids, which is
        enabled with it or not."""
        above = os.path.dirname(path)
        if above and above not in self.cgroups:
            self.make(above)
        with self.lock:
            self.counter += 1
            made = os.path.join(self.aside, str(self.counter))
            cgroup = Cgroup(self, path, populated)
            cgroup.populate(made, limit, tasks, procs)
            for name, text in (files or {}).items():
                cgroup.write(name, text, made)
            if not pids:
                cgroup.enable_pids(False, made)
            cgroup.id = os.stat(made).st_ino
            cgroup.wds = [self.inotify.add(os.path.join(made, name)) for name in ("cgroup.freeze", "cgroup.kill")]
            for wd in cgroup.wds:
                self.watched[wd] = cgroup
            self.cgroups[path] = cgroup
            os.rename(made, cgroup.dir)
        return cgroup

    def remove(self, cgroup):
        with self.lock:
            for path in [path for path in self.cgroups if path.startswith(cgroup.path + "/")]:
                self.forget(self.cgroups[path])
            self.counter += 1
            away = os.path.join(self.aside, str(self.counter))
            os.rename(cgroup.dir, away)
            self.forget(cgroup)
        shutil.rmtree(away)

    def forget(self, cgroup):
        cgroup.removed = True
        for wd in cgroup.wds:
            self.watched.pop(wd, None)
            self.inotify.remove(wd)
        self.cgroups.pop(cgroup.path, None)

    def reuse_id(self, cgroup, path, limit="max"):
        """Removes it, and makes another one elsewhere that happens to get its inode number."""
        above = os.path.dirname(path)
        if above and above not in self.cgroups:
            self.make(above)
        with self.lock:
            self.counter += 1
            away = os.path.join(self.aside, str(self.counter))
            os.rename(cgroup.dir, away)
            self.forget(cgroup)
            new = Cgroup(self, path)
            new.id = cgroup.id
            for name in os.listdir(away):
                os.unlink(os.path.join(away, name))
            staged = away + ".new"
            new.populate(staged, limit, 5, ())
            for name in os.listdir(staged):
                os.rename(os.path.join(staged, name), os.path.join(away, name))
            os.rmdir(staged)
            new.wds = [self.inotify.add(os.path.join(away, name)) for name in ("cgroup.freeze", "cgroup.kill")]
            for wd in new.wds:
                self.watched[wd] = new
            self.cgroups[path] = new
            os.rename(away, new.dir)
            same(os.stat(new.dir).st_ino, new.id, "inode number")
        return new

    # The kernel's part

    def run(self):
        while not self.stopping:
            try:
                for wd in self.inotify.read(0.1):
                    cgroup = self.watched.get(wd)
                    if cgroup:
                        self.answer(cgroup)
            except Exception:
                sys.stdout.write("# the made-up kernel stumbled:\n" + diagnostics(traceback.format_exc()))

    def answer(self, cgroup):
        try:
            if cgroup.read("cgroup.kill") == "1":
                self.kill(cgroup)
            wanted = cgroup.wanted_frozen
            if wanted != (cgroup.freeze_writes[-1] if cgroup.freeze_writes else False):
                self.freeze(cgroup, wanted)
        except FileNotFoundError:
            pass  # removed meanwhile

    def freeze(self, cgroup, wanted):
        cgroup.freeze_writes.append(wanted)
        hook = cgroup.on_freeze if wanted else cgroup.on_thaw
        if hook:
            hook(cgroup)
        if cgroup.removed:
            return
        if wanted and cgroup.freeze_delay:
            time.sleep(cgroup.freeze_delay)
        if wanted and not cgroup.freezes:
            return
        for other in self.below(cgroup):
            self.settle(other)

    def below(self, cgroup):
        with self.lock:
            return [cgroup] + [c for path, c in self.cgroups.items() if path.startswith(cgroup.path + "/")]

    def settle(self, cgroup):
        """frozen 1 while it or one above it is to be frozen."""
        frozen, path = False, cgroup.path
        while path:
            frozen = frozen or (path in self.cgroups and self.cgroups[path].wanted_frozen)
            path = os.path.dirname(path)
        cgroup.write("cgroup.events", cgroup.events(frozen))

    def kill(self, cgroup):
        cgroup.kills += 1
        cgroup.write("cgroup.kill", "0\n")
        if cgroup.on_kill:
            cgroup.on_kill(cgroup)
        if cgroup.removed or not cgroup.dies:
            return
        for other in self.below(cgroup):
            for pid in other.read("cgroup.procs").split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            other.set_procs([])
            other.set_tasks(0)
            other.populated = False
            self.settle(other)


# --- the ledger, as record/ledger.c writes it ------------------------------------------------------------

SLOT = struct.Struct("<4s6I4Q64s256s512s")
SLOT_SIZE = 1024
KINDS = {1: "hold", 2: "terminate", 3: "kill", 4: "limit", 5: "throttle"}
LINES = struct.Struct("<I96s96s")  # of a throttle, in the place of the name: resource, found, value


def read_ledger(path):
    with open(path, "rb") as file:
        data = file.read()
    entries = []
    for at in range(SLOT_SIZE, len(data) - SLOT_SIZE + 1, SLOT_SIZE):
        magic, kind, phase, holder, step, _, repeats, cgroup_id, _, found, value, rule, name, cgroup = SLOT.unpack_from(data, at)
        if magic != b"ENTR":
            continue
        text = lambda raw: raw.split(b"\0", 1)[0].decode()
        lines = [text(line) for line in LINES.unpack_from(name)[1:]] if KINDS[kind] == "throttle" else None
        entries.append({"at": at, "lines": lines, "kind": KINDS[kind], "standing": phase == 1, "id": cgroup_id,
                        "holder": holder, "step": step, "repeats": repeats, "found": found, "value": value, "rule": text(rule),
                        "name": text(name), "path": text(cgroup)})
    return entries


# --- varlink, raw ------------------------------------------------------------------------------------------


class Varlink:
    """A peer without manners of its own: it sends what it is told."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(path)
        self.buffer = b""

    def close(self):
        self.socket.close()

    def send(self, method, parameters=None, **flags):
        call = {"method": f"{INTERFACE}.{method}", "parameters": parameters or {}, **flags}
        self.socket.sendall(json.dumps(call).encode() + b"\0")

    def receive(self):
        """The next message; None at the end."""
        while b"\0" not in self.buffer:
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, parameters=None):
        self.send(method, parameters)
        reply = self.receive()
        check(reply is not None, f"{method}: hung up on")
        check("error" not in reply, f"{method}: {reply}")
        return reply.get("parameters", {})


class Watch:
    """Collects events."""

    def __init__(self, path):
        self.link = Varlink(path)
        self.events = []
        self.link.send("Watch", more=True)
        check(self.link.receive()["continues"], "the watch stands")
        self.link.socket.settimeout(None)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            while True:
                message = self.link.receive()
                if message is None or "error" in message:
                    return
                self.events.append(message["parameters"]["event"])
        except OSError:
            return

    def find(self, kind, verb=None, tenant=None, result=None, cause=None):
        return [e for e in list(self.events)
                if e["kind"] == kind and (tenant is None or e.get("tenant") == tenant)
                and (verb is None or e["decision"]["verb"] == verb)
                and (cause is None or e["decision"]["cause"] == cause)
                and (result is None or e["outcome"]["result"] == result)]

    def wait(self, kind, verb=None, tenant=None, result=None, cause=None, deadline=DEADLINE):
        try:
            return eventually("event", lambda: self.find(kind, verb, tenant, result, cause), deadline)[0]
        except AssertionError:
            raise AssertionError(f"no event {kind} {verb} {tenant} {result} {cause}; there were: "
                                 f"{[e['sentence'] for e in self.events][-20:]}") from None


# --- guardd ----------------------------------------------------------------------------------------------------

# A user namespace has inotify limits of its own. Whoever lives in a chroot gets none: out of it and, inside, back again.
LAUNCH = """
import os, sys
user, limits, argv = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
if limits:
    root, uid, gid = os.open("/", os.O_RDONLY), os.getuid(), os.getgid()
    try:
        os.unshare(os.CLONE_NEWUSER)
    except PermissionError:
        os.setns(os.open("/proc/self/ns/mnt", os.O_RDONLY), os.CLONE_NEWNS)
        os.unshare(os.CLONE_NEWUSER)
        os.fchdir(root)
        os.chroot(".")
    for path, text in ("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1"):
        with open("/proc/self/" + path, "w") as file:
            file.write(text)
    for limit in limits.split(","):
        name, value = limit.split("=")
        with open("/proc/sys/user/" + name, "w") as file:
            file.write(value)
if user:
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
os.execv(argv[0], argv)
"""


class World:
    """A made-up host. `with World(config) as world:`; guardd is not started yet."""

    def __init__(self, config=""):
        self.dir = tempfile.mkdtemp(prefix="guardd-test-")
        os.chmod(self.dir, 0o755)
        self.kernel = Kernel(self.dir)
        self.root, self.runtime = os.path.join(self.dir, "root"), os.path.join(self.dir, "run")
        self.state = os.path.join(self.dir, "state")
        self.socket = os.path.join(self.dir, "socket")
        self.log_path = os.path.join(self.dir, "log")
        os.makedirs(os.path.join(self.root, "etc/guardd"))
        os.mkdir(self.runtime)
        os.mkdir(self.state)
        self.process = None
        self.watches = []
        self.children = []
        self.notified = []  # messages of sd_notify, all runs
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(os.path.join(self.dir, "notify"))
        os.chmod(os.path.join(self.dir, "notify"), 0o777)
        threading.Thread(target=self.hear_notifications, daemon=True).start()
        self.allow_us()
        self.configure(config)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            if error is None and self.process and self.process.poll() is None:
                self.stop()
            elif self.process and self.process.poll() is None:
                self.crash()
            if error is None:
                self.look_for_sanitizers()
        except BaseException as e:
            error = e
            raise
        finally:
            if error is not None:
                print(diagnostics(f"the log of guardd, its last lines:\n{self.log()[-6000:]}"), end="")
            self.destroy()
        return False

    def destroy(self):
        for child in self.children:
            child.kill()
            child.wait()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for watch in self.watches:
            watch.link.close()
        self.kernel.stop()
        self.notify.shutdown(socket.SHUT_RDWR)
        self.notify.close()
        subprocess.run(["chmod", "-R", "u+rwX", self.dir], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def allow_us(self):
        """Who is not root may ask guardd as a member of its own group."""
        if os.getuid() == 0:
            return
        self.drop_in("00-us.conf", f"[Guard]\nOperatorGroup={grp.getgrgid(os.getgid()).gr_name}\n")

    def configure(self, text):
        path = os.path.join(self.root, "etc/guardd/guardd.conf")
        with open(path, "w") as file:
            file.write(text)
        return path

    def drop_in(self, name, text):
        directory = os.path.join(self.root, "etc/guardd/guardd.conf.d")
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, name), "w") as file:
            file.write(text)

    # Its life

    def command(self, program=GUARDD, more=()):
        return [program, "--foreground", f"--root={self.root}", f"--cgroup-root={self.kernel.root}",
                f"--runtime-dir={self.runtime}", f"--state-dir={self.state}", f"--socket={self.socket}", *more]

    def start(self, user=0, wrapper=(), environment=(), limits="", wait=True):
        """Starts guardd and waits for READY=1. As another user it is a copy: ours may lie where only we can read.
        limits: those of a user namespace, max_inotify_watches=9,..."""
        program = GUARDD
        if user:
            program = os.path.join(self.dir, "guardd")
            shutil.copy(GUARDD, program)
        variables = {**os.environ, "NOTIFY_SOCKET": os.path.join(self.dir, "notify"), **dict(environment)}
        command = [*wrapper, sys.executable, "-c", LAUNCH, str(user), limits, *self.command(program)]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            self.wait_for("READY=1")
        return self.process

    def hear_notifications(self):
        """Always: sd_notify() blocks when nobody does."""
        while True:
            try:
                message = self.notify.recv(65536).decode()
            except OSError:
                return
            self.notified += message.split("\n")

    def wait_for(self, line):
        """Waits for a line of sd_notify, since the last one waited for."""
        def heard():
            ended = self.process.poll() is not None
            if line in self.notified:
                return True
            if ended:
                self.flush_notifications()
                check(line in self.notified, f"guardd ended with {self.process.returncode} before {line}")
            return False
        try:
            eventually(line, heard)
        except AssertionError:
            print(diagnostics(f"the log of guardd, its last lines:\n{self.log()[-6000:]}\n{self.threads()}"), end="")
            raise
        del self.notified[:self.notified.index(line) + 1]

    def threads(self):
        """Where those of guardd are, for whoever is to find out why it does not go on."""
        command = ["gdb", "-p", str(self.process.pid), "-batch", "-ex", "thread apply all bt 16"]
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False).stdout

    def flush_notifications(self):
        """Until all that was sent is heard."""
        marker = f"test {time.monotonic_ns()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(marker.encode(), os.path.join(self.dir, "notify"))
        eventually("the marker", lambda: marker in self.notified)

    def wait_for_exit(self):
        """Its exit status."""
        return eventually("the end of guardd", lambda: self.process.poll() is not None) and self.process.returncode

    def stop(self, sig=signal.SIGTERM):
        """A clean stop."""
        self.process.send_signal(sig)
        same(self.wait_for_exit(), 0, "exit status of guardd")
        self.drain()

    def crash(self):
        self.process.kill()
        self.process.wait()
        self.drain()

    def drain(self):
        """Forgets what the run that ended has notified."""
        self.flush_notifications()
        self.notified.clear()

    def restart(self, **arguments):
        self.stop()
        self.start(**arguments)

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def wait_log(self, pattern):
        return eventually(f"'{pattern}' in the log", lambda: re.search(pattern, self.log()))

    def look_for_sanitizers(self):
        found = re.search(r".*(AddressSanitizer|LeakSanitizer|runtime error:).*", self.log())
        check(not found, f"a sanitizer found: {found and found.group(0)}")

    # Asking it

    def ctl(self, *arguments, check_exit=None):
        run = subprocess.run([GUARDCTL, f"--socket={self.socket}", *arguments], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=2 * DEADLINE)
        if check_exit is not None:
            same(run.returncode, check_exit, f"exit status of guardctl {' '.join(arguments)} "
                                             f"(it said: {run.stdout + run.stderr})")
        return run

    def json(self, *arguments):
        return json.loads(self.ctl(*arguments, "--json", check_exit=0).stdout)

    def link(self):
        return Varlink(self.socket)

    def call(self, method, parameters=None):
        link = self.link()
        try:
            return link.call(method, parameters)
        finally:
            link.close()

    def tenants(self):
        return {t["name"]: t for t in self.call("ListTenants")["tenants"]}

    def show(self, tenant):
        return self.call("ShowTenant", {"tenant": tenant})["details"]

    def rule(self, tenant, rule):
        return next(r for r in self.show(tenant)["rules"] if r["name"] == rule)

    def status(self):
        return self.call("GetStatus")

    def watch(self):
        watch = Watch(self.socket)
        self.watches.append(watch)
        return watch

    # The ledger

    @property
    def ledger_path(self):
        return os.path.join(self.runtime, "ledger")

    def entries(self, kind=None, path=None):
        return [e for e in read_ledger(self.ledger_path)
                if (kind is None or e["kind"] == kind) and (path is None or e["path"] == path)]

    def child(self, *command, **arguments):
        """A process that ends with the test."""
        process = subprocess.Popen(command, **arguments)
        self.children.append(process)
        return process


# --- policies ----------------------------------------------------------------------------------------------------

def tenant_class(name, steps, match=None, rule=None, when="tasks.denied > 0", until="tasks.current < 50% for 1s"):
    """A class NAME of the cgroups NAME/*, with one rule of the same name."""
    rule = rule or name
    return (f"[Tenants {name}]\nMatch={match or name + '/*'}\nTasksMax=100\nRules={rule}\n"
            f"[Rule {rule}]\nWhen={when}\nUntil={until}\nSteps={steps}\n")


def held_class(**arguments):
    """Whose forks are refused is frozen, and stays so until the test is over."""
    return tenant_class("held", "freeze 1h, kill", **arguments)


def jobs_class(patience, **arguments):
    """Whose forks are refused is frozen, and killed after `patience`."""
    return tenant_class("jobs", f"freeze {patience}, kill", rule="fork-bomb", **arguments)


def policy(*classes):
    """With a budget that no test spends."""
    return "[Guard]\nKillBudget=60/1min\n" + "".join(classes)


def started(config, *paths, **arguments):
    """A world that guards, and the cgroups asked for, made before the start."""
    world = World(config)
    made = [world.kernel.make(path, **arguments) for path in paths]
    world.start()
    return world, *made


# --- TAP ---------------------------------------------------------------------------------------------------------

tests = []


def may_limit_inotify():
    """Can we have a user namespace?"""
    script = LAUNCH.rsplit("if user:", 1)[0]
    return subprocess.run([sys.executable, "-c", script, "0", "max_inotify_watches=9"], capture_output=True).returncode == 0


class Skip(Exception):
    pass


def test(function):
    """The docstring is the name."""
    tests.append(function)
    return function


def diagnostics(text):
    return "".join(f"# {line}\n" for line in text.rstrip("\n").split("\n"))


def run():
    """Runs the tests; those whose names are given as arguments, else all."""
    os.umask(0o022)
    sys.stdout.reconfigure(line_buffering=True)
    chosen = [t for t in tests if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    failed = 0
    print(f"1..{len(chosen)}")
    for number, function in enumerate(chosen, 1):
        title = f"{number} - {function.__doc__}"
        try:
            function()
        except Skip as reason:
            print(f"ok {title} # SKIP {reason}")
        except BaseException:
            failed += 1
            print(f"not ok {title}")
            print(diagnostics(traceback.format_exc()), end="")
        else:
            print(f"ok {title}")
    sys.exit(1 if failed else 0)
