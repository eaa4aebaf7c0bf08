/** What functions print of when an event reached them: `handled N ms`, since it was sent. */
import { setTimeout as sleep } from "node:timers/promises";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { percentile } from "../statistics.ts";
import type { LambentServer } from "./lambent.ts";

const LOG_MS_MAX = 10_000;

/** Once there are so many such lines, or it has waited long enough. @param startTime In epoch milliseconds. */
export async function printedSince(
  { options }: LambentServer,
  functionName: string,
  startTime: number,
  lines: number,
): Promise<string> {
  const logs = new CloudWatchLogsClient(options);
  const question = { logGroupName: `/aws/lambda/${functionName}`, filterPattern: "handled", startTime };
  for (const end = Date.now() + LOG_MS_MAX; ; await sleep(100)) {
    const { events = [] } = await logs
      .send(new FilterLogEventsCommand(question))
      .catch(() => ({ events: [] }));
    if (events.length >= lines || Date.now() > end) {
      logs.destroy();
      return events.map(({ message }) => message).join("\n");
    }
  }
}

/** The middle of the times, in microseconds. */
export function medianOf(printed: string): number {
  const times = [...printed.matchAll(/handled (\S+) ms/g)].map(([, ms]) => Number(ms));
  if (times.length === 0) throw new Error("the function logged no times");
  return percentile(times, 0.5) * 1_000;
}
