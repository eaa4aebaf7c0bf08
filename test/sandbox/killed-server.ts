/** A server of sandboxes that was killed, and the proof that nothing of one is left. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { NOTHING, remains } from "../harness/remains.ts";

/** The folder of a server that ran three sandboxes, one of them frozen, and was killed. */
export async function killedServer(kind: "runc" | "runsc" = "runc"): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-remains-"));
  const program = fileURLToPath(new URL("victim.ts", import.meta.url));
  const victim = spawn(process.execPath, [program, folder, kind], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  victim.stdout.on("data", (data: Buffer) => (said += data.toString()));
  const failed = once(victim, "exit").then(() => Promise.reject(new Error("the victim ended by itself")));
  // It is killed once it runs.
  failed.catch(() => {});
  while (!said.includes("running")) await Promise.race([once(victim.stdout, "data"), failed]);
  victim.kill("SIGKILL");
  await failed.catch(() => {});
  return folder;
}

/**
 * Waits for the kernel to let go of loop devices: a process that another server starts at this moment holds a copy of
 * all mounts until it has its own root.
 */
export async function assertNothing(folder: string, instance: string): Promise<void> {
  for (let tries = 0; tries < 100 && remains(folder, instance).loops.length; tries++) await sleep(50);
  assert.deepEqual(remains(folder, instance), NOTHING);
}
