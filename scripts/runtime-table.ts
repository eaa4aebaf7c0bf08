/**
 * Writes README's table of runtimes: what there is, from the descriptors in src/invoke/runtimes, and with which versions it was tested, from
 * docs/runtimes-tested.txt.
 *
 *   node scripts/runtime-table.ts                 writes the table
 *   node scripts/runtime-table.ts --check         says whether it is as it should be
 *   node scripts/runtime-table.ts --record FILE   first takes over what a test run with LAMBENT_RECORD_RUNTIMES=FILE has run
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runtimeFamilies } from "../src/invoke/runtimes/index.ts";
import { createLog } from "../src/telemetry/log.ts";

const README = new URL("../README.md", import.meta.url);
const TESTED = new URL("../docs/runtimes-tested.txt", import.meta.url);
const PLACE = /(<!-- runtimes:[^\n]*-->\n)[^]*?(<!-- \/runtimes -->)/;
const SANDBOXES = ["runc", "runsc", "process"];

/** Identifier → version, and the sandboxes that it ran in. */
type Tested = Map<string, { version: string; sandboxes: Set<string> }>;

const { values } = parseArgs({ options: { check: { type: "boolean" }, record: { type: "string" } } });
const families = runtimeFamilies({ cacheDir: "", log: createLog("error") });
const tested = read(readFileSync(TESTED, "utf8"));
if (values.record !== undefined) {
  for (const [identifier, run] of read(readFileSync(values.record, "utf8"))) tested.set(identifier, run);
  writeFileSync(TESTED, written(tested));
}
const readme = readFileSync(README, "utf8");
const wanted = readme.replace(PLACE, (_, begin: string, end: string) => `${begin}\n${table(tested)}\n${end}`);
if (!values.check) writeFileSync(README, wanted);
else if (wanted !== readme) {
  console.error("README's table of runtimes is not what the descriptors say: node scripts/runtime-table.ts");
  process.exit(1);
}

function table(known: Tested): string {
  const rows = families.map(({ language, identifiers, source }) => {
    const ran = identifiers.filter((identifier) => known.has(identifier));
    const versions = ran.map((identifier) => {
      const { version, sandboxes } = known.get(identifier) ?? { version: "", sandboxes: new Set() };
      const where = SANDBOXES.filter((one) => sandboxes.has(one)).join(", ");
      return `${version === "-" ? identifier : version} (${where})`;
    });
    const names = identifiers.map((identifier) => `\`${identifier}\``).join(", ");
    return `| ${language} | ${names} | ${source} | ${versions.join(", ") || "not on the machine where the tests ran last"} |`;
  });
  return [
    "| language | runtimes | comes from | tested with |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

/** Lines of identifier, version and sandboxes. */
function read(text: string): Tested {
  const known: Tested = new Map();
  for (const line of text.split("\n").filter(Boolean)) {
    const [identifier = "", version = "", sandboxes = ""] = line.split(" ");
    const entry = known.get(identifier) ?? { version, sandboxes: new Set<string>() };
    for (const one of sandboxes.split(",")) entry.sandboxes.add(one);
    known.set(identifier, { version, sandboxes: entry.sandboxes });
  }
  return known;
}

function written(known: Tested): string {
  const lines = [...known].map(
    ([identifier, { version, sandboxes }]) => `${identifier} ${version} ${[...sandboxes].sort().join(",")}\n`,
  );
  return lines.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).join("");
}
