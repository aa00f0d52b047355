"""What the network tests stand on, beside ground.py: containers on bridges of docker and podman, TCP from one end to
another as it arrives, pings, and traffic control as tc(8) tells of it.

iperf3 is the guest's own, and runs in the network namespace of whoever is to send or to receive (nsenter): the image of
the containers holds nothing but busybox. What it sends is of that namespace all the same. Nothing here asks guardd what
it could ask the kernel, and a container's veth is found by what its own end says of it, not by namespace ids.

Directions are the tenant's: egress is what it sends."""

import re
import statistics

from ground import *

MBIT = 1000000
NEAR = 0.005
BELOW = 0.05  # of a rate: what TCP may be below it, headers included
NUMBER = 0x6764  # what guardd's qdiscs, filters and IFBs carry
BIN = 0.01  # seconds: of programs/arrivals
WHOLE = 0.5  # of a second of which a slow guest makes a longer one
PLAIN = ("tbf", "burst", "20000", "latency", "25ms")  # what the CNI plugin for bandwidth sets up
DIRECTIONS = ("egress", "ingress")
KEYS = {"egress": "NetworkEgressMax", "ingress": "NetworkIngressMax"}
FAMILIES = (4, 6)
LEFT = 15  # seconds in which what is of a container that is gone goes, too
TRIES = 4  # at a transfer that says nothing of rates that are too low


def in_mbit(numbers):
    return " ".join(f"{number / MBIT:.2f}" for number in numbers)


# ---- ends of a transfer ----------------------------------------------------------------------------------------------


def next_number(kind):
    """For names and addresses of one kind. Some of them have to fit into a byte."""
    next_number.last[kind] = next_number.last.get(kind, 0) + 1
    return next_number.last[kind]


next_number.last = {}


def links(*prefix):
    return json.loads(output(*prefix, "ip", "-j", "-d", "link", "show"))


class End:
    """Where TCP may begin or end: in a network namespace (pid: of somebody in it) or in the host's."""

    def __init__(self, device, addresses, pid=None):
        self.device, self.pid, self.addresses = device, pid, dict(zip(FAMILIES, addresses))

    def inside(self, *words):
        return ("nsenter", "--net", "-t", str(self.pid), "--", *words) if self.pid else words

    def link(self):
        """This host's end of its veth."""
        return link_to(self.pid, self.device)


def link_to(pid, device="eth0"):
    words = ("nsenter", "--net", "-t", str(pid), "--", "ip", "-j", "link", "show", device)
    number = json.loads(output(*words))[0]["link_index"]
    return next(link["ifname"] for link in links() if link["ifindex"] == number)


def settled_address(pid):
    """IPv6 is not in use while it is looked for who else has it."""
    return not output("nsenter", "--net", "-t", str(pid), "--", "ip", "-6", "address", "show", "tentative")


class Bridge:
    """A network of docker's or podman's with both families. `host`: this host's end."""

    def __init__(self, ground, runtime):
        number = next_number("bridge")
        self.ground, self.runtime, self.name = ground, runtime, f"gn{os.getpid()}x{number}"
        device, v4, v6 = f"gb{number}", f"10.201.{number}", f"fd00:201:{number:x}:"
        option = {"docker": ("--opt", f"com.docker.network.bridge.name={device}"),
                  "podman": ("--interface-name", device)}
        subnets = ("--subnet", f"{v4}.0/24", "--gateway", f"{v4}.1", "--subnet", f"{v6}:/64", "--gateway", f"{v6}:1")
        ground.callback(run, runtime, "network", "rm", self.name, status=None)
        run(runtime, "network", "create", "--ipv6", *option[runtime], *subnets, self.name)
        self.host = End(device, (f"{v4}.1", f"{v6}:1"))
        self.v4, self.v6 = v4, v6

    def member(self, name=None, command=("sleep", "infinity"), options=()):
        """A container on it, guarded, whose `end` may be used at once."""
        number = next_number(self.name) + 1
        addresses = f"{self.v4}.{number}", f"{self.v6}:{number:x}"
        where = ("--network", self.name, "--ip", addresses[0], "--ip6", addresses[1])
        mounts = ("-v", f"{PROGRAMS}:/programs:ro")
        options = (*where, *mounts, *options)
        container = self.ground.container(self.runtime, name or unique("net"), *command, options=options)
        pid = int(container.inspect("{{.State.Pid}}"))
        container.end = End("eth0", addresses, pid)
        wait_for(lambda: settled_address(pid), f"the addresses of {container.name} are in use")
        self.ground.callback(run, "guardctl", "reset", container.tenant, status=None)
        return container

    def uplink(self, rate=None):
        """Somebody behind a port of the bridge, through which no more than the rate goes, as through a real one."""
        number = next_number(self.name) + 1
        return Uplink(self, f"gu{next_number('uplink')}", (f"{self.v4}.{number}", f"{self.v6}:{number:x}"), rate)


class Uplink(End):
    """The world: a network namespace that is no tenant's. Its port has a plain queue, as a network card's."""

    def __init__(self, bridge, name, addresses, rate):
        ground = bridge.ground
        process = start_apart(ground)
        super().__init__("eth0", addresses, process)
        ground.callback(run, "ip", "link", "del", name, status=None)
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(process))
        run("ip", "link", "set", name, "master", bridge.host.device, "up")
        for address, bits in zip(addresses, (24, 64)):
            more = ("nodad",) if bits == 64 else ()
            run(*self.inside("ip", "address", "add", f"{address}/{bits}", "dev", "eth0", *more))
        run(*self.inside("ip", "link", "set", "eth0", "up"))
        self.port = name
        if rate:
            run("tc", "qdisc", "add", "dev", name, "root", "handle", "1:", "tbf", "rate", str(rate), "burst", "20000",
                "latency", "200ms")


def start_apart(ground, cgroup=None):
    """Starts a process in a network namespace of its own (and in a cgroup), and returns its pid once it is there. What
    belongs to the namespace goes with it, a moment later."""
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            if cgroup:
                cgroup.write("cgroup.procs", 0)
            os.unshare(os.CLONE_NEWNET)
            os.write(told, b"there")
            os.execv("/usr/bin/sleep", ["sleep", "infinity"])
        os._exit(1)
    os.close(told)
    ground.callback(end_process, pid)
    with os.fdopen(ready, "rb") as file:
        check_equal(file.read(), b"there", "a process in a network namespace of its own says that it is")
    return pid


def end_process(pid):
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.waitpid(pid, 0)


class Tenant:
    """A cgroup with a network namespace and a veth of its own, and nothing else: many of them are quickly made. A class
    has to match guardtest/NAME-*."""

    def __init__(self, ground, name):
        self.ground = ground
        self.cgroup = ground.cgroup(f"guardtest/{unique(name)}")
        self.tenant, self.veth = self.cgroup.path, f"gt{os.getpid()}x{next_number('tenant')}"
        self.pid = start_apart(ground, self.cgroup)

    def connect(self):
        self.ground.callback(run, "ip", "link", "del", self.veth, status=None)
        run("ip", "link", "add", self.veth, "type", "veth", "peer", "name", "eth0", "netns", str(self.pid))
        run("ip", "link", "set", self.veth, "up")
        return self

    def end(self):
        """Its processes end, and with them its namespace and its link; then its cgroup goes."""
        end_process(self.pid)
        self.cgroup.destroy()


# ---- time that the guest was not there -------------------------------------------------------------------------------


class Held:
    """with Held(ground) as held: ...; held.lost() is the share of that time that the guest had to do without a CPU."""

    def __init__(self, ground):
        self.ground = ground

    def __enter__(self):
        self.watcher = self.ground.lines(f"{PROGRAMS}/held", stdin=subprocess.PIPE)
        self.watcher.wait_line("ready")
        return self

    def __exit__(self, *_):
        self.watcher.process.stdin.close()
        self.watcher.process.wait(LONG)
        self.watcher.reader.join(LONG)

    def lost(self):
        lost, total = map(int, self.watcher.lines[-1].split())
        return lost / total


# ---- transfers -------------------------------------------------------------------------------------------------------


class Stream:
    """TCP from one end to another one for so many seconds, from now on. What it brings is counted as it arrives, by the
    kernel's clock (programs/arrivals): iperf3's own seconds are those in which it got round to reading. `rate`: about
    what it is going to be; `paced`: the sender wants no more."""

    def __init__(self, ground, sender, receiver, seconds, family=4, rate=1000 * MBIT, paced=None):
        self.planned, self.family = seconds, family
        port, length = str(5200 + next_number("port")), min(max(8192, rate // 400), 131072)
        server = ground.lines(*sender.inside("iperf3", "-s", "-1", "-p", port, "--forceflush"))
        server.wait_line("Server listening")
        watcher = receiver.inside(f"{PROGRAMS}/arrivals", receiver.device, port)
        self.arrivals = ground.lines(*watcher, stdin=subprocess.PIPE)
        self.arrivals.wait_line("ready")
        words = ["iperf3", "-J", "-R", "-i", "1", "-t", str(seconds), "-l", str(length), "-p", port]
        words += ["-b", str(paced)] if paced else []
        self.client = ground.lines(*receiver.inside(*words, "-c", sender.addresses[family]))

    def finish(self):
        """Waits for its end."""
        self.client.process.wait(self.planned + LONG)
        self.client.reader.join(LONG)
        self.arrivals.process.stdin.close()
        self.arrivals.wait_line("end")
        self.report = json.loads("\n".join(self.client.lines))
        check("error" not in self.report, f"iperf3: {self.report.get('error')}")
        check(not any(line.startswith("lost") for line in self.arrivals.lines), "every packet was seen")
        self.bins = self._bins()
        return self

    def _bins(self):
        """Bits of each 10 ms, from the first full packet on (those by which iperf3 comes to terms are small). `began`:
        when that was, as now() has it."""
        found = {int(bin): 8 * int(size) for bin, size in (line.split() for line in self.arrivals.lines[1:-1])}
        first = next(bin for bin in sorted(found) if found[bin] >= 8 * 1000)
        self.began = first * BIN - (time.time() - now())
        return [found.get(bin, 0) for bin in range(first, max(found) + 1)]

    def seconds(self):
        """Bit/s that arrived in each whole second, the first one included; not what came after the last one."""
        size = round(1 / BIN)
        whole = min(self.planned, len(self.bins) // size)
        return [sum(self.bins[number * size : (number + 1) * size]) for number in range(whole)]

    def fastest(self):
        """What arrived within the fastest second, whenever that began."""
        size = round(1 / BIN)
        total = most = sum(self.bins[:size])
        for at in range(size, len(self.bins)):
            total += self.bins[at] - self.bins[at - size]
            most = max(most, total)
        return most

    def between(self, start, end):
        """Bit/s between two moments."""
        part = self.bins[max(0, round((start - self.began) / BIN)) : max(0, round((end - self.began) / BIN))]
        return sum(part) / (len(part) * BIN) if part else 0

    def goodput(self):
        """As iperf3 has it, that is what TCP handed over, each byte once; without the first second."""
        parts = [part["sum"] for part in self.report["intervals"]][1:]
        whole = [part["bits_per_second"] for part in parts if part["seconds"] >= WHOLE]
        return statistics.mean(whole) if whole else 0


def transfer(ground, sender, receiver, seconds, **more):
    return Stream(ground, sender, receiver, seconds, **more).finish()


def ends_of(direction, tenant, other):
    """(sender, receiver) of a transfer in this direction of the tenant's."""
    return (tenant, other) if direction == "egress" else (other, tenant)


def pings(sender, address, count, interval=0.05):
    """Milliseconds of each answer; a ping that got none is missing."""
    words = ("busybox", "ping", "-c", str(count), "-i", str(interval), "-W", "5", address)
    text = output(*sender.inside(*words), status=None)
    return [float(number) for number in re.findall(r"time=([\d.]+)", text)]


def percentile(numbers, share):
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Flood:
    """A container that is going to send packets to an end, so many Mbit/s, whoever gets them (programs/flood.c)."""

    def __init__(self, ground, bridge, to, mbit, name=None):
        self.trigger = ground.trigger()
        command = f"read go </trigger/go; exec /programs/flood {to.addresses[4]} 1400 {mbit}"
        options = ("-v", f"{self.trigger.directory}:/trigger")
        self.container = bridge.member(name or unique("flood"), ("sh", "-c", command), options)
        self.cgroup, self.tenant, self.end = self.container.cgroup, self.container.tenant, self.container.end

    def start(self):
        self.trigger.pull()


# ---- traffic control -------------------------------------------------------------------------------------------------


def qdiscs(device=None):
    """Those that somebody asked for: the kernel's own have the handle 0:."""
    where = ("dev", device) if device else ()
    return [one for one in json.loads(output("tc", "-j", "qdisc", "show", *where) or "[]") if one["handle"] != "0:"]


def filters(device):
    """On what a device receives, as (kind, preference)."""
    done = run("tc", "-j", "filter", "show", "dev", device, "ingress", status=None)
    found = json.loads(done.stdout or "[]") if done.returncode == 0 else []
    return [(one["kind"], one["pref"]) for one in found if "options" in one]


def ifbs():
    """guardd's: by group, or by name."""
    return [link["ifname"] for link in links() if link.get("linkinfo", {}).get("info_kind") == "ifb"
            and (link.get("group") in (str(NUMBER), f"{NUMBER:#x}") or link["ifname"].startswith("guardd-"))]


def of_qdisc(one):
    parent = one.get("parent", "root" if one.get("root") else "")
    return f"{one['dev']} {parent} {one['kind']} {one['handle']}"


def shaping():
    """All that is there of it on this host, whoever made it, as a sorted list of lines."""
    found = qdiscs()
    lines = [of_qdisc(one) for one in found]
    for device in {one["dev"] for one in found if one["kind"] in ("clsact", "ingress")}:
        lines += [f"{device} filter {kind} {preference}" for kind, preference in filters(device)]
    return sorted(lines + [f"{name} ifb" for name in ifbs()])


def guardds(lines):
    """Of shaping(): what is guardd's. (A clsact carries its mark where tc does not show it.)"""
    marks = ("6764:", "6765:", f" {NUMBER}", " clsact ", " ifb")
    return [line for line in lines if any(mark in line for mark in marks)]


def bucket_lines(device):
    return [f"{device} root tbf 6764:", f"{device} 6764:1 fq_codel 6765:"]


def shaping_wanted(veth, directions=DIRECTIONS):
    """What shaping() has to be of a veth."""
    lines = []
    if "ingress" in directions:
        lines += bucket_lines(veth)
    if "egress" in directions:
        with open(f"/sys/class/net/{veth}/ifindex") as file:
            device = f"guardd-{int(file.read()):x}"
        lines += [f"{veth} ffff:fff1 clsact ffff:", f"{veth} filter matchall {NUMBER}"]
        lines += [f"{device} ifb", *bucket_lines(device)]
    return sorted(lines)


def rate_set(device):
    """Of guardd's bucket on a device, in bit/s of IP: TBF's own counts Ethernet headers. 0: there is none."""
    for one in qdiscs(device):
        if one["kind"] == "tbf" and one["handle"] == "6764:":
            with open(f"/sys/class/net/{device}/mtu") as file:
                mtu = int(file.read())
            return one["options"]["rate"] * 8 * mtu / (mtu + 14)
    return 0


def bucket_of(veth, direction):
    """The device whose bucket keeps the rate."""
    if direction == "ingress":
        return veth
    with open(f"/sys/class/net/{veth}/ifindex") as file:
        return f"guardd-{int(file.read()):x}"


def wait_rate(veth, direction, rate):
    """Until the kernel has this rate for it; 0: none."""
    def there():
        with contextlib.suppress(OSError, Failure):
            return abs(rate_set(bucket_of(veth, direction)) - rate) <= rate / 1000
        return rate == 0

    wait_for(there, lambda: f"{direction} of {veth} is {rate} bit/s, with {shaping()}")


def plain_queue(ground, veth, direction, rate):
    """What the CNI plugin for bandwidth makes by hand: TBF of 25 ms, and nothing in it; for the rest of the test."""
    device = veth
    if direction == "egress":
        device = f"plain{next_number('plain')}"
        ground.callback(run, "ip", "link", "del", device, status=None)
        run("ip", "link", "add", device, "type", "ifb")
        run("ip", "link", "set", device, "up")
        ground.callback(run, "tc", "qdisc", "del", "dev", veth, "ingress", status=None)
        run("tc", "qdisc", "add", "dev", veth, "ingress")
        redirect = ("action", "mirred", "egress", "redirect", "dev", device)
        run("tc", "filter", "add", "dev", veth, "parent", "ffff:", "matchall", *redirect)
    ground.callback(run, "tc", "qdisc", "del", "dev", device, "root", status=None)
    run("tc", "qdisc", "add", "dev", device, "root", "handle", "1:", *PLAIN, "rate", str(rate))


# ---- limits ----------------------------------------------------------------------------------------------------------


def rate_in_force(tenant, direction):
    """As guardd tells it; None: there is none."""
    found = next(limit for limit in show(tenant)["limits"] if limit["name"] == KEYS[direction])
    return found.get("inForce", {}).get("value")


def set_rates(tenant, *more, **rates):
    """set_rates(web.tenant, egress=10 * MBIT, ingress=...): as an operator would, in force when it returns."""
    words = [f"{KEYS[direction]}={rate}" for direction, rate in rates.items()]
    return run("guardctl", "set", tenant, *words, *more)


def shown(tenant):
    return output("guardctl", "show", tenant)


def tells(tenant, text):
    """Does guardctl show say so, wherever its lines break?"""
    return text in " ".join(shown(tenant).split())


def new_place(ground, runtime="docker", **options):
    """A container on a bridge of its own, that guardd knows."""
    bridge = Bridge(ground, runtime)
    container = bridge.member(**options)
    wait_guarded(container.cgroup)
    return bridge, container


def judged(ground, sender, receiver, what, rate, seconds=6, family=4, below=BELOW):
    """A transfer that is as it should be: at most so far below its rate. One in which the guest had no CPU says nothing
    of rates that are too low; and headers alone are 4.8 % of IPv6, so that a packet or two decide: who was that near is
    asked again."""
    for number in range(TRIES):
        with Held(ground) as held:
            stream = transfer(ground, sender, receiver, seconds, family=family, rate=rate)
        arrived, goodput = stream.seconds(), statistics.mean(stream.seconds())
        note(f"{what}: {in_mbit(arrived)}, mean {goodput / MBIT:.3f}, fastest second {stream.fastest() / MBIT:.3f}")
        check(stream.fastest() <= rate, f"{what}: never above the rate in any second: {stream.fastest() / MBIT:.3f}")
        if goodput >= (1 - below) * rate:
            return
        excused = held.lost() > below / 4 or goodput >= (1 - below - NEAR) * rate
        check(excused and number + 1 < TRIES, f"{what}: at most {below:.0%} below: {in_mbit(arrived)}")
        note(f"{what}: the guest was held up for {held.lost():.0%} of it: once more")


# ---- what is shown ---------------------------------------------------------------------------------------------------


def rule_of(*widths):
    return "  ".join("-" * width for width in widths)


def table(head, rows):
    """As diagnostics; the first column to the left."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    for number, row in enumerate(cells):
        first, *others = (cell.ljust(width) if at == 0 else cell.rjust(width)
                          for at, (cell, width) in enumerate(zip(row, widths)))
        note("  ".join((first, *others)).rstrip())
        if number == 0:
            note(rule_of(*widths))
