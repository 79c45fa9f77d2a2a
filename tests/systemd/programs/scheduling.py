"""Prints how the processes of a service are scheduled, main one first: [[arguments, policy, niceness], …].

Argument: the main process's id.
"""

import json
import os
import sys
from pathlib import Path

POLICIES = {getattr(os, name): name for name in ("SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH")}


def scheduled(pid: int) -> tuple[list[str], str, int]:
    arguments = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    policy = os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK
    return arguments, POLICIES[policy], os.getpriority(os.PRIO_PROCESS, pid)


main = int(sys.argv[1])
children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
print(json.dumps([scheduled(pid) for pid in (main, *map(int, children))]))
