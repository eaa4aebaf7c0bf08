/** `npm run check`: every script of package.json called `check:…`, two at a time, all of them even where one fails. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

const AT_ONCE = 2;
/** What takes seconds begins first. */
const FIRST = ["check:lint", "check:types"];

const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const names = Object.keys(scripts).filter((name) => name.startsWith("check:") && !FIRST.includes(name));
const queue = [...FIRST, ...names];
await Promise.all(Array.from({ length: AT_ONCE }, work));

async function work() {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    // The linter and the compiler are written in Go: they end before a collector is worth its time.
    const env = { GOGC: "400", ...process.env };
    const child = spawn(scripts[name], { shell: true, env, stdio: ["ignore", "pipe", "pipe"] });
    const ended = once(child, "close");
    const printed = (await Promise.all([text(child.stdout), text(child.stderr)])).join("");
    const [status] = await ended;
    console.log(`${status === 0 ? "passed" : "FAILED"} ${name}`);
    if (status === 0) continue;
    console.log(printed);
    process.exitCode = 1;
  }
}
