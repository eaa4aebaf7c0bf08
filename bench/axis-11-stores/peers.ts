/** Stores from npm that speak AWS's APIs, pinned in bench/package.json. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listening } from "../contenders/peers.ts";
import { freePort } from "../contenders/server.ts";
import type { ContenderServer } from "../contenders/server.ts";
import type { InvokeTarget } from "../load/signed-request.ts";

interface StorePeer {
  readonly name: string;
  /** Below node_modules. */
  readonly script: string;
  readonly words: (port: string, folder: string) => string[];
  readonly env?: (port: string) => Record<string, string>;
  /** Where it verifies signatures. */
  readonly credentials?: InvokeTarget["credentials"];
}

const PEERS: readonly StorePeer[] = [
  {
    name: "dynalite",
    script: "dynalite/cli.js",
    words: (port) => ["--port", port, "--createTableMs", "0"],
  },
  {
    name: "kinesalite",
    script: "kinesalite/cli.js",
    words: (port) => ["--port", port, "--createStreamMs", "0"],
  },
  {
    name: "s3rver",
    script: "s3rver/bin/s3rver.js",
    words: (port, folder) => ["--directory", folder, "--port", port, "--address", "127.0.0.1", "--silent"],
    credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
  },
  {
    name: "fauxqs",
    script: "fauxqs/dist/cli.js",
    words: () => [],
    env: (port) => ({ FAUXQS_PORT: port, FAUXQS_LOGGER: "false" }),
  },
];

/** Starts them all. @param owned Takes each to be stopped at the end. */
export async function startStorePeers(
  owned: (server: ContenderServer) => ContenderServer,
): Promise<ContenderServer[]> {
  const servers: ContenderServer[] = [];
  for (const { name, script, words, env, credentials } of PEERS) {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), `lambent-bench-${name}-`));
    const command = { script, words: words(String(port), folder) };
    const program = { name, folder, ...command, env: env?.(String(port)) ?? {} };
    servers.push(owned(await listening(program, port, credentials)));
  }
  return servers;
}
