/** The Rubies that this machine has; why others are not tested is printed. */
import { runtimes } from "./harness.ts";

export const wantedRubies = ["ruby3.1", "ruby3.2", "ruby3.3", "ruby3.4", "ruby4.0"];
export const rubiesHere: string[] = [];
for (const identifier of wantedRubies) {
  const found = await runtimes.find(identifier);
  if (found.status === "ready") rubiesHere.push(identifier);
  else console.log(`# SKIPPED ${identifier}: ${found.status === "refused" ? found.reason : found.status}`);
}
