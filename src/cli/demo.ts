/** `lambent demo`: the serverless thumbnail on a server of its own (or a running one). */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../config/index.ts";
import { createRuntimes } from "../invoke/index.ts";
import { createLog } from "../telemetry/log.ts";
import { begin, configFrom, untilTold } from "./start.ts";
import type { Command } from "./run.ts";
import { CommandError, EXIT, UsageError, bold, print, yellow } from "./terminal.ts";

const HELP = `Usage: lambent demo [options]

Starts a server on fresh data, deploys examples/thumbnail, uploads a photograph, and shows the thumbnail's address,
the table row, the log and the times. Then keeps running until interrupted, so that you can look around.

  --check              assert everything shown (dimensions, aspect ratio, row, log group) and exit
  --endpoint URL       use a running server instead of starting one
  --port N             port to listen on  [4566; a free one with --check]
  --sandbox KIND       auto, runc, or process  [auto]`;

/** What the example's function runs on. */
const RUNTIME = "nodejs24.x";
const EXAMPLE = fileURLToPath(new URL("../../examples/thumbnail/", import.meta.url));

export const demoCommand: Command = {
  help: HELP,
  options: {
    check: { type: "boolean" },
    endpoint: { type: "string" },
    port: { type: "string" },
    sandbox: { type: "string" },
  },
  async run(flags, positionals) {
    if (positionals.length > 0) throw new UsageError(`unexpected argument "${positionals[0]}"`);
    const check = flags["check"] === true;
    installExample();
    if (typeof flags["endpoint"] === "string") return runExample(flags["endpoint"], check);

    const { check: _check, endpoint: _endpoint, ...settings } = flags;
    await installRuntime();
    const dataDir = await mkdtemp(join(tmpdir(), "lambent-demo-"));
    try {
      const running = await begin({
        port: check ? 0 : 4566,
        ...configFrom(settings),
        dataDir,
        logLevel: "warn",
      });
      try {
        print(`${bold("Lambent")} runs at ${running.endpoint}, sandbox ${running.isolation.provider}`);
        for (const missing of running.isolation.missing) print(yellow(`  warning: ${missing}`));
        const code = await runExample(running.endpoint, check);
        if (check || code !== EXIT.ok) return code;
        print(`\nIt keeps running. Put a photograph of yours into it, in another terminal:`);
        print(`  export AWS_ENDPOINT_URL=${running.endpoint} AWS_REGION=us-east-1`);
        print(`  export AWS_ACCESS_KEY_ID=000000000000 AWS_SECRET_ACCESS_KEY=any`);
        print(`  aws s3 cp photo.jpg s3://photographs/ && aws dynamodb scan --table-name Photographs`);
        print(`Ctrl-C stops it and removes its data.`);
        await untilTold();
        return EXIT.ok;
      } finally {
        await running.stop();
      }
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  },
};

/** The function's own packages (sharp), from its lock file, unless they are there. */
function installExample(): void {
  const folder = join(EXAMPLE, "function");
  if (existsSync(join(folder, "node_modules/sharp"))) return;
  print("Installing the packages of examples/thumbnail (npm ci)");
  const done = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    stdio: "inherit",
  });
  if (done.status !== 0)
    throw new CommandError(`npm ci failed in ${folder}; what npm printed above says why`);
}

/** The server would fetch it with the first function; here the user sees what the time goes to. */
async function installRuntime(): Promise<void> {
  const runtimes = createRuntimes({ cacheDir: loadConfig().runtimesDir, log: createLog("warn") });
  await runtimes.install(RUNTIME, undefined, ({ message }) => print(message));
}

function runExample(endpoint: string, check: boolean): Promise<number> {
  const child = spawn(
    process.execPath,
    [join(EXAMPLE, "demo.mjs"), endpoint, ...(check ? ["--check"] : [])],
    {
      stdio: "inherit",
    },
  );
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? EXIT.failure));
  });
}
