import { assertForbidden } from "../forbidden-calls.ts";
import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  title: "mount, ptrace, bpf, keyctl, unshare, setuid, raw sockets and their like are refused",
  functions: { climber: { files: filesBeside(import.meta.url), language: "python" } },
  async run(stage) {
    assertForbidden((await stage.invoke("climber")).json);
  },
};
