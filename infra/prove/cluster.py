"""Three members, each on a volume of its own: started, stopped, and how they are found to be."""

import contextlib
import http.client
import time

import volume
from server import Server, put, text

# As etcd-manager has it on its volume.
DATA = "data/qJ5qCUvVoHVqcQYPnN8Lzw"
NUMBERS = {"a": 0, "b": 1, "c": 2}
INITIAL = ",".join(f"etcd-{member}=http://127.0.0.1:{2380 + 10 * number}" for member, number in NUMBERS.items())
# etcd 3.6's default. With that of 3.5, of 100,000, no member would write a .snap in so short a run.
FLAGS = ("--snapshot-count", "10000", "--log-level", "warn")


class Cluster:
    """Those of its members that are started. It ends with the block that it is entered by."""

    def __init__(self, tools, host):
        self.tools, self.host = tools, host
        self.servers, self.mounts = {}, contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers.values():
            server.stop(kill=True)
        self.servers.clear()
        self.mounts.close()

    def start(self, images, *flags):
        """Each on its volume, all at the same moment; gives nothing back before they are running."""
        folders = {
            member: self.mounts.enter_context(volume.mounted(image, self.host / f"volume-{member}"))
            for member, image in images.items()
        }
        for member, folder in folders.items():
            data, log = folder / DATA, self.host / f"etcd-{member}.log"
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
            name, number = f"etcd-{member}", NUMBERS[member]
            self.servers[member] = Server(self.tools, "3.5", data, log, name, number, INITIAL, (*FLAGS, *flags))

    def unhealthy(self, seconds):
        """The members that `etcdctl endpoint health` would not call healthy, after at most so many seconds."""
        left, end = set(self.servers), time.monotonic() + seconds
        while left and time.monotonic() < end:
            left = {member for member in left if not is_healthy(self.servers[member])}
            time.sleep(0.05)
        ended = {member for member, server in self.servers.items() if server.process.poll() is not None}
        return sorted(left | ended)

    def revision(self):
        """That of the last write that a majority has."""
        first = next(iter(self.servers.values()))
        return int(first.call("/v3/kv/range", {"key": text("/")})["header"]["revision"])

    def differences(self, seconds):
        """Writes through each, and then compares all that they hold. Gives what is wrong, if anything."""
        for member, server in self.servers.items():
            try:
                written = server.call("/v3/kv/put", put(f"/prove/{member}", "written after the restore"))
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                return f"no write through {member}: {error}"
        revision = written["header"]["revision"]
        end = time.monotonic() + seconds
        while True:
            hashes = {member: hash_of(server, revision) for member, server in self.servers.items()}
            if None not in hashes.values() and len(set(hashes.values())) == 1:
                return None
            if time.monotonic() > end:
                return f"hashkv at revision {revision}: {hashes}"
            # It has not got there yet; and etcd 3.5's hash is another one while what was applied at once is not yet in
            # the database.
            time.sleep(0.1)

    def join_empty(self, member, image):
        """As an empty member joins: the old one is removed, the new one added, and started without data."""
        name, peer = f"etcd-{member}", f"http://127.0.0.1:{2380 + 10 * NUMBERS[member]}"
        through = next(iter(self.servers.values()))
        [old] = [listed["id"] for listed in through.members() if listed["name"] == name]
        through.call("/v3/cluster/member/remove", {"ID": str(int(old, 16))})
        add_member(through, peer)
        self.start({member: image}, "--initial-cluster-state", "existing")


def add_member(through, peer, seconds=20):
    """Refused until the others have been connected for five seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            return through.call("/v3/cluster/member/add", {"peerURLs": [peer]})
        except RuntimeError:
            if time.monotonic() > end:
                raise
        time.sleep(0.2)


def is_healthy(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.client, timeout=1)
    with contextlib.closing(connection), contextlib.suppress(OSError, RuntimeError, http.client.HTTPException):
        # Answered only by a member that has a leader, and has applied what that one had committed.
        server.call("/v3/kv/range", {"key": text("health")}, connection)
        return True
    return False


def hash_of(server, revision):
    with contextlib.suppress(OSError, RuntimeError, http.client.HTTPException):
        said = server.call("/v3/maintenance/hash", {"revision": revision})
        return said["hash"], said.get("compact_revision")
    return None
