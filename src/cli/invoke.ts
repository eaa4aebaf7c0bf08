/** `lambent invoke`: one invocation; the answer on stdout, the log on stderr. */
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { send } from "./client.ts";
import type { Command } from "./run.ts";
import { CommandError, EXIT, UsageError, dim, print, printError } from "./terminal.ts";

const HELP = `Usage: lambent invoke NAME [options]

Invokes a function and prints its answer on stdout and the end of its log on stderr.

  NAME                 a function's name, NAME:QUALIFIER, or its ARN
  --payload JSON       the event: JSON, @FILE, or - for stdin  [{}]
  --event              hand it over and do not wait (asynchronous invocation)
  --quiet              do not print the log

Exit code 3 when the function itself answered with an error.`;

export const invokeCommand: Command = {
  help: HELP,
  options: { payload: { type: "string" }, event: { type: "boolean" }, quiet: { type: "boolean" } },
  async run(flags, positionals) {
    const [name, ...more] = positionals;
    if (name === undefined || more.length > 0) throw new UsageError("name one function");
    const asynchronous = flags["event"] === true;
    const response = await send({
      service: "lambda",
      method: "POST",
      path: `/2015-03-31/functions/${encodeURIComponent(name)}/invocations`,
      headers: {
        "content-type": "application/json",
        "x-amz-invocation-type": asynchronous ? "Event" : "RequestResponse",
        ...(asynchronous ? {} : { "x-amz-log-type": "Tail" }),
      },
      body: await readPayload(String(flags["payload"] ?? "{}")),
    });
    const logTail = response.headers.get("x-amz-log-result");
    if (logTail && flags["quiet"] !== true)
      printError(dim(Buffer.from(logTail, "base64").toString().trimEnd()));
    const answer = await response.text();
    print(asynchronous ? `Accepted, request id ${response.headers.get("x-amzn-requestid")}` : answer);
    return response.headers.has("x-amz-function-error") ? EXIT.functionError : EXIT.ok;
  },
};

async function readPayload(value: string): Promise<Uint8Array> {
  if (value === "-") return buffer(process.stdin);
  if (!value.startsWith("@")) return Buffer.from(value);
  return readFile(value.slice(1)).catch((error: Error) => {
    throw new CommandError(`cannot read the payload: ${error.message}`, { cause: error });
  });
}
