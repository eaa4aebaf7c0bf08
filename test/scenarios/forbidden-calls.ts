/** What `forbidden-calls/index.py` must be told by a kernel behind our system call filter. */
import assert from "node:assert/strict";

interface Said {
  readonly calls: Readonly<Record<string, string>>;
  readonly sockets: Readonly<Record<string, string>>;
}

/** clone3 hides its flags from the filter; it is said not to exist, so that C libraries take clone, which shows them. */
const NOT_THERE = new Set(["clone3"]);

/** Another user is refused, or does not exist where the function is the only one. */
const NO_OTHER_USER = new Set(["setuid", "setgid"]);

export function assertForbidden({ calls, sockets }: Said): void {
  const names = Object.keys(calls);
  const expected = (name: string) => {
    if (NO_OTHER_USER.has(name) && calls[name] === "EINVAL") return "EINVAL";
    return NOT_THERE.has(name) ? "ENOSYS" : "EPERM";
  };
  assert.deepEqual(calls, Object.fromEntries(names.map((name) => [name, expected(name)])));
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
