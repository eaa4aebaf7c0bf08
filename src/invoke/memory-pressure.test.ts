import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { isShortOfMemory, parseMemory, readMemory } from "./memory-pressure.ts";

const MEMORY = "MemTotal:        8000000 kB\nMemFree:          100000 kB\nMemAvailable:    4000000 kB\n";
const pressure = (some: string) =>
  `some avg10=${some} avg60=0.00 avg300=0.00 total=1\nfull avg10=90.00 avg60=0.00 avg300=0.00 total=1\n`;

test("the kernel's pressure counts where little is left, and the memory that is available", () => {
  assert.deepEqual(parseMemory(pressure("12.34"), MEMORY), {
    stalledPercent: 12.34,
    availableBytes: 4_096_000_000,
    totalBytes: 8_192_000_000,
  });
  const little = MEMORY.replace("4000000", "1600000");
  assert.equal(isShortOfMemory(parseMemory(pressure("12.34"), little)), true);
  assert.equal(isShortOfMemory(parseMemory(pressure("9.99"), little)), false);
  assert.equal(
    isShortOfMemory(parseMemory(pressure("90.00"), MEMORY)),
    false,
    "a function at its own limit is no shortage",
  );
  const short = MEMORY.replace("4000000", "300000");
  assert.equal(isShortOfMemory(parseMemory(pressure("0.00"), short)), true);
});

test("without pressure information the available memory decides; without either nothing is short", () => {
  assert.equal(isShortOfMemory(parseMemory("", MEMORY)), false);
  assert.equal(isShortOfMemory(parseMemory("", MEMORY.replace("4000000", "300000"))), true);
  assert.deepEqual(parseMemory("", ""), {
    stalledPercent: undefined,
    availableBytes: undefined,
    totalBytes: undefined,
  });
  assert.equal(isShortOfMemory(parseMemory("", "")), false);
});

test("what is read is this machine's", { skip: !existsSync("/proc/meminfo") }, async () => {
  const { availableBytes = 0, totalBytes = 0 } = await readMemory();
  const { availableBytes: now = 0, totalBytes: all } = parseMemory("", readFileSync("/proc/meminfo", "utf8"));
  assert.equal(totalBytes, all);
  // Others take and give memory between the two looks.
  assert.ok(Math.abs(availableBytes - now) < totalBytes / 10, `${availableBytes} read, ${now} free`);
});
