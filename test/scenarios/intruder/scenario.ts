import assert from "node:assert/strict";
import { join } from "node:path";
import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

/** Written backwards where the intruder sees it, so that it finds what is another's and not its own question. */
const SECRETS = {
  code: "in-the-code-0b7e",
  environment: "in-the-environment-51c4",
  tmp: "in-the-tmp-d93a",
};

export const scenario: Scenario = {
  title: "a function reads no file of the host, and no code, environment or /tmp of another function",
  functions: {
    // It reads many files, each of which costs gVisor a millisecond.
    intruder: { files: filesBeside(import.meta.url), memoryMb: 1_769, timeoutSeconds: 60 },
    victim: {
      files: filesBeside(import.meta.url, "victim"),
      environment: { SECRET: SECRETS.environment },
    },
  },
  async run(stage) {
    const { dataDir, pid } = stage.server;
    assert.equal((await stage.invoke("victim", { secret: SECRETS.tmp })).json, SECRETS.environment);
    const paths = [
      "/etc/shadow",
      "/root",
      "/home",
      "/boot",
      "/var/lib",
      "/var/log",
      "/run/netns",
      "/run/lambent/servers",
      dataDir,
      join(dataDir, "code"),
      join(dataDir, "sandboxes"),
      `/proc/${pid}/environ`,
      "/proc/1/root/root",
      "/proc/1/root/etc/shadow",
      "/proc/kcore",
      "/dev/mem",
      "/dev/loop-control",
    ];
    for (const secret of Object.values(SECRETS)) {
      const backwards = secret.split("").reverse().join("");
      const { json } = await stage.invoke("intruder", { backwards, paths });
      assert.deepEqual(json, { found: [], readable: [] });
    }
  },
};
