#!/usr/bin/env python3
"""What guardctl makes of an answer, for people: a made-up guardd gives answers that need filesystems with quotas."""

from answers import *

GIB = 1 << 30
NO_QUOTA = "/srv is ext4 without project quotas: tune2fs -O project -Q prjquota /dev/vdc"


def limit(name, unit, in_force, used, **more):
    return {"name": name, "unit": unit, "inForce": {} if in_force is None else {"value": in_force}, "used": used,
            "source": "override", "waiting": False, **more}


def details(*limits, **more):
    return {"details": {**row("docker/web"), "limits": limits, "readings": [], "rules": [], "frozenBy": [], **more},
            "events": []}


def directory(path, state, **more):
    return {"path": path, "kind": "volume", "state": state, "seen": 0, "changed": 0, "passedOver": 0, **more}


@test
def list_of_disks():
    """guardctl list: used of limit, fits 80 columns, and each reason why a disk is not guarded once"""
    rows = [row("docker/web-frontend-production-of-somebody", diskUsed=int(8.24 * GIB), diskMax=10 * GIB,
                inodesUsed=12345, inodesMax=200000, memoryUsed=390 << 20, memoryMax=512 << 20),
            row("docker/db", state="protected", diskUsed=999 << 20, diskMax=1023 << 20, inodesUsed=199999,
                inodesMax=1000000, memoryUsed=int(1.25 * GIB), memoryMax=2 * GIB),
            row("podman/a", memoryUsed=4096, diskUsed=4096, inodesUsed=7), row("user/alice", diskUnguarded=NO_QUOTA),
            row("user/bob", diskUnguarded=NO_QUOTA), row("nginx.service", diskUnguarded="it is read-only")]
    with Answers(ListTenants={"tenants": rows}) as guardd:
        lines = guardd.terminal("list")
        same([line for line in lines[:7] if len(line) > 80], [], "lines beyond the terminal")
        check(" 390M/512M " in lines[1] and " 1.25G/2G " in lines[2], f"memory: {lines[1:3]}")
        check("8.24G/10G 82%" in lines[1] and "12.3k/200k" in lines[1] and "37/2048" in lines[1], lines[1])
        same(lines[3].split(), ["podman/a", "containers", "ok", "37/2048", "4096", "4096", "7"], "without a limit")
        same(lines[4].split()[-2:], ["-", "-"], "not known")
        same(lines[7:], ["", f"2 tenants are not guarded on disk: {NO_QUOTA}",
                         "1 tenant is not guarded on disk: it is read-only"], "under the table")
        same(json.loads(guardd.ctl("list", "--json")), {"tenants": rows}, "as guardd gave it")
        many = [row(f"a{i}", diskUnguarded=f"reason {i}") for i in range(20)]
        guardd.answers["ListTenants"] = {"tenants": many}
        check(guardd.ctl("list").count("reason") < 10, "not a reason for each tenant")


NET = {"netEgress": 9800000, "netEgressMax": 10000000, "netIngress": 48900000, "netIngressMax": 500000000,
       "netLinks": 1}


@test
def list_of_rates():
    """guardctl list: what is sent and got, of limit; on 80 columns what can be spared is left out, and that is said"""
    wide = row("docker/web-frontend-production-of-somebody", diskUsed=int(8.24 * GIB), diskMax=10 * GIB,
               inodesUsed=12345, inodesMax=200000, memoryUsed=390 << 20, memoryMax=512 << 20, **NET)
    rows = [wide, row("docker/idle", netEgress=0, netIngress=0, netLinks=1),
            row("docker/host", netUnshaped="host-network", netLinks=0)]
    with Answers(ListTenants={"tenants": rows}) as guardd:
        lines = guardd.terminal("list")
        same([line for line in lines if len(line) > 80], [], "lines beyond the terminal")
        same(lines[0].split(), ["NAME", "STATE", "TASKS", "MEMORY", "DISK", "SENDS", "GETS"], "columns")
        check(lines[1].startswith("docker/web-") and lines[1].endswith(" 9.8M/10M  48.9M/500M"), lines[1])
        same(lines[2].split()[-2:], ["0", "0"], "without a limit")
        same(lines[3].split()[-2:], ["-", "-"], "not known")
        same(lines[4:], ["No room for CLASS, INODES: the terminal is too narrow"], "under the table")
        lines = guardd.terminal("list", width=100)
        same(lines[0].split()[1], "CLASS", "no more than need be is left out")
        same([line for line in lines if len(line) > 100], [], "lines beyond that")
        for lines in (guardd.terminal("list", width=140), guardd.ctl("list").splitlines()):
            check("containers" in lines[1] and "12.3k/200k" in lines[1], lines[1])
            same(len(lines), 4, "nothing is left out")
        same(len(guardd.calls), 4, "asked once each")


@test
def rates_take_two_looks():
    """guardctl list, show: where links were read once, they are asked for once more"""
    first, then = row("docker/web", netLinks=1), row("docker/web", **NET)
    shown = [details(**{key: value}) for key, value in (("netLinks", 1), ("netLinks", 1))]
    shown[1]["details"].update(NET)
    with Answers(ListTenants=[{"tenants": [first]}, {"tenants": [then]}], ShowTenant=shown) as guardd:
        check("9.8M/10M" in guardd.ctl("list"), "list")
        same(json.loads(guardd.ctl("show", "docker/web", "--json"))["details"]["netEgress"], 9800000, "show")
        same([method for method, _ in guardd.calls], ["ListTenants"] * 2 + ["ShowTenant"] * 2, "calls")
    with Answers(ListTenants={"tenants": [first]}) as guardd:
        same(guardd.ctl("list").splitlines()[1].split()[:2], ["docker/web", "containers"], "still none")
        same(len(guardd.calls), 2, "not without end")


@test
def show_of_a_network():
    """guardctl show: links, limits, drops, with whom they are shared, what was put back; or why it is not shaped"""
    links = [{"name": "veth1a2b3c4", "ifindex": 7, "egressMax": 10000000, "egressDropped": 12345},
             {"name": "veth\x1b[2J", "ifindex": 8}]
    shown = details(**NET, network={"links": links, "sharers": 2, "sharer": "podman/pod-b", "repaired": 3})
    with Answers(ShowTenant=shown) as guardd:
        lines = guardd.ctl("show", "podman/pod-a").splitlines()
        check(any(line.split() == ["veth1a2b3c4", "10Mbit", "12345", "infinity", "-"] for line in lines), lines)
        check("Shares its links with podman/pod-b and 1 more: they have one rate together, the lowest that is set"
              in lines, lines)
        check("Put back 3 times: somebody had taken away what keeps its rates" in lines, lines)
        check("\x1b" not in "".join(lines), "escaped")
        unshaped = details(netUnshaped="macvlan", network={"links": [], "sharers": 0, "unshaped": "why", "repaired": 0})
        guardd.answers["ShowTenant"] = unshaped
        check("Network not shaped: macvlan: why" in guardd.ctl("show", "docker/a").splitlines(), "not shaped")


@test
def show_of_a_disk():
    """guardctl show: amounts by what they count, directories with why, progress, filesystems"""
    space = limit("DiskSpaceMax", "bytes", 20 * GIB, 8 * GIB, override={"value": 20 * GIB}, asked={"value": 10 * GIB})
    share = {"where": "/var/lib/docker (/dev/vdb)", "project": 1000003, "diskUsed": 8 * GIB, "diskMax": 20 * GIB,
             "inodesUsed": 12345, "diskFree": 41 * GIB, "diskSize": 100 * GIB}
    shown = details(space, limit("TasksMax", "count", 20480, 12345, note="somebody set it"),
                    directories=[directory("/var/lib/a", "tagging", seen=12345, changed=40000),
                                 directory("/srv/\x1b[2J", "out", why="two tenants share it")],
                    shares=[share, {"where": "/srv", "project": 7}])
    with Answers(ShowTenant=shown) as guardd:
        text = guardd.ctl("show", "docker/web")
        lines = {line.split()[0]: line.split() for line in text.splitlines() if line.split()}
        same(lines["DiskSpaceMax"][1:4], ["20G", "20G", "10G"], "in force, set to, the class's")
        check("20480" in text, "tasks are written exactly")
        for part in ("TasksMax: somebody set it", "tagging: 12.3k seen, 40k tagged", "two tenants share it",
                     "project 1000003", "of 20G (40%)",
                     "files 12.3k without a limit", "41G of 100G left", "could not be read"):
            check(part in text, f"{part!r} is not in {text}")
        check("\x1b" not in text, "what a terminal would obey")


@test
def show_of_limits():
    """guardctl show: limits of memory, CPU and I/O where somebody has set them, each in its unit"""
    shown = details(limit("TasksMax", "count", None, 5),
                    limit("MemoryHigh", "bytes", None, 5 << 20),
                    limit("MemoryMax", "bytes", 512 << 20, 5 << 20, asked={"value": 512 << 20}, found={}),
                    limit("MemorySwapMax", "bytes", 0, 0),
                    limit("CPUQuota", "percent", 15050, None), limit("CPUWeight", "count", 100, None),
                    limit("IOWeight", "count", 50, None))
    with Answers(ShowTenant=shown) as guardd:
        text = guardd.ctl("show", "docker/web")
        lines = {line.split()[0]: line.split() for line in text.splitlines() if line.split()}
        same(lines["TasksMax"][1], "infinity", "always there")
        same(lines["MemoryMax"][1:5], ["512M", "-", "512M", "infinity"], "in force, set to, the class's, found")
        same((lines["MemorySwapMax"][1], lines["CPUQuota"][1], lines["IOWeight"][1]), ("0", "150.5%", "50"), "by whomever")
        check("MemoryHigh" not in lines and "CPUWeight" not in lines, f"nobody's: {text}")


@test
def set_says_what_changed():
    """guardctl set: what is in force, what was before, what is used; below the use it says so"""
    before = details(limit("DiskSpaceMax", "bytes", 10 * GIB, 8 * GIB), limit("DiskInodesMax", "count", None, 12345))
    after = {"name": "docker/web", "limits": [limit("DiskSpaceMax", "bytes", 20 * GIB, 8 * GIB),
                                              limit("DiskInodesMax", "count", 10000, 12345)]}
    with Answers(ShowTenant=before, SetLimits=after) as guardd:
        same(guardd.ctl("set", "docker/web", "DiskSpaceMax=20G", "DiskInodesMax=10k", "--runtime"),
             "docker/web: DiskSpaceMax=20G (was 10G), uses 8G, 40%\n"
             "docker/web: DiskInodesMax=10k (was infinity), uses 12.3k, 123%, below the present use: it cannot grow\n",
             "what it says")
        cpu = limit("CPUQuota", "percent", 5000, None)
        del cpu["used"]
        guardd.answers["SetLimits"] = {"name": "docker/web", "limits": [limit("MemoryHigh", "bytes", GIB, 2 * GIB), cpu]}
        same(guardd.ctl("set", "docker/web", "MemoryHigh=1G", "CPUQuota=50%"),
             "docker/web: MemoryHigh=1G, uses 2G, 200%, below the present use: it is slowed down until it fits\n"
             "docker/web: CPUQuota=50%\n", "of memory and CPU")
        guardd.answers["SetLimits"] = after
        guardd.ctl("set", "docker/web", "DiskSpaceMax=20G", "DiskInodesMax=10k", "--runtime")
        same(guardd.calls[-1], ("SetLimits", {"tenant": "docker/web", "runtime": True, "limits": [
            {"name": "DiskSpaceMax", "value": "20G"}, {"name": "DiskInodesMax", "value": "10k"}]}), "what it asks for")
        same(guardd.ctl("set", "docker/web", "DiskSpaceMax=20G"),
             "docker/web: DiskSpaceMax=20G (was 10G), uses 8G, 40%\n", "only what was named")
        same(json.loads(guardd.ctl("set", "docker/web", "DiskSpaceMax=20G", "--json")), after, "as guardd gave it")
        guardd.answers["SetLimits"] = ("InvalidLimit", {"message": "DiskSpaceMax: 'x' is no size", "right": "10G"})
        same(guardd.ctl("set", "docker/web", "DiskSpaceMax=x", check_exit=EXIT_USAGE),
             "guardctl: DiskSpaceMax: 'x' is no size; right is 10G\n", "what it complains")


@test
def reset_says_what_changed():
    """guardctl reset: all that was set, or that nothing was"""
    now = limit("DiskSpaceMax", "bytes", 10 * GIB, 8 * GIB)
    before = details(limit("DiskSpaceMax", "bytes", 20 * GIB, 8 * GIB, override={"value": 20 * GIB}))
    with Answers(ShowTenant=before, ResetLimits={"name": "docker/web", "limits": [now]}) as guardd:
        same(guardd.ctl("reset", "docker/web"), "docker/web: DiskSpaceMax=10G (was 20G), uses 8G, 80%\n", "what it says")
        guardd.answers["ShowTenant"] = details(now)
        same(guardd.ctl("reset", "docker/web"), "docker/web: no operator had set a limit of it\n", "of nothing")


@test
def check_of_a_tenant():
    """guardctl check TENANT: exit 1 while something is wrong and not mended"""
    wrong = {"name": "docker/web", "clean": False, "directories": [directory("/a", "counted", seen=9, changed=2)]}
    with Answers(CheckTenant=wrong) as guardd:
        text = guardd.ctl("check", "docker/web", check_exit=EXIT_FAILED)
        check("2 of 9 files do not count" in text and "--repair" in text, text)
        same(guardd.calls[-1], ("CheckTenant", {"tenant": "docker/web", "repair": False}), "what it asks for")
        guardd.ctl("check", "docker/web", "--json", check_exit=EXIT_FAILED)
        guardd.answers["CheckTenant"] = {**wrong, "clean": True}
        text = guardd.ctl("check", "--repair", "docker/web")
        check("2 of 9 files did not count" in text and "every file counts" in text, text)
        same(guardd.calls[-1][1]["repair"], True, "repair")


if __name__ == "__main__":
    run()
