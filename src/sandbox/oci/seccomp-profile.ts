/**
 * The system calls of a function, as data: what is not listed here fails. Deny by default with ENOSYS, so that libraries take
 * their older path; what a program would try on purpose to get out fails with EPERM, so that its log says why.
 */

export interface SyscallGroup {
  readonly why: string;
  readonly names: readonly string[];
}

export const ALLOWED: readonly SyscallGroup[] = [
  {
    why: "read and write files and descriptors",
    names: (
      "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 open openat openat2 creat close close_range " +
      "lseek _llseek sendfile sendfile64 splice tee vmsplice copy_file_range dup dup2 dup3 fcntl fcntl64 flock pipe pipe2 " +
      "ftruncate ftruncate64 truncate truncate64 fallocate fsync fdatasync sync syncfs sync_file_range fadvise64 fadvise64_64 " +
      "readahead ioctl"
    ).split(" "),
  },
  {
    why: "names, metadata and folders; only /tmp can be written",
    names: (
      "stat stat64 fstat fstat64 lstat lstat64 newfstatat fstatat64 statx statfs statfs64 fstatfs fstatfs64 access faccessat " +
      "faccessat2 getcwd chdir fchdir mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink unlinkat symlink symlinkat " +
      "readlink readlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat chown32 fchown32 lchown32 umask utime " +
      "utimes utimensat utimensat_time64 futimesat getdents getdents64 mknod mknodat getxattr lgetxattr fgetxattr listxattr " +
      "llistxattr flistxattr setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr"
    ).split(" "),
  },
  {
    why: "watch descriptors and files; every event loop",
    names: (
      "poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old " +
      "epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime " +
      "timerfd_settime64 timerfd_gettime timerfd_gettime64 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch"
    ).split(" "),
  },
  {
    why: "asynchronous file access of databases and of Java (not io_uring)",
    names: "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64".split(
      " ",
    ),
  },
  {
    why: "memory, including the executable pages of just-in-time compilers and their protection keys",
    names: (
      "brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 munlock mlockall munlockall membarrier " +
      "memfd_create remap_file_pages pkey_alloc pkey_free pkey_mprotect map_shadow_stack mseal get_mempolicy set_mempolicy mbind " +
      "set_mempolicy_home_node"
    ).split(" "),
  },
  {
    why: "processes and threads (clone is in ALLOWED_WHEN)",
    names: (
      "fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp getsid setpgid setsid " +
      "set_tid_address set_robust_list get_robust_list set_thread_area get_thread_area arch_prctl prctl rseq futex futex_time64 " +
      "futex_waitv futex_wake futex_wait futex_requeue pidfd_open pidfd_send_signal process_madvise process_mrelease"
    ).split(" "),
  },
  {
    why: "scheduling hints within the sandbox's CPU share",
    names: (
      "sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_setscheduler " +
      "sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 sched_getattr sched_setattr " +
      "getpriority setpriority ioprio_get ioprio_set getcpu"
    ).split(" "),
  },
  {
    why: "signals",
    names: (
      "kill tkill tgkill rt_sigaction rt_sigprocmask rt_sigpending rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn rt_sigsuspend " +
      "rt_sigtimedwait rt_sigtimedwait_time64 sigaction sigprocmask sigreturn sigaltstack alarm pause restart_syscall"
    ).split(" "),
  },
  {
    why: "time; reading it, never setting it",
    names: (
      "time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep clock_nanosleep_time64 " +
      "nanosleep getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime " +
      "timer_settime64 times"
    ).split(" "),
  },
  {
    why: "who am I; changing it needs capabilities that nobody inside has",
    names: (
      "getuid geteuid getgid getegid getuid32 geteuid32 getgid32 getegid32 getresuid getresgid getresuid32 getresgid32 getgroups " +
      "getgroups32 setuid setgid setreuid setregid setresuid setresgid setuid32 setgid32 setgroups setgroups32 setfsuid setfsgid " +
      "capget capset"
    ).split(" "),
  },
  {
    why: "what machine is this, how much may I use",
    names: (
      "uname sysinfo getrandom getrlimit ugetrlimit setrlimit prlimit64 getrusage seccomp landlock_create_ruleset " +
      "landlock_add_rule landlock_restrict_self"
    ).split(" "),
  },
  {
    why: "sockets (socket itself is in ALLOWED_WHEN)",
    names: (
      "socketpair bind listen accept accept4 connect getsockname getpeername getsockopt setsockopt shutdown send sendto sendmsg " +
      "sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64"
    ).split(" "),
  },
  {
    why: "System V and POSIX inter-process communication, in a namespace of its own",
    names: (
      "shmget shmat shmdt shmctl semget semop semtimedop semtimedop_time64 semctl msgget msgsnd msgrcv msgctl ipc mq_open mq_unlink " +
      "mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64 mq_notify mq_getsetattr"
    ).split(" "),
  },
];

/** Comparison of one argument, in the words of the OCI runtime specification. */
export interface ArgumentRule {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: "SCMP_CMP_EQ" | "SCMP_CMP_MASKED_EQ";
}

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET, from <linux/sched.h>. */
const CLONE_NAMESPACES = 0x7e020000;
/** The bits of `type` that hold the kind of socket; the rest are SOCK_CLOEXEC and SOCK_NONBLOCK. */
const SOCK_TYPE_MASK = 0xf;
const [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK] = [1, 2, 10, 16];
const [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET] = [1, 2, 5];
const NETLINK_ROUTE = 0;

const socketOf = (family: number, type: number): readonly ArgumentRule[] => [
  { index: 0, value: family, op: "SCMP_CMP_EQ" },
  { index: 1, value: SOCK_TYPE_MASK, valueTwo: type, op: "SCMP_CMP_MASKED_EQ" },
];

/** Allowed when every rule of an entry holds. */
export const ALLOWED_WHEN: readonly {
  readonly why: string;
  readonly name: string;
  readonly rules: readonly ArgumentRule[];
}[] = [
  {
    why: "new processes and threads, in no new namespace",
    name: "clone",
    rules: [{ index: 0, value: CLONE_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
  },
  { why: "local sockets", name: "socket", rules: socketOf(AF_UNIX, SOCK_STREAM) },
  { why: "local sockets", name: "socket", rules: socketOf(AF_UNIX, SOCK_DGRAM) },
  { why: "local sockets", name: "socket", rules: socketOf(AF_UNIX, SOCK_SEQPACKET) },
  { why: "TCP over IPv4", name: "socket", rules: socketOf(AF_INET, SOCK_STREAM) },
  { why: "UDP over IPv4", name: "socket", rules: socketOf(AF_INET, SOCK_DGRAM) },
  { why: "TCP over IPv6, on loopback only", name: "socket", rules: socketOf(AF_INET6, SOCK_STREAM) },
  { why: "UDP over IPv6, on loopback only", name: "socket", rules: socketOf(AF_INET6, SOCK_DGRAM) },
  {
    why: "listing one's own addresses (getifaddrs)",
    name: "socket",
    rules: [
      { index: 0, value: AF_NETLINK, op: "SCMP_CMP_EQ" },
      { index: 2, value: NETLINK_ROUTE, op: "SCMP_CMP_EQ" },
    ],
  },
  ...[0x0, 0x8, 0x20000, 0x20008, 0xffffffff].map((persona) => ({
    why: "the plain Linux personalities, and asking which one it is",
    name: "personality",
    rules: [{ index: 0, value: persona, op: "SCMP_CMP_EQ" } as const],
  })),
];

/** CLONE_NEW… one by one, to refuse each with its own rule. */
const CLONE_NAMESPACE_FLAGS = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];
const AF_PACKET = 17;
const SOCK_RAW = 3;

/** Refused with EPERM, the kernel's own answer without the capability, when every rule of an entry holds. */
export const REFUSED_WHEN: typeof ALLOWED_WHEN = [
  ...CLONE_NAMESPACE_FLAGS.map((flag) => ({
    why: "a new namespace",
    name: "clone",
    rules: [{ index: 0, value: flag, valueTwo: flag, op: "SCMP_CMP_MASKED_EQ" } as const],
  })),
  { why: "raw packets", name: "socket", rules: socketOf(AF_INET, SOCK_RAW) },
  { why: "raw packets", name: "socket", rules: socketOf(AF_INET6, SOCK_RAW) },
  { why: "raw frames", name: "socket", rules: [{ index: 0, value: AF_PACKET, op: "SCMP_CMP_EQ" }] },
];

/** Refused with EPERM, because a program that tries wants out or up. Everything else that is not allowed fails with ENOSYS. */
export const REFUSED: readonly SyscallGroup[] = [
  {
    why: "mounts and roots",
    names: (
      "mount umount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr " +
      "statmount listmount swapon swapoff quotactl quotactl_fd"
    ).split(" "),
  },
  {
    why: "namespaces (clone3 hides its flags from a filter and must look absent, so it is not listed)",
    names: ["unshare", "setns"],
  },
  {
    why: "looking into and changing other processes",
    names: "ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd".split(" "),
  },
  {
    why: "the kernel itself",
    names: (
      "init_module finit_module delete_module create_module kexec_load kexec_file_load reboot syslog iopl ioperm modify_ldt lookup_dcookie " +
      "acct sethostname setdomainname vhangup nfsservctl"
    ).split(" "),
  },
  {
    why: "large attack surface that no function needs",
    names:
      "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register keyctl add_key request_key fanotify_init fanotify_mark".split(
        " ",
      ),
  },
  { why: "files by handle escape a mount", names: ["name_to_handle_at", "open_by_handle_at"] },
  {
    why: "the machine's clock",
    names: "settimeofday stime clock_settime clock_settime64 clock_adjtime clock_adjtime64 adjtimex".split(
      " ",
    ),
  },
  { why: "memory of other processes' nodes", names: ["move_pages", "migrate_pages"] },
];
