/** A server does not start with a policy that nothing enforces. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { start } from "../../src/index.ts";

test("an outbound policy is refused where functions share the host's network", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-outbound-"));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const config = { dataDir, port: 0, sandbox: "process", logLevel: "error" } as const;
  await assert.rejects(
    start({ ...config, outbound: "none" }),
    /outbound is "none", and nothing can enforce that here.*share the host's network \(sandbox process\)/,
  );
  await assert.rejects(
    start({ ...config, outbound: "allow-list", outboundAllow: "10.0.0.0/8" }),
    /"allow-list"/,
  );
  // The refusal gave the data directory back.
  await (await start(config)).stop();
});
