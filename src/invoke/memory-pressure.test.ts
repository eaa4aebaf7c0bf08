import assert from "node:assert/strict";
import { test } from "node:test";
import { isShortOfMemory, parseMemory } from "./memory-pressure.ts";

const MEMORY = "MemTotal:        8000000 kB\nMemFree:          100000 kB\nMemAvailable:    4000000 kB\n";
const pressure = (some: string) =>
  `some avg10=${some} avg60=0.00 avg300=0.00 total=1\nfull avg10=90.00 avg60=0.00 avg300=0.00 total=1\n`;

test("the kernel's pressure counts where little is left, and the memory that is available", () => {
  assert.deepEqual(parseMemory(pressure("12.34"), MEMORY), { stalledPercent: 12.34, availableShare: 0.5 });
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
  assert.deepEqual(parseMemory("", ""), { stalledPercent: undefined, availableShare: undefined });
  assert.equal(isShortOfMemory(parseMemory("", "")), false);
});
