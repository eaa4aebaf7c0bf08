/** What `forbidden-calls/index.py` must be told by a kernel behind our system call filter. */
import assert from "node:assert/strict";

interface Said {
  readonly calls: Readonly<Record<string, string>>;
  readonly sockets: Readonly<Record<string, string>>;
}

/** clone3 hides its flags from the filter; it is said not to exist, so that C libraries take clone, which shows them. */
const NOT_THERE = new Set(["clone3"]);

export function assertForbidden({ calls, sockets }: Said): void {
  const names = Object.keys(calls);
  assert.deepEqual(
    calls,
    Object.fromEntries(names.map((name) => [name, NOT_THERE.has(name) ? "ENOSYS" : "EPERM"])),
  );
  assert.ok(names.length >= 30, names.join(" "));
  assert.deepEqual(sockets, {
    tcp: "opened",
    udp: "opened",
    unix: "opened",
    raw: "EPERM",
    packet: "EPERM",
    netlink: "opened",
    audit: "ENOSYS",
    vsock: "ENOSYS",
    alg: "ENOSYS",
  });
}
