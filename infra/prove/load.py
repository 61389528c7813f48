"""Writes at a given rate, through all members, as API servers write: the same few hundred keys, again and again."""

import contextlib
import http.client
import random
import threading
import time

from server import put

WRITERS = 12
KEYS = 300


class Load:
    """Runs while its block does."""

    def __init__(self, servers, rate):
        self.servers, self.rate = servers, rate
        self.done = threading.Event()
        self.writes, self.revisions = [0] * WRITERS, [0] * WRITERS
        self.threads = [threading.Thread(target=self._write, args=(n,), daemon=True) for n in range(WRITERS)]

    def __enter__(self):
        self.started = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.started
        self.done.set()
        for thread in self.threads:
            thread.join()

    def acknowledged(self):
        """The greatest revision that a writer was told of."""
        return max(self.revisions)

    def reached(self):
        """Acknowledged writes a second."""
        return sum(self.writes) / self.seconds

    def _write(self, writer):
        chance, servers = random.Random(writer), len(self.servers)
        connections = [http.client.HTTPConnection("127.0.0.1", server.client, timeout=20) for server in self.servers]
        due = self.started + writer / self.rate
        while not self.done.wait(max(0, due - time.monotonic())):
            # What etcd did not take in time is not made up for: the rate is one not to be passed.
            due = max(due + WRITERS / self.rate, time.monotonic() - 1)
            which = chance.randrange(servers)
            key = f"/registry/leases/kube-node-lease/node-{chance.randrange(KEYS):04}"
            value = f"renewed {time.time()} " * chance.randrange(10, 60)
            with contextlib.suppress(OSError, RuntimeError, http.client.HTTPException):
                answer = self.servers[which].call("/v3/kv/put", put(key, value), connections[which])
                self.revisions[writer] = int(answer["header"]["revision"])
                self.writes[writer] += 1
