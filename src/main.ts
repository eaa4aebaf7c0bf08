#!/usr/bin/env node
/** The `lambent` command. */
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Most of a start is reading our own source: what it compiles to is kept for the next, in this user's own folder.
enableCompileCache(join(homedir(), ".cache", "lambent", "compiled"));
const { run } = await import("./cli/run.ts");
process.exitCode = await run(process.argv.slice(2));
