"""A made-up guardd that gives the answers it is told to, to see what guardctl makes of them."""

import contextlib
import fcntl
import pty
import termios

from fake import *


class Answers:
    """A guardd that has one answer for each method, or a list of them in turn, and remembers what it was asked."""

    def __init__(self, **answers):
        self.answers, self.calls, self.peers = answers, [], []
        self.dir = tempfile.mkdtemp(prefix="guardctl-")
        self.path = os.path.join(self.dir, "socket")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(self.path)
        self.socket.listen()
        self.server = threading.Thread(target=self.serve, daemon=True)
        self.server.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        """Whoever waits in accept() when a signal comes waits on by the number of the socket, which may be another's."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.server.join()
        self.socket.close()
        shutil.rmtree(self.dir)

    def serve(self):
        try:
            while True:
                self.peers.append(self.socket.accept()[0])
                threading.Thread(target=self.answer, args=self.peers[-1:], daemon=True).start()
        except OSError:
            pass  # closed

    def answer(self, peer):
        """All calls of one connection."""
        data = b""
        with peer, contextlib.suppress(OSError):
            while more := peer.recv(1 << 16):
                *calls, data = (data + more).split(b"\0")
                for call in calls:
                    peer.sendall(json.dumps(self.reply(json.loads(call))).encode() + b"\0")

    def hang_up(self):
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)

    def reply(self, call):
        method = call["method"].rsplit(".", 1)[1]
        self.calls.append((method, call.get("parameters", {})))
        answer = self.answers[method]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, tuple):
            return {"error": f"{INTERFACE}.{answer[0]}", "parameters": answer[1]}
        return {"parameters": answer}

    def ctl(self, *arguments, check_exit=EXIT_DONE):
        run = subprocess.run([GUARDCTL, f"--socket={self.path}", *arguments], capture_output=True, text=True,
                             timeout=DEADLINE)
        same(run.returncode, check_exit, f"exit of {arguments}: {run.stdout + run.stderr}")
        return run.stdout if check_exit in (EXIT_DONE, EXIT_FAILED) else run.stderr

    def terminal(self, *arguments, width=80):
        """What a terminal of that width shows, line by line."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        process = subprocess.Popen([GUARDCTL, f"--socket={self.path}", *arguments], stdout=slave, stderr=slave,
                                   env=dict(os.environ, NO_COLOR="1", LC_ALL="C.UTF-8"))
        os.close(slave)
        shown = b""
        try:
            while data := os.read(master, 1 << 16):
                shown += data
        except OSError:
            pass  # the end of a terminal
        same(process.wait(), 0, "exit")
        os.close(master)
        return shown.decode().split("\r\n")[:-1]


def row(name, **more):
    return {"name": name, "class": "containers", "state": "ok", "path": "a", "cgroupId": 1, "tasksCurrent": 37,
            "tasksMax": 2048, **more}
