/** Every scenario, by the name of its folder. */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Scenario } from "./scenario.ts";

const HERE = new URL(".", import.meta.url);

/** In order of name. */
export const scenarios: ReadonlyMap<string, Scenario> = await (async () => {
  const found = new Map<string, Scenario>();
  const names = readdirSync(fileURLToPath(HERE), { withFileTypes: true })
    // A folder with a test of its own has no scenario that runs through the front.
    .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/scenario.ts`, HERE)))
    .map((entry) => entry.name);
  for (const name of names.sort()) {
    const module = (await import(new URL(`${name}/scenario.ts`, HERE).href)) as { scenario: Scenario };
    found.set(name, module.scenario);
  }
  return found;
})();
