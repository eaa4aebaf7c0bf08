/** `lambent clock`: what time it is for a server started with --dev, and moving it ahead. */
import { send } from "./client.ts";
import { durationMs } from "./durations.ts";
import type { Command } from "./run.ts";
import { EXIT, UsageError, print } from "./terminal.ts";

const HELP = `Usage: lambent clock [advance DURATION]

Prints what time it is for the server at AWS_ENDPOINT_URL, or moves its clock ahead: schedules, retries, ages and expiries come
due on the way, as if the time had passed. The server must run with --dev, on this machine. Its clock never goes back; it stays ahead
after a restart with --dev.

  DURATION   numbers with s, m, h or d, at most 31d: 5m, 1h30m, 7d

Functions keep the machine's clock, and so do signatures: what they date is not moved.`;

const PATH = "/_lambent/clock";

export const clockCommand: Command = {
  help: HELP,
  options: {},
  async run(_flags, positionals) {
    const [action, duration, ...more] = positionals;
    if (more.length > 0 || (action !== undefined && action !== "advance"))
      throw new UsageError('it takes nothing, or "advance" and a duration');
    if (action === undefined) return printTime(await send({ service: "lambent", method: "GET", path: PATH }));
    if (duration === undefined) throw new UsageError("say how far: advance 5m");
    const advance = durationMs(duration, "the duration");
    return printTime(
      await send({
        service: "lambent",
        method: "POST",
        path: PATH,
        headers: { "content-type": "application/json" },
        body: Buffer.from(JSON.stringify({ advance })),
      }),
    );
  },
};

async function printTime(response: Response): Promise<number> {
  const { now } = (await response.json()) as { now: string };
  print(now);
  return EXIT.ok;
}
