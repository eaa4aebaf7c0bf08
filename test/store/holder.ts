/** Opens a store and holds it until it is killed. */
import { systemClock } from "../../src/kit/clock.ts";
import { randomIds } from "../../src/kit/id.ts";
import { openStore } from "../../src/store/index.ts";
import { createLog } from "../../src/telemetry/log.ts";

await openStore({
  dataDir: process.argv[2] ?? "",
  engine: "sqlite",
  clock: systemClock,
  ids: randomIds,
  log: createLog("error"),
});
process.stdout.write("open\n");
setInterval(() => undefined, 60_000);
