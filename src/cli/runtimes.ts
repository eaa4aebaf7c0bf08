/** `lambent runtimes`: the runtimes that this machine has, can fetch or lacks; and fetching them ahead of the first function. */
import { loadConfig } from "../config/index.ts";
import { RuntimeUnavailable, createRuntimes } from "../invoke/index.ts";
import type { Runtimes } from "../invoke/index.ts";
import { createLog } from "../telemetry/log.ts";
import type { Command } from "./run.ts";
import { CommandError, EXIT, dim, green, print, yellow } from "./terminal.ts";

const HELP = `Usage: lambent runtimes [IDENTIFIER ...]

Lists the runtimes of functions: which are ready, which are fetched for the first function that needs them, and what to install
for the others. With identifiers (nodejs22.x python3.13), fetches these now, so that no function has to wait for it.`;

export const runtimesCommand: Command = {
  help: HELP,
  options: {},
  async run(_flags, identifiers) {
    const runtimes = ofThisMachine();
    if (identifiers.length === 0) await printRuntimes(runtimes);
    for (const identifier of identifiers) await fetchOne(runtimes, identifier);
    return EXIT.ok;
  },
};

/** Those that a server with this machine's configuration has. */
function ofThisMachine(): Runtimes {
  return createRuntimes({ cacheDir: loadConfig().runtimesDir, log: createLog("warn") });
}

/** A line for each: its state, and where it is or what to do. */
export async function printRuntimes(runtimes = ofThisMachine()): Promise<void> {
  for (const { identifier, available, installed, detail } of await runtimes.list()) {
    const state = available ? (installed ? green("ready") : "on demand") : yellow("not here");
    print(`  ${identifier.padEnd(16)} ${state.padEnd(10)} ${dim(detail)}`);
  }
}

async function fetchOne(runtimes: Runtimes, identifier: string): Promise<void> {
  try {
    const found = await runtimes.find(identifier);
    if (found.status === "refused") throw new CommandError(found.reason);
    const { version } = await runtimes.install(identifier, undefined, ({ message }) =>
      print(dim(`  ${message}`)),
    );
    print(`  ${identifier.padEnd(16)} ${green("ready")}${version === "" ? "" : `      ${dim(version)}`}`);
  } catch (error) {
    throw error instanceof RuntimeUnavailable ? new CommandError(error.message) : error;
  }
}
