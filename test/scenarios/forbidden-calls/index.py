"""Makes the system calls that lead out of a sandbox, and opens every kind of socket. Answers what the kernel said."""
import ctypes
import errno
import os
import platform
import socket

# Numbers are those of x86-64 and arm64 Linux; each call would succeed or fail otherwise without the filter or as root.
X86 = {"mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "ptrace": 101, "unshare": 272, "setns": 308,
       "bpf": 321, "keyctl": 250, "add_key": 248, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425,
       "kexec_load": 246, "init_module": 175, "open_by_handle_at": 304, "process_vm_readv": 310, "reboot": 169,
       "sethostname": 170, "settimeofday": 164, "swapon": 167, "fsopen": 430, "move_mount": 429, "clone3": 435}
ARM = {"mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "ptrace": 117, "unshare": 97, "setns": 268,
       "bpf": 280, "keyctl": 219, "add_key": 217, "perf_event_open": 241, "userfaultfd": 282, "io_uring_setup": 425,
       "kexec_load": 104, "init_module": 105, "open_by_handle_at": 265, "process_vm_readv": 270, "reboot": 142,
       "sethostname": 161, "settimeofday": 170, "swapon": 224, "fsopen": 430, "move_mount": 429, "clone3": 435}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE_FLAGS = {"newuser": 0x10000000, "newns": 0x20000, "newnet": 0x40000000, "newpid": 0x20000000}
SIGCHLD = 17

SOCKETS = {
    "tcp": (socket.AF_INET, socket.SOCK_STREAM), "udp": (socket.AF_INET, socket.SOCK_DGRAM),
    "unix": (socket.AF_UNIX, socket.SOCK_STREAM), "raw": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "packet": (socket.AF_PACKET, socket.SOCK_RAW, 3), "netlink": (socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "audit": (socket.AF_NETLINK, socket.SOCK_RAW, 9), "vsock": (40, socket.SOCK_STREAM), "alg": (38, 5),
}


def handler(event, context):
    return {"calls": dict(calls()), "sockets": {name: opened(args) for name, args in SOCKETS.items()}}


def calls():
    libc = ctypes.CDLL(None, use_errno=True)

    def name_of(result):
        return errno.errorcode[ctypes.get_errno()] if result == -1 else "allowed"

    for name, number in (X86 if platform.machine() == "x86_64" else ARM).items():
        ctypes.set_errno(0)
        yield name, name_of(libc.syscall(number, 0, 0, 0, 0, 0, 0))
    for name, flag in CLONE_FLAGS.items():
        ctypes.set_errno(0)
        result = libc.syscall(CLONE[platform.machine()], flag | SIGCHLD, 0, 0, 0, 0)
        if result == 0:
            libc._exit(0)
        yield "clone-" + name, name_of(result)
    # Without root the function is the only user of its namespace, and others do not exist there.
    other = 0 if os.getuid() != 0 else 1
    for name, change in {"setuid": os.setuid, "setgid": os.setgid}.items():
        try:
            change(other)
            yield name, "allowed"
        except OSError as error:
            yield name, errno.errorcode[error.errno]


def opened(args):
    try:
        socket.socket(*args).close()
        return "opened"
    except OSError as error:
        return errno.errorcode[error.errno]
