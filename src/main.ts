#!/usr/bin/env node
/** The `lambent` command. */
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

// Objects of requests that wait would be made in the old generation, and keep alive what they refer to: a fifth of a request's CPU
// (docs/decisions/017-no-pretenuring.md).
setFlagsFromString("--no-allocation-site-pretenuring");
// Most of a start is reading our own source: what it compiles to is kept for the next, in this user's own folder.
enableCompileCache(join(homedir(), ".cache", "lambent", "compiled"));
const { run } = await import("./cli/run.ts");
process.exitCode = await run(process.argv.slice(2));
