#!/usr/bin/env python3
"""What a peer may do to the guard: nothing. Each of these ends with a bomb that is frozen."""

import os
import socket
import subprocess
import sys

from fake import *

CONFIG = policy(held_class(until="tasks.current < 50% for 200ms"))


class Guarded(World):
    def __init__(self):
        super().__init__(CONFIG)
        self.number = 0
        self.start()
        self.resident = self.memory()

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) * 1024

    def still_guards(self):
        self.number += 1
        cgroup = self.kernel.make(f"held/{self.number}")
        eventually("it is found", lambda: cgroup.limit == "100")
        cgroup.bomb()
        eventually("it is frozen", lambda: cgroup.frozen)

    def still_answers(self):
        check(self.number == len(self.tenants()), "it answers")


@test
def garbage():
    """garbage: hung up on, and the next one is answered"""
    with Guarded() as world:
        bad = [b"garbage\0", b"\0", b"\0" * 5000, b"{}\0", b"[]\0", b"null\0", b'{"method":1}\0', b"{" * 20000 + b"\0",
               b"[" * 200000 + b"]" * 200000 + b"\0", b'{"method":"' + b"\xff\xfe" + b'"}\0', os.urandom(4096) + b"\0",
               b'{"method":"io.guardd.Guard.Nothing"}\0', b'{"method":"io.guardd.Guard.ShowTenant"}\0',
               b'{"method":"io.guardd.Guard.ShowTenant","parameters":{"tenant":["a"]}}\0',
               b'{"method":"io.guardd.Guard.Freeze","parameters":{"tenant":"held/1","more":{"x":1}}}\0',
               b'{"method":"io.guardd.Guard.Watch"}\0', b'{"method":"io.guardd.Guard.GetStatus","oneway":true}\0']
        for data in bad:
            link = world.link()
            try:
                link.socket.sendall(data)
                link.socket.shutdown(socket.SHUT_WR)
                while link.receive() is not None:
                    pass
            except (BrokenPipeError, ConnectionResetError):
                pass
            link.close()
        world.still_guards()
        world.still_answers()


@test
def half_a_message():
    """half a message, and silence: nobody else waits for it"""
    with Guarded() as world:
        link = world.link()
        link.socket.sendall(b'{"method":"io.guardd')
        world.still_guards()
        world.still_answers()
        link.socket.sendall(b'.Guard.GetStatus"}\0')
        same(link.receive()["parameters"]["mode"], "enforce", "the answer, in the end")


@test
def huge():
    """a message of 20 MB, or of 2: hung up on, and not kept in memory"""
    with Guarded() as world:
        before = world.resident
        for size in 20, 20, 20, 2:
            link = world.link()
            try:
                link.socket.sendall(b'{"method":"' + b"a" * (size << 20))
                same(link.receive(), None, f"the answer to {size} MB")
            except (BrokenPipeError, ConnectionResetError):
                pass
            link.close()
        world.still_guards()
        world.still_answers()
        if "AddressSanitizer" not in subprocess.run(["nm", "-D", GUARDD], capture_output=True, text=True).stdout and \
                b"__asan_init" not in open(GUARDD, "rb").read():
            check(world.memory() < before + (16 << 20), f"resident memory: {before}, then {world.memory()}")


@test
def many():
    """200 connections: the guard goes on, and when they are gone everybody is answered"""
    with Guarded() as world:
        links = []
        for _ in range(200):
            try:
                links.append(world.link())
                links[-1].send("GetStatus")
            except (BrokenPipeError, ConnectionResetError, BlockingIOError):
                pass
        cgroup = world.kernel.make("held/x")
        eventually("it is found", lambda: cgroup.limit == "100")
        cgroup.bomb()
        eventually("it is frozen", lambda: cgroup.frozen)
        for link in links:
            link.close()
        eventually("it answers", lambda: world.ctl("status").returncode == 0)


CROWD = """
import socket, sys, time
links = []
for _ in range(200):
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(1)
    try:
        link.connect(sys.argv[1])
        link.sendall(b'{"method":"io.guardd.Guard.GetStatus"}\\0')
    except OSError:
        pass
    links.append(link)
print("there", flush=True)
time.sleep(600)
"""


@test
def crowd_of_strangers():
    """200 connections of somebody without rights: operators are answered meanwhile"""
    if os.getuid() != 0:
        raise Skip("needs root, to be somebody else")
    with Guarded() as world:
        crowd = world.child("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable, "-c",
                            CROWD, world.socket, stdout=subprocess.PIPE, text=True)
        same(crowd.stdout.readline(), "there\n", "the crowd")
        world.still_guards()
        world.still_answers()
        world.ctl("status", check_exit=0)


@test
def deaf_watcher():
    """a watcher that does not read: hung up on, and the others hear everything"""
    with Guarded() as world:
        deaf = world.link()
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        deaf.send("Watch", more=True)
        world.kernel.make("held/x")
        eventually("it is found", lambda: world.tenants())
        watch, link = world.watch(), world.link()
        for _ in range(500):
            link.call("Freeze", {"tenant": "held/x"})
            link.call("Thaw", {"tenant": "held/x"})
        eventually("the other one has heard all", lambda: len(watch.find("outcome", "thaw")) == 500)
        numbers = [e["sequence"] for e in watch.events]
        same(numbers, list(range(numbers[0], numbers[0] + len(numbers))), "sequence of events")
        heard = 0
        while deaf.receive() is not None:
            heard += 1
        check(heard < len(numbers), f"the deaf one was hung up on after {heard} of {len(numbers)}")
        world.number = 1
        world.still_guards()
        world.still_answers()


@test
def flood_of_calls():
    """a peer that calls without end and reads nothing: the guard goes on"""
    with Guarded() as world:
        link = world.link()
        link.socket.settimeout(0.5)
        try:
            for _ in range(20000):
                link.send("ListTenants")
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        world.still_guards()
        world.still_answers()


@test
def stop_with_deaf_peers():
    """peers that do not read what is queued for them: a stop does not wait for them, and thaws"""
    with Guarded() as world:
        links = [world.link() for _ in range(3)]
        for link in links:
            link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            link.socket.settimeout(0.2)
            try:
                while True:
                    link.send("ListTenants")
            except (TimeoutError, BrokenPipeError, ConnectionResetError):
                pass
        world.still_guards()
        frozen = world.kernel.cgroups["held/1"]
        world.stop()
        check(not frozen.frozen, "thawed")


@test
def hangs_up():
    """who hangs up before the answer costs nothing"""
    with Guarded() as world:
        stubborn = world.kernel.make("held/stubborn")
        stubborn.freezes = False
        eventually("it is found", lambda: world.tenants())
        for method in "Freeze", "ShowTenant", "Release", "Kill":
            link = world.link()
            link.send(method, {"tenant": "held/stubborn"})
            link.close()
        eventually("it was killed all the same", lambda: stubborn.kills)
        world.number = 1
        world.still_guards()
        world.still_answers()


if __name__ == "__main__":
    run()
