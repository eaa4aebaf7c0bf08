import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDestinations } from "../../config/outbound.ts";
import type { OutboundPolicy } from "../../config/outbound.ts";
import { createReach } from "./reach.ts";

function reach(policy: OutboundPolicy, list = "", localEndpoints = false) {
  const outbound = { policy, allow: parseDestinations(list) };
  return createReach({ outbound, localEndpoints, serverPort: 4566, ownAddresses: () => ["203.0.113.7"] });
}

const NEVER = [
  "169.254.169.254",
  "169.254.100.1",
  "::ffff:169.254.169.254",
  "fe80::1",
  "fd00:ec2::254",
  "0.0.0.0",
  "::",
  "224.0.0.1",
  "255.255.255.255",
  "ff02::1",
  "168.63.129.16",
  "100.100.100.200",
  "10.208.1.2",
];
const LOCAL = ["127.0.0.1", "::1", "::ffff:127.9.9.9", "10.0.0.1", "192.168.1.1", "172.31.0.1", "100.64.0.1"];
const EMBEDDED = ["fd12::1", "64:ff9b::7f00:1", "2002:7f00:1::1"];
const PUBLIC = ["198.51.100.7", "2600:1f00::1"];

test("public addresses alone are called, unless local ones may be; links, metadata and functions never", () => {
  const usual = reach("internet");
  const local = reach("internet", "", true);
  for (const address of PUBLIC) assert.equal(usual.fault(address, 443, address), undefined, address);
  for (const address of [...LOCAL, ...EMBEDDED, "203.0.113.7", "::ffff:203.0.113.7", "::ffff:cb00:7107"]) {
    assert.match(usual.fault(address, 80, address) ?? "", /--local-endpoints$/, address);
    assert.equal(local.fault(address, 80, address), undefined, address);
  }
  const listed = reach("internet", "10.0.0.0/8,100.0.0.0/8,*.example.com", true);
  for (const address of NEVER)
    assert.match(listed.fault(address, 80, "a.example.com") ?? "", /never called$/, address);
});

test("the server's own port is called on this machine, and there alone", () => {
  const usual = reach("none");
  assert.equal(usual.fault("127.0.0.1", 4566, "localhost"), undefined);
  assert.equal(usual.fault("203.0.113.7", 4566, "203.0.113.7"), undefined);
  assert.match(usual.fault("10.0.0.1", 4566, "10.0.0.1") ?? "", /private network/);
});

test("the policy for functions holds: nothing, or what is listed by range, name and port", () => {
  assert.match(reach("none").fault("198.51.100.7", 443, "h") ?? "", /not reached with --outbound none/);
  const listed = reach("allow-list", "10.1.0.0/16:5000-5001,*.example.com:443,198.51.100.7");
  const fault = (address: string, port: number, host = address) => listed.fault(address, port, host);
  for (const open of [
    fault("10.1.2.3", 5001),
    fault("198.51.100.8", 443, "a.Example.com."),
    fault("198.51.100.7", 1),
  ])
    assert.equal(open, undefined);
  for (const closed of [
    fault("10.1.2.3", 80),
    fault("198.51.100.8", 443, "example.com"),
    fault("198.51.100.8", 80, "a.example.com"),
  ])
    assert.notEqual(closed, undefined);
  assert.match(
    reach("internet", "203.0.113.0/24").fault("203.0.113.7", 80, "x") ?? "",
    /203\.0\.113\.7 is on this machine/,
  );
});
