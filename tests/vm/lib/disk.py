"""What the disk tests stand on, beside ground.py: projects, usage as others count it, filesystems of their own, tenants
with directories.

Nothing here asks guardd what it could ask the kernel: project ids are read by ioctl, usage by xfs_quota, and the space of
a tree is the sum of its blocks."""

import fcntl
import os
import re
import struct

from ground import *

MIB = 1024 * 1024
FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR = 0x801C581F, 0x401C5820
FSXATTR = struct.Struct("=IIIII8x")  # xflags, extsize, nextents, projid, cowextsize
PROJINHERIT = 0x200
DISK = "/data"  # where the tenants' filesystem is mounted whole
FIRST_PROJECT, LAST_PROJECT = 1000000, 1999999


# ---- projects as the kernel has them ---------------------------------------------------------------------------------


def _fsxattr(path):
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        return FSXATTR.unpack(fcntl.ioctl(fd, FS_IOC_FSGETXATTR, bytes(FSXATTR.size)))
    finally:
        os.close(fd)


def project_of(path):
    return _fsxattr(path)[3]


def inherits(path):
    return bool(_fsxattr(path)[0] & PROJINHERIT)


def set_project(path, project, inherit=False):
    xflags, extsize, nextents, _, cow = _fsxattr(path)
    xflags = xflags | PROJINHERIT if inherit else xflags & ~PROJINHERIT
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        fcntl.ioctl(fd, FS_IOC_FSSETXATTR, FSXATTR.pack(xflags, extsize, nextents, project, cow))
    finally:
        os.close(fd)


def files_of(*trees):
    """Regular files and directories: what can have a project."""
    for tree in trees:
        for directory, _, names in os.walk(tree):
            yield directory
            for name in names:
                path = f"{directory}/{name}"
                if os.path.isfile(path) and not os.path.islink(path):
                    yield path


def projects_in(*trees):
    """{project: number of files and directories}."""
    found = {}
    for path in files_of(*trees):
        with contextlib.suppress(FileNotFoundError):
            project = project_of(path)
            found[project] = found.get(project, 0) + 1
    return found


def report(filesystem=DISK):
    """{project: {"space", "space_soft", "space_hard", "inodes", ...}} by xfs_quota; space in bytes."""
    found = {}
    for line in output("xfs_quota", "-x", "-c", "report -p -n -N -b -i", filesystem).splitlines():
        numbers = re.match(r"#(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+\d+\s+\[.*?\]\s+(\d+)\s+(\d+)\s+(\d+)", line)
        if numbers:
            project, *values = map(int, numbers.groups())
            names = ("space", "space_soft", "space_hard", "inodes", "inodes_soft", "inodes_hard")
            found[project] = dict(zip(names, [1024 * value for value in values[:3]] + values[3:]))
    return found


def usage(project, filesystem=DISK):
    return report(filesystem).get(project, dict.fromkeys(report(filesystem)[0], 0))


def set_limit(project, text, filesystem=DISK):
    """As someone would by hand: set_limit(1000000, "bhard=0 ihard=0")."""
    run("xfs_quota", "-x", "-c", f"limit -p {text} {project}", filesystem)


def space_of(*trees):
    """Bytes that trees (or files) take, each inode once."""
    seen = {}
    for tree in trees:
        paths = [tree] if not os.path.isdir(tree) else [tree]
        for directory, directories, names in os.walk(tree):
            paths += [f"{directory}/{name}" for name in directories + names]
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                status = os.lstat(path)
                seen[status.st_dev, status.st_ino] = 512 * status.st_blocks
    return sum(seen.values())


# ---- what guardd says ------------------------------------------------------------------------------------------------


def directories(tenant, kind=None):
    """Rows of `guardctl show`, by path."""
    details = show(tenant)
    rows = details["directories"] if details else []
    return {row["path"]: row for row in rows if kind in (None, row["kind"])}


def wait_counted(tenant, *paths, deadline=LONG):
    """Until every directory that counts is counted whole, and these do. Returns them all."""

    def counted():
        found = directories(tenant)
        states = {path: row["state"] for path, row in found.items()}
        settled = states and set(states.values()) <= {"counted", "out"} and "counted" in states.values()
        return found if settled and all(states.get(path) == "counted" for path in paths) else None

    return wait_for(counted, lambda: f"all of {tenant} counts: {directories(tenant)}", deadline)


def project_number(tenant, shares=1):
    """Of a tenant on the one filesystem it is on."""
    found = [share["project"] for share in show(tenant)["shares"]]
    check_equal(len(found), shares, f"filesystems of {tenant}")
    return found[0]


def limit_of(tenant, name):
    return next(limit for limit in show(tenant)["limits"] if limit["name"] == name)


def wait_limits(project, filesystem=DISK, **wanted):
    """Until the kernel has these: space_hard=..., inodes_hard=..."""

    def there():
        return all(usage(project, filesystem)[name] == value for name, value in wanted.items())

    wait_for(there, lambda: f"project {project} has {wanted}, not {usage(project, filesystem)}")


# ---- writers ---------------------------------------------------------------------------------------------------------


class Report:
    """What a filler wrote down (programs/filler.c)."""

    def __init__(self, path):
        self.path = path

    def lines(self, word=None):
        if not os.path.exists(self.path):
            return []
        with open(self.path) as file:
            lines = [line.split() for line in file if line.endswith("\n")]
        return [line for line in lines if word in (None, line[0])]

    def wait(self, word, count=1, deadline=LONG):
        """The first lines that begin with this word."""
        wait_for(lambda: len(self.lines(word)) >= count, lambda: f"{count} {word!r} of {self.lines()}", deadline)
        return self.lines(word)

    def when(self, word):
        """The first of them, in seconds since boot."""
        return int(self.wait(word)[0][-1]) / 1e6


def fill_tree(path, files, per_directory=500):
    """So many empty files in directories below."""
    for i in range(0, files, per_directory):
        os.mkdir(f"{path}/{i}")
        run(f"{PROGRAMS}/filler", "-n", str(min(per_directory, files - i)), f"{path}/{i}")


def wait_gone(path):
    wait_for(lambda: not os.path.exists(path), f"{path} is gone")


# ---- filesystems and tenants -----------------------------------------------------------------------------------------


class Filesystem:
    """A filesystem of its own in a file, at /srv/NAME. `on`: the directory of that file."""

    def __init__(self, ground, kind="xfs", mib=400, options="prjquota", make=(), path=None, on=None):
        name = unique("disk")
        self.image, self.path, self.options = f"{on or DISK}/{name}.image", path or f"/srv/{name}", options
        with open(self.image, "w") as file:
            file.truncate(mib * MIB)
        ground.callback(os.unlink, self.image)
        run(f"mkfs.{kind}", "-q", *make, self.image)
        os.makedirs(self.path)
        ground.callback(os.rmdir, self.path)
        ground.callback(run, "umount", "--lazy", self.path, status=None)
        self.mount()

    def mount(self, options=None):
        options = ",".join(filter(None, ["loop", self.options if options is None else options]))
        run("mount", "-o", options, self.image, self.path)

    def umount(self):
        run("umount", self.path)

    def remount(self, options):
        run("mount", "-o", f"remount,{options}", self.path)

    def free(self):
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize


class DiskGround:
    """What a test makes on disk through its Ground, which takes it away again."""

    def __init__(self, ground):
        self.ground = ground
        self.reports = ground.directory("reports")

    def tree(self, name, files=0, per_directory=500):
        """A directory below /srv, with so many empty files."""
        path = f"/srv/{name}"
        os.makedirs(path)
        self.ground.callback(run, "rm", "-rf", path)
        fill_tree(path, files, per_directory)
        return path

    def volume(self, runtime, name):
        """A named volume; returns its directory on the host."""
        run(runtime, "volume", "create", name)
        self.ground.callback(run, runtime, "volume", "rm", "-f", name, status=None)
        return output(runtime, "volume", "inspect", "--format", "{{.Mountpoint}}", name)

    def container(self, runtime, *command, volume=None, options=()):
        """A container with the test programs, a place for reports that no limit holds, and perhaps a volume at /vol."""
        mounts = ["-v", f"{PROGRAMS}:/programs:ro", "-v", f"{self.reports}:/reports"]
        mounts += ["-v", f"{volume}:/vol"] if volume else []
        return self.ground.container(runtime, unique("disk"), *command, options=[*mounts, *options])

    def service(self, name, *command):
        """A service of the class that has DiskPath=/srv/%p. Its directory has to be there."""
        return self.ground.service(name, *command)

    def report(self, name="report"):
        return Report(f"{self.reports}/{name}")

    def filler(self, *options, name="report"):
        """The command line of a filler in a service."""
        return [f"{PROGRAMS}/filler", "-o", f"{self.reports}/{name}", *map(str, options)]


def layer_of(container):
    """What a container writes to its root."""
    upper = container.inspect("{{.GraphDriver.Data.UpperDir}}")
    return [upper, f"{os.path.dirname(upper)}/work"]


def log_of(container):
    return container.inspect({"docker": "{{.LogPath}}", "podman": "{{.HostConfig.LogConfig.Path}}"}[container.runtime])


def inside(container, *command, status=0, **more):
    return run(container.runtime, "exec", container.name, *command, status=status, **more)
