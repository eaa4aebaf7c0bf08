/** Nothing stays behind: not after many sandboxes, and not after a server that was killed. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { instanceOf, remains } from "../harness/remains.ts";
import { bench, runcMissing } from "./harness.ts";
import { assertNothing, killedServer } from "./killed-server.ts";

const skip: string | false = runcMissing ?? false;

/** The name of a process; empty when it is gone, or is just becoming a sandbox's. */
function nameOf(pid: string): string {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    return name.startsWith("runc") ? "" : name;
  } catch {
    return "";
  }
}

describe("what stays behind", { skip }, () => {
  test("is nothing, after twenty sandboxes and the end of the provider", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "lambent-remains-"));
    const here = await bench("runc", { folder });
    t.after(() => here.close());
    const instance = instanceOf(join(folder, "state"));
    for (let i = 0; i < 5; i++) {
      const four = await Promise.all(
        [0, 1, 2, 3].map(() =>
          here.start({ files: { "main.mjs": `console.log("up"); setInterval(() => {}, 1000)` } }),
        ),
      );
      await Promise.all(four.map((one) => one.says("up")));
      await Promise.all(four.map((one, n) => one.sandbox.stop(n % 2 ? 1_000 : 0)));
    }
    const between = remains(folder, instance);
    // Sandboxes that nobody has taken yet wait, and nothing but their supervisors.
    for (const pid of between.processes) assert.match(nameOf(pid), /^(sh|)$/);
    for (const id of readdirSync(join(folder, "state", "runc")))
      assert.match(id, /^[0-9a-f]{8}-w-/, "no other container is left in runc's records");
    // Two that still run when it closes.
    await here.start({ command: ["/bin/sh", "-c", "sleep 100"] });
    await here.start({ command: ["/bin/sh", "-c", "trap '' TERM; sleep 100"] });
    await here.provider.close();
    await assertNothing(folder, instance);
    assert.deepEqual(readdirSync(join(folder, "state")), ["instance"]);
    await assert.rejects(here.node(""), /provider is closed/);
  });

  test("is nothing, once a successor has started after kill -9", async (t) => {
    const folder = await killedServer();
    const instance = instanceOf(join(folder, "state"));
    const left = remains(folder, instance);
    // Otherwise this test would show nothing.
    assert.ok(left.processes.length > 0, "the sandboxes of the killed server run on");
    assert.ok(left.routes.length > 0, "its addresses are still taken");
    const successor = await bench("runc", { folder });
    t.after(() => successor.close());
    assert.equal(instanceOf(join(folder, "state")), instance);
    assert.deepEqual(remains(folder, instance).processes, []);
    assert.equal((await successor.node(`console.log("fine")`)).stdout, "fine\n");
    await successor.provider.close();
    await assertNothing(folder, instance);
  });

  for (const isGone of [true, false])
    test(`is nothing, once another server starts, when the killed server's data directory ${isGone ? "is gone" : "stays"}`, async (t) => {
      const folder = await killedServer();
      t.after(() => rm(folder, { recursive: true, force: true }));
      const instance = instanceOf(join(folder, "state"));
      if (isGone) await rm(join(folder, "state", "instance"));
      const other = await bench("runc");
      t.after(() => other.close());
      await assertNothing(folder, instance);
      // One that runs is left alone.
      const third = await bench("runc");
      t.after(() => third.close());
      assert.equal((await other.node(`console.log("fine")`)).stdout, "fine\n");
      // Its successor begins anew.
      const successor = await bench("runc", { folder });
      const { stdout } = await successor.node(`console.log("fine")`);
      await successor.close();
      assert.equal(stdout, "fine\n");
    });
});
