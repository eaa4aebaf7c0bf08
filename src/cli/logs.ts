/** `lambent logs`: what a function printed, or what it prints from now on. */
import { decodeEventStream } from "./event-stream.ts";
import { send } from "./client.ts";
import { durationMs } from "./durations.ts";
import type { Command } from "./run.ts";
import { EXIT, UsageError, dim, print, readerGone } from "./terminal.ts";

const HELP = `Usage: lambent logs NAME [options]

Prints the log of a function (group /aws/lambda/NAME), oldest line first.

  NAME                 a function's name, or a log group that begins with /
  --follow             stay and print new lines as they come, until interrupted
  --since DURATION     how far back: 30s, 10m, 2h, 7d  [10m; nothing with --follow]
  --filter PATTERN     a CloudWatch Logs filter pattern`;

export const logsCommand: Command = {
  help: HELP,
  options: { follow: { type: "boolean" }, since: { type: "string" }, filter: { type: "string" } },
  async run(flags, positionals) {
    const [name, ...more] = positionals;
    if (name === undefined || more.length > 0) throw new UsageError("name one function");
    const group = name.startsWith("/") ? name : `/aws/lambda/${name}`;
    const filter = typeof flags["filter"] === "string" ? { filterPattern: flags["filter"] } : {};
    const since = flags["since"] ?? (flags["follow"] ? undefined : "10m");
    if (since !== undefined)
      await printPast(group, Date.now() - durationMs(String(since), "--since"), filter);
    if (flags["follow"] === true) await follow(group, filter);
    return EXIT.ok;
  },
};

interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

async function printPast(group: string, startTime: number, filter: object): Promise<void> {
  let nextToken: string | undefined;
  do {
    const response = await callLogs("FilterLogEvents", {
      logGroupName: group,
      startTime,
      nextToken,
      ...filter,
    });
    const page = (await response.json()) as { events: LogEvent[]; nextToken?: string };
    for (const event of page.events) printEvent(event);
    nextToken = page.nextToken;
  } while (nextToken !== undefined && !readerGone.aborted);
}

async function follow(group: string, filter: { filterPattern?: string }): Promise<void> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  readerGone.addEventListener("abort", () => stop.abort());
  if (readerGone.aborted) return;
  try {
    const response = await callLogs("StartLiveTail", await liveTailInput(group, filter), stop.signal);
    if (!response.body) return;
    for await (const event of decodeEventStream(response.body)) {
      if (event.type !== "sessionUpdate") continue;
      const update = JSON.parse(event.payload.toString()) as { sessionResults?: LogEvent[] };
      for (const line of update.sessionResults ?? []) printEvent(line);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

async function liveTailInput(group: string, filter: { filterPattern?: string }): Promise<object> {
  const response = await callLogs("DescribeLogGroups", { logGroupNamePrefix: group });
  const { logGroups } = (await response.json()) as {
    logGroups: { logGroupName: string; logGroupArn: string }[];
  };
  const found = logGroups.find((one) => one.logGroupName === group);
  if (!found)
    throw new UsageError(`there is no log group ${group} yet; it appears with the function's first run`);
  return {
    logGroupIdentifiers: [found.logGroupArn],
    ...(filter.filterPattern === undefined ? {} : { logEventFilterPattern: filter.filterPattern }),
  };
}

function callLogs(operation: string, input: object, signal?: AbortSignal): Promise<Response> {
  return send({
    service: "logs",
    method: "POST",
    path: "/",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `Logs_20140328.${operation}` },
    body: Buffer.from(JSON.stringify(input)),
    ...(signal ? { signal } : {}),
  });
}

function printEvent(event: LogEvent): void {
  print(`${dim(new Date(event.timestamp).toISOString())} ${event.message.trimEnd()}`);
}
