"""Many sets of clones out of one run: each member's volume is cloned at its set's moments while all are written to."""

import fcntl
import itertools
import threading
import time
from dataclasses import dataclass, field

import volume
from cluster import NUMBERS, Cluster
from load import Load

# Linux's ioctl by which files of XFS share their blocks.
FICLONE = 0x40049409
MEBIBYTES = 320
# Before the first clone, and between two sets of the same skew, in seconds.
WARM_UP, INTERVAL = 5, 2.5


@dataclass
class Set:
    """Clones of all members. The first is taken at `moment`, in seconds from the start, the last `skew` later."""

    skew: float
    moment: float
    order: tuple
    images: dict = field(default_factory=dict)
    taken: dict = field(default_factory=dict)
    acknowledged: int = 0

    def moments(self):
        return {member: self.moment + self.skew * nth / (len(self.order) - 1) for nth, member in enumerate(self.order)}

    def told(self):
        first = min(self.taken.values())
        return {
            "skew": self.skew,
            "after": {member: moment - first for member, moment in self.taken.items()},
            "images": {member: str(image) for member, image in self.images.items()},
            "acknowledged": self.acknowledged,
        }


def clone(image, to):
    """What the disk would hold if the power went now."""
    with image.open("rb") as source, to.open("wb") as target:
        fcntl.ioctl(target, FICLONE, source.fileno())
    return to


def planned(skews, sets):
    """Sets of every skew side by side; which member is first, and which last, changes from each to the next."""
    orders = list(itertools.permutations(NUMBERS))
    return [
        Set(skew, WARM_UP + INTERVAL * (nth + offset / len(skews)), orders[nth % len(orders)])
        for nth in range(sets)
        for offset, skew in enumerate(skews)
    ]


def taken(tools, host, rate, skews, sets):
    """The sets of one run at this rate, and how many writes a second it had."""
    images = {member: host / f"live-{member}.img" for member in NUMBERS}
    for image in images.values():
        volume.make_ext4(image, MEBIBYTES)
    pool = planned(skews, sets)
    with Cluster(tools, host) as cluster:
        cluster.start(images)
        if unhealthy := cluster.unhealthy(60):
            raise RuntimeError(f"{unhealthy} did not start")
        with Load(list(cluster.servers.values()), rate) as load:
            take(pool, images, host, rate, load)
    for image in images.values():
        image.unlink()
    return pool, load.reached()


def take(pool, images, host, rate, load):
    failures = []

    def of_member(member):
        try:
            moments = sorted((one.moments()[member], nth, one) for nth, one in enumerate(pool))
            for moment, nth, one in moments:
                time.sleep(max(0, load.started + moment - time.monotonic()))
                if member == one.order[0]:
                    one.acknowledged = load.acknowledged()
                one.taken[member] = time.monotonic()
                one.images[member] = clone(images[member], host / f"{rate}-{nth}-{member}.img")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=of_member, args=(member,)) for member in images]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
