/** That the benchmarks still run: each axis for a moment, without peers and without a word on times. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AXES } from "../bench/axes.ts";
import { cpuGroupsMissing } from "../bench/machine/cpu-group.ts";
import { readOptions } from "../bench/options.ts";
import { interleave } from "../bench/rounds.ts";
import { TARGETS } from "../bench/targets.ts";
import { NOTHING, instanceOf, remains } from "./harness/remains.ts";
import { runcMissing } from "./sandbox/harness.ts";

const missing = cpuGroupsMissing();
if (missing !== undefined) console.log(`# SKIPPED the axes of the benchmarks: ${missing}`);

describe("benchmarks", () => {
  for (const [number, axis] of Object.entries(AXES))
    test(axis.title, { skip: missing ?? false }, async () => {
      const options = {
        ...readOptions(["--quick", "--rounds", "1"]),
        sandbox: "process",
        peers: false,
      } as const;
      const { rows, notes } = await axis.run(options);
      assert.ok(notes.length > 0);
      for (const row of rows) {
        assert.equal(row.axis, Number(number));
        assert.ok(Number.isFinite(row.ratio) && row.ratio > 0, `${row.peer}: ${row.ratio}`);
      }
    });

  test(
    "a measured server ends with the benchmark, and nothing of it stays",
    { skip: missing ?? false },
    async (t) => {
      const module = new URL("../bench/contenders/lambent.ts", import.meta.url).href;
      const script = `const { startLambent } = await import(${JSON.stringify(module)});
      const { pid, dataDir, sandboxGroup } = await startLambent(${JSON.stringify(runcMissing ? { sandbox: "process" } : {})});
      console.log(JSON.stringify({ pid, dataDir, sandboxGroup }));`;
      const benchmark = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      t.after(() => benchmark.kill("SIGKILL"));
      const [line] = (await once(benchmark.stdout, "data")) as [Buffer];
      const { pid, dataDir } = JSON.parse(line.toString()) as { pid: number; dataDir: string };
      const instance = runcMissing ? undefined : instanceOf(join(dataDir, "sandboxes"));
      const group = `lambent-bench-${benchmark.pid}-`;
      const groups = () =>
        ["/sys/fs/cgroup", "/sys/fs/cgroup/cpuacct"]
          .filter((folder) => existsSync(folder))
          .flatMap((folder) => readdirSync(folder))
          .filter((name) => name.startsWith(group));
      assert.ok(groups().length > 0);
      benchmark.kill("SIGKILL");
      const until = Date.now() + 60_000;
      while ((existsSync(`/proc/${pid}`) || existsSync(dataDir) || groups().length > 0) && Date.now() < until)
        await sleep(50);
      assert.deepEqual([existsSync(dataDir), groups()], [false, []]);
      if (instance !== undefined) assert.deepEqual(remains(dataDir, instance), NOTHING);
    },
  );

  test("rounds in which too much was stolen are not counted, and where all were, that is said", async () => {
    const turns = ["one", "other"].map((name) => ({
      name,
      measure: async () => ({ us: name === "one" ? 2 : 6 }),
    }));
    const steals = [0, 500, 20, 21, 0];
    const comparison = await interleave(turns, 3, () => () => steals.shift() ?? 0);
    assert.equal(comparison.timesLess("one", "other", "us"), 3);
    assert.deepEqual(
      [comparison.validRounds, comparison.stealPermille, comparison.isDisturbed],
      [3, 0, false],
    );
    const disturbed = await interleave(turns, 2, () => () => 21);
    assert.deepEqual([disturbed.validRounds, disturbed.stealPermille, disturbed.isDisturbed], [4, 21, true]);
  });

  test("every axis has a target, and the command line names axes as it says", () => {
    assert.deepEqual([...new Set(TARGETS.map(({ axis }) => axis))], Object.keys(AXES).map(Number));
    assert.deepEqual(readOptions(["--axes", "1-3,8"]).axes, [1, 2, 3, 8]);
    assert.deepEqual(readOptions(["--axis", "4"]).axes, [4]);
    assert.throws(() => readOptions(["--axes", "99"]), /"99" names no axis/);
    assert.throws(() => readOptions(["--rounds", "none"]), /--rounds none/);
  });
});
