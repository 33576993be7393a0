"""The inside of a container: mounts, root folder, user, rights; then the image's program takes this process's place.

Runs as root, as the first process of new namespaces, with the standard library only. What to do comes as JSON in the
first argument: see `tests/container/running.py`, which starts it.
"""

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_LAST_CAPABILITY = 63  # the kernel refuses numbers that it does not know
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_DEVICES = ("null", "zero", "full", "random", "urandom")


def mount(*args: str) -> None:
    subprocess.run(["mount", *args], check=True)


def make_mounts(root: str, volumes: list[dict]) -> None:
    mount("--bind", root, root)
    for volume in volumes:
        target = root + volume["target"]
        if volume["kind"] == "tmpfs":
            mount("-t", "tmpfs", "-o", "size=64m,mode=1777,noexec,nosuid,nodev", "tmpfs", target)
        else:
            mount("--bind", volume["source"], target)
            mount("-o", f"remount,bind,nosuid,nodev,{volume['kind']}", target)
    mount("-t", "proc", "proc", f"{root}/proc")
    mount("-t", "tmpfs", "-o", "size=1m,mode=755,noexec,nosuid", "tmpfs", f"{root}/dev")
    for name in _DEVICES:
        Path(f"{root}/dev/{name}").touch()
        mount("--bind", f"/dev/{name}", f"{root}/dev/{name}")
    mount("-o", "remount,bind,ro", root)


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh", b"lo", 0)
        (flags,) = struct.unpack("16xh", fcntl.ioctl(control, _SIOCGIFFLAGS, request))
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | _IFF_UP))


def drop_rights(user: int, group: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_LAST_CAPABILITY + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")


def main() -> None:
    wanted = json.loads(sys.argv[1])
    make_mounts(wanted["root"], wanted["volumes"])
    raise_loopback()
    os.chroot(wanted["root"])
    os.chdir(wanted["folder"])
    drop_rights(wanted["user"], wanted["group"])
    os.umask(0o022)
    os.execvpe(wanted["command"][0], wanted["command"], wanted["environment"])


if __name__ == "__main__":
    main()
