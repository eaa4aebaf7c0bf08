import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "./index.ts";
import { parseDestinations } from "./outbound.ts";

test("ranges, addresses, names and ports are read", () => {
  assert.deepEqual(
    parseDestinations(" 10.0.0.0/8, 192.168.1.7:5432 ,API.example.com.:443,*.example.org:8000-8100,"),
    [
      { host: { kind: "range", text: "10.0.0.0/8" }, ports: undefined },
      { host: { kind: "range", text: "192.168.1.7" }, ports: "5432" },
      { host: { kind: "name", text: "api.example.com" }, ports: "443" },
      { host: { kind: "name", text: "*.example.org" }, ports: "8000-8100" },
    ],
  );
  assert.deepEqual(parseDestinations(""), []);
});

test("what cannot be meant is refused with the entry and the reason", () => {
  const refused: [string, RegExp][] = [
    ["10.0.0.1/8", /"10\.0\.0\.1\/8" is no IPv4 range/],
    ["10.0.0.256", /is no IPv4 range/],
    ["10.0.0.0/33", /is no IPv4 range/],
    ["169.254.169.254", /lies in 169\.254\.0\.0\/16, which no function may reach/],
    ["127.0.0.1:5432", /lies in 127\.0\.0\.0\/8/],
    ["168.63.129.16:80", /lies in 168\.63\.129\.16\/32/],
    ["[fd00::1]:443", /IPv6/],
    ["fd00:ec2::254", /IPv6/],
    ["example.com:0", /port "0"/],
    ["example.com:99999", /port "99999"/],
    ["example.com:9-8", /port "9-8"/],
    ["example.com:http", /port "http"/],
    ["exa mple.com", /is neither/],
    ["*", /is neither/],
    ["https://example.com", /is neither|port/],
    ["a.*.example.com", /is neither/],
    [Array.from({ length: 257 }, (_, n) => `h${n}.example`).join(","), /at most 256/],
  ];
  for (const [text, reason] of refused) assert.throws(() => parseDestinations(text), reason, text);
});

test("a policy and a list that contradict each other are refused", () => {
  assert.throws(() => loadConfig({ outbound: "none", outboundAllow: "10.0.0.0/8" }, {}), /outbound is none/);
  assert.throws(() => loadConfig({ outbound: "allow-list" }, {}), /the list is empty/);
  assert.throws(
    () => loadConfig({}, { LAMBENT_OUTBOUND_ALLOW: "10.0.0.1/8" }),
    /outboundAllow: "10\.0\.0\.1\/8"/,
  );
  assert.throws(() => loadConfig({}, { LAMBENT_OUTBOUND: "some" }), /internet, none, allow-list/);
  assert.throws(
    () => loadConfig({ resolvers: "1.1.1.1,dns.example" }, {}),
    /resolvers: "dns\.example" is no IPv4/,
  );
  assert.throws(() => loadConfig({ resolvers: "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4" }, {}), /beyond 3/);
  assert.equal(loadConfig({ outboundAllow: "10.0.0.0/8:5432" }, {}).outbound, "internet");
});
