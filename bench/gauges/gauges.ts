/** The gauges: what users feel beside the eight axes. */
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import {
  InvokeWithResponseStreamCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import { zipOf } from "../../test/harness/zip.ts";
import { HELLO } from "../contenders/handlers.ts";
import { Connection } from "../load/http-client.ts";
import { invokeOnce } from "../load/once.ts";
import { signedInvoke } from "../load/signed-request.ts";
import { median } from "../statistics.ts";
import type { Gauge, Setting } from "./gauge.ts";

const UPDATES = 5;
const LARGE_BYTES = 5_900_000;
const LARGE_CALLS = 10;
const STREAM_CALLS = 100;
const LINES = 1_000;
const LOG_CALLS = 10;
/** Log lines are stored after the answer; CPU is counted until they are. */
const LOG_REST_MS = 1_000;

export const GAUGES: readonly Gauge[] = [
  { name: "UpdateFunctionCode until the new code answers", read: updateToAnswer },
  { name: "throttled call (429), CPU of the server", read: throttled },
  { name: "5.9 MB there and back, against a raw echo of node:net", read: largePayload },
  { name: "first byte of a streamed answer, beyond a warm call of one caller", read: firstByte },
  { name: "log lines stored a second of the server's CPU", read: logLines },
];

/** Milliseconds from the request to update until an invocation runs the new code. */
async function updateToAnswer({ lambent }: Setting) {
  const client = new LambdaClient(lambent.options);
  await lambent.deploy("updated", { "index.cjs": versioned(0) });
  const times: number[] = [];
  for (let version = 1; version <= UPDATES; version += 1) {
    const ZipFile = await zipOf({ "index.cjs": versioned(version) });
    const begun = performance.now();
    await client.send(new UpdateFunctionCodeCommand({ FunctionName: "updated", ZipFile }));
    const connection = await Connection.open(lambent.target.port);
    const target = lambent.targetOf("updated");
    let answer = "";
    while (answer !== String(version))
      answer = (await connection.send(signedInvoke(target, Buffer.from("{}")))).body.toString();
    times.push(performance.now() - begun);
    connection.close();
  }
  client.destroy();
  return { value: median(times), unit: "ms", goal: 50, better: "less" } as const;
}

function versioned(version: number): string {
  return `exports.handler = async () => ${version};`;
}

/** Microseconds that it costs to say no. */
async function throttled({ lambent, generator, durationMs }: Setting) {
  await lambent.deploy("off", { "index.cjs": HELLO });
  const client = new LambdaClient(lambent.options);
  await client.send(
    new PutFunctionConcurrencyCommand({ FunctionName: "off", ReservedConcurrentExecutions: 0 }),
  );
  client.destroy();
  const target = lambent.targetOf("off");
  const before = lambent.usedUsOf("server");
  const { requests } = await generator.run({ target, connections: 32, durationMs, status: 429 });
  const value = (lambent.usedUsOf("server") - before) / requests;
  return { value, unit: "µs", goal: 25, better: "less" } as const;
}

/** Throughput as a share of what a plain socket does with the same bytes. */
async function largePayload({ lambent }: Setting) {
  await lambent.deploy("echo", { "index.cjs": "exports.handler = async (event) => event;" });
  const body = Buffer.from(JSON.stringify("x".repeat(LARGE_BYTES)));
  const connection = await Connection.open(lambent.target.port);
  const ours: number[] = [];
  for (let count = 0; count < LARGE_CALLS; count += 1) {
    const request = signedInvoke(lambent.targetOf("echo"), body);
    const begun = performance.now();
    const answer = await connection.send(request);
    ours.push(performance.now() - begun);
    if (answer.body.length !== body.length) throw new Error(`echo answered ${answer.status}`);
  }
  connection.close();
  const raw = await rawEcho(body);
  return { value: raw / median(ours), unit: "of it", goal: 0.5, better: "more" } as const;
}

async function rawEcho(body: Buffer): Promise<number> {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const times: number[] = [];
  for (let count = 0; count < LARGE_CALLS; count += 1) {
    const begun = performance.now();
    socket.write(body);
    for (let got = 0; got < body.length;) got += ((await once(socket, "data")) as [Buffer])[0].length;
    times.push(performance.now() - begun);
  }
  socket.destroy();
  server.close();
  return median(times);
}

/** Milliseconds by which the first byte of a stream is later than the whole answer of hello, both through the AWS SDK. */
async function firstByte({ lambent, generator, durationMs }: Setting) {
  const handler = `exports.handler = awslambda.streamifyResponse(async (event, stream) => { stream.write("first"); await new Promise((resolve) => setTimeout(resolve, 5)); stream.end("last"); });`;
  await lambent.deploy("stream", { "index.cjs": handler });
  const client = new LambdaClient(lambent.options);
  const times: number[] = [];
  for (let count = 0; count < STREAM_CALLS; count += 1) {
    const begun = performance.now();
    const { EventStream } = await client.send(
      new InvokeWithResponseStreamCommand({ FunctionName: "stream" }),
    );
    let first: number | undefined;
    for await (const event of EventStream ?? []) if (event.PayloadChunk) first ??= performance.now() - begun;
    if (first === undefined) throw new Error("the streamed answer was empty");
    times.push(first);
  }
  client.destroy();
  const warm = await generator.run({ target: lambent.target, connections: 1, durationMs, client: "sdk" });
  return { value: median(times) - warm.p50Us / 1_000, unit: "ms", goal: 0.1, better: "less" } as const;
}

async function logLines({ lambent }: Setting) {
  const handler = `exports.handler = async () => { for (let i = 0; i < ${LINES}; i += 1) console.log("line " + i + " of a function that tells what it does"); return { ok: true, n: 7 }; };`;
  await lambent.deploy("talkative", { "index.cjs": handler });
  await invokeOnce(lambent.targetOf("talkative"));
  await new Promise((resolve) => setTimeout(resolve, LOG_REST_MS));
  const before = lambent.usedUsOf("server");
  for (let count = 0; count < LOG_CALLS; count += 1) await invokeOnce(lambent.targetOf("talkative"));
  await new Promise((resolve) => setTimeout(resolve, LOG_REST_MS));
  const seconds = (lambent.usedUsOf("server") - before) / 1e6;
  return { value: (LINES * LOG_CALLS) / seconds, unit: "lines", goal: 100_000, better: "more" } as const;
}
