"""What of `make prove` needs root: etcds on loop mounts.

lab.py TOOLS WORK: an order a line, as JSON, each answered by a line.
"""

import json
import sys
import traceback
from pathlib import Path

import pool
import volume
from cluster import Cluster
from server import version


class Lab:
    """One method for each order."""

    def __init__(self, tools, host):
        self.tools, self.host = tools, host
        self.cluster = Cluster(tools, host)

    def load(self, rate, skews, sets):
        """Writes at this rate, and clones the volumes: so many sets of each skew (in seconds)."""
        taken, reached = pool.taken(self.tools, self.host, rate, skews, sets)
        return {"etcd": version(self.tools, "3.5"), "reached": reached, "sets": [one.told() for one in taken]}

    def start(self, images):
        """Starts members, each on a fresh clone of its image."""
        copies = {member: self.copy_of(member) for member in images}
        for member, image in images.items():
            pool.clone(Path(image), copies[member])
        self.cluster.start(copies)

    def unhealthy(self, seconds):
        """The started members that are not healthy, after at most so many seconds."""
        return self.cluster.unhealthy(seconds)

    def compare(self, seconds):
        """The revision that they are at, and what is wrong, if anything, when they are written to and compared."""
        return {"revision": self.cluster.revision(), "wrong": self.cluster.differences(seconds)}

    def join(self, member):
        """Lets a member join on a blank volume."""
        blank = self.copy_of(member)
        volume.make_ext4(blank, pool.MEBIBYTES)
        self.cluster.join_empty(member, blank)

    def stop(self):
        """Ends every etcd that was started, and drops what it was started on."""
        with self.cluster:
            pass
        for copy in self.host.glob("started-*.img"):
            copy.unlink()

    def drop(self, images):
        """Frees what a set's images take."""
        for image in images:
            Path(image).unlink()

    def copy_of(self, member):
        return self.host / f"started-{member}.img"


def main(tools, work):
    with volume.host(Path(work)) as host:
        lab = Lab(Path(tools), host)
        with lab.cluster:
            for line in sys.stdin:
                order = json.loads(line)
                try:
                    answer = {"done": getattr(lab, order.pop("do"))(**order)}
                except Exception:
                    answer = {"failed": traceback.format_exc()}
                print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
