"""How does a child learn that its parent has died, and become another user?

Run as ``python shim.py <signal> <uid> <gid> <program> [arguments]``: changes the user (``-`` keeps it), asks the kernel
to send the signal when the parent dies, and becomes the program. The order matters: a change of user clears the
parent-death signal. Imports nothing of ours, so that it starts at once.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def become(arguments: list[str]) -> None:
    """Replace this process; ends with 70 if the parent was gone already."""
    name, uid, gid, *command = arguments
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
        os.environ["HOME"] = "/"
        os.environ["USER"] = os.environ["LOGNAME"] = "nobody"
    parent = os.getppid()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, int(getattr(signal, "SIG" + name)), 0, 0, 0) != 0:
            print("the parent-death signal could not be set", file=sys.stderr)
    if os.getppid() != parent or parent == 1 and not os.environ.get("MUSTER_PARENT_IS_INIT"):
        sys.exit(70)
    os.execv(command[0], command)  # noqa: S606 - the launcher's own command, no shell


if __name__ == "__main__":
    become(sys.argv[1:])
