/**
 * `npm run examples [-- NAME ...] [--endpoint URL]`: deploys and runs the examples: applications, and the same function in each language.
 * Without names all of them.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** Each has a `run.mjs` that exports `run(options, runtime)`, which answers one line. */
// The last one moves the clock, which the others look at.
const APPLICATIONS = ["fan-out", "log-alarm", "sign-up-hook", "cron-report"];
const RUNTIME = "nodejs24.x";
const LANGUAGES = fileURLToPath(new URL("languages/run.mjs", import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { endpoint: { type: "string" } },
});
const isWanted = (name) => positionals.length === 0 || positionals.includes(name);
const languages = positionals.filter((name) => !APPLICATIONS.includes(name));
// The languages first: they know which of the other names there are not.
if (positionals.length === 0 || languages.length > 0) {
  const endpoint = values.endpoint ? ["--endpoint", values.endpoint] : [];
  const { status } = spawnSync(process.execPath, [LANGUAGES, ...languages, ...endpoint], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
const applications = APPLICATIONS.filter(isWanted);
if (applications.length > 0) await runApplications(applications);

async function runApplications(names) {
  const server = values.endpoint ? undefined : await startServer();
  const credentials = { accessKeyId: "000000000000", secretAccessKey: "examples" };
  const options = { endpoint: values.endpoint ?? server.endpoint, region: "us-east-1", credentials };
  try {
    for (const name of names) {
      const { run } = await import(new URL(`${name}/run.mjs`, import.meta.url).href);
      console.log(`${name.padEnd(12)} ${await run(options, RUNTIME)}`);
    }
  } finally {
    await server?.stop();
  }
}

/** On fresh data, a port of its own, and with a clock that examples move. */
async function startServer() {
  const { start } = await import("../src/index.ts");
  return start({ logLevel: "error", dev: "on" });
}
