/** The SDK's clients as the oracle: every operation and modelled error of every service, both directions, with random values. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError } from "../../src/aws/errors.ts";
import type { ServiceMetadata, WireProtocol } from "../../src/aws/model/format.ts";
import type { OperationModel, ServiceModel } from "../../src/aws/model/model.ts";
import { differences, plain } from "./oracle/compare.ts";
import { createOracle } from "./oracle/clients.ts";
import type { Oracle } from "./oracle/clients.ts";
import { catalogue, collect } from "./oracle/exchange.ts";
import type { Understood } from "./oracle/exchange.ts";
import { exceptions, signedElsewhere } from "./oracle/exceptions.ts";
import { ValueMaker } from "./oracle/values.ts";
import { eventStreamMember } from "../../src/aws/protocol/event-stream.ts";

const SEED = Number(process.env["ORACLE_SEED"] ?? 7);
const ROUNDS = 3;
const DEPTH = 4;
const MESSAGE = "boom <&> é";

for (const metadata of catalogue.metadata)
  for (const protocol of metadata.protocols)
    test(`${metadata.name} over ${protocol}: what the SDK sends is read, and what is written the SDK reads`, async () => {
      const model = catalogue.model(metadata.name);
      const oracle = createOracle(metadata, protocol);
      const values = new ValueMaker(SEED);
      const found: string[] = [];
      for (const name of model.operationNames) {
        const operation = model.operation(name);
        assert.ok(operation);
        for (let round = 0; round < ROUNDS; round++)
          found.push(...(await operationDifferences({ oracle, values, metadata, protocol }, operation)));
      }
      found.push(...(await errorDifferences({ oracle, values, metadata, protocol }, model)));
      assert.deepEqual([...new Set(found)], []);
    });

interface Setting {
  readonly oracle: Oracle;
  readonly values: ValueMaker;
  readonly metadata: ServiceMetadata;
  readonly protocol: WireProtocol;
}

async function operationDifferences(setting: Setting, operation: OperationModel): Promise<string[]> {
  const { oracle, values, metadata } = setting;
  const schema = oracle.schema(operation.name);
  const input = schema.input.isUnitSchema()
    ? {}
    : values.structure(schema.input, operation.input, DEPTH, true);
  const output = schema.output.isUnitSchema()
    ? {}
    : values.structure(schema.output, operation.output, DEPTH, false);
  fitToClient(metadata.name, input, output);
  const events = operation.output && eventStreamMember(operation.output);
  const sentEvents: unknown[] = [];
  let understood: Understood | undefined;
  let received: Record<string, unknown>;
  const expected = plain(input);
  try {
    received = await oracle.send(operation.name, input, (seen) => {
      understood = seen;
      if (!events) return output;
      const made = eventsOf(oracle, operation, values, events.name);
      sentEvents.push(...made);
      return { ...output, [events.name]: asyncOf(made) };
    });
  } catch (error) {
    const refused = error instanceof AwsError && error.code === "NotImplemented";
    if (refused && signedElsewhere[metadata.name]?.includes(operation.name)) return [];
    return [`${metadata.name} ${setting.protocol} ${operation.name}: ${describe(error)}`];
  }
  if (understood?.service !== metadata.name || understood.operation !== operation.name)
    return [
      `${metadata.name} ${operation.name}: understood as ${understood?.service} ${understood?.operation}`,
    ];
  await readStreams(received, events?.name);
  const wanted = events ? { ...output, [events.name]: sentEvents } : output;
  return [
    ...unexplained(setting, operation.name, "input", differences(expected, plain(understood.input))),
    ...unexplained(setting, operation.name, "output", differences(plain(wanted), plain(received))),
  ];
}

async function errorDifferences(setting: Setting, model: ServiceModel): Promise<string[]> {
  const { oracle, values, metadata } = setting;
  const carrier = model.operationNames.find((name) => isPlain(model.operation(name)));
  assert.ok(carrier, `${metadata.name} has no operation that can carry an error`);
  const found: string[] = [];
  for (const name of model.errorNames) {
    const shape = model.error(name)?.shape;
    const members = values.structure(oracle.errorSchema(name), shape, DEPTH, false);
    for (const key of Object.keys(members))
      if (/^(message|code|name|type|error)$/i.test(key)) delete members[key];
    const error = new AwsError(name, MESSAGE, members);
    const input = values.structure(
      oracle.schema(carrier).input,
      model.operation(carrier)?.input,
      DEPTH,
      true,
    );
    fitToClient(metadata.name, input, {});
    const thrown = await oracle
      .send(carrier, input, () => error)
      .then(
        () => undefined,
        (reason: unknown) => reason as Error & { $metadata?: { httpStatusCode?: number } },
      );
    const Class = oracle.exports[name] as (new () => Error) | undefined;
    const status = thrown?.$metadata?.httpStatusCode;
    const wantedStatus =
      setting.protocol === "awsQuery" ? model.error(name)?.queryStatus : model.error(name)?.status;
    const wanted = { name, message: MESSAGE, isInstance: true, ...members };
    const got = {
      ...Object.fromEntries(
        Object.keys(members).map((key) => [key, (thrown as unknown as Record<string, unknown>)?.[key]]),
      ),
      name: thrown?.name,
      message: thrown?.message,
      isInstance: Class !== undefined && thrown instanceof Class,
    };
    const all = differences(plain(wanted), plain(got));
    if (metadata.name !== "s3" && status !== wantedStatus) all.push(`status: ${wantedStatus} != ${status}`);
    found.push(...unexplained(setting, name, "error", all));
  }
  return found;
}

/** An operation whose answer is read for errors whatever the protocol: with a body, and sendable. */
function isPlain(operation: OperationModel | undefined): boolean {
  if (!operation?.input || operation.method === "HEAD") return false;
  return ![...(operation.output?.members.values() ?? [])].some(
    (member) => member.traits.httpPayload || member.traits.streaming,
  );
}

/** What the client itself computes, or refuses to send, is left to it. */
function fitToClient(service: string, input: Record<string, unknown>, output: Record<string, unknown>): void {
  if (service === "s3") {
    for (const key of Object.keys(input))
      if (/^Checksum|SSECustomerKey|^ContentMD5|^ContentLength$|^RequestRoute$/.test(key)) delete input[key];
    for (const key of Object.keys(output)) if (/^Checksum|^ContentLength$/.test(key)) delete output[key];
    if (input["Bucket"] !== undefined) input["Bucket"] = "my-bucket";
    if (input["Key"] !== undefined) input["Key"] = "k/e y+é";
  }
  // An endpoint id asks for SigV4a, which the client has no implementation of.
  if (service === "eventbridge") delete input["EndpointId"];
  if (service === "sqs" && input["QueueUrl"] !== undefined)
    input["QueueUrl"] = "http://127.0.0.1:1/000000000000/q";
}

function unexplained(
  setting: Setting,
  operation: string,
  side: "input" | "output" | "error",
  all: string[],
): string[] {
  const { metadata, protocol } = setting;
  return all
    .filter((difference) => {
      const path = difference.slice(0, difference.indexOf(": "));
      return !exceptions.some(
        (known) =>
          known.side === side &&
          (known.service ?? metadata.name) === metadata.name &&
          (known.protocol ?? protocol) === protocol &&
          (known.operation ?? operation) === operation &&
          (path === known.path || path.endsWith(`.${known.path}`)),
      );
    })
    .map((difference) => `${metadata.name} ${protocol} ${operation} ${side} ${difference}`);
}

async function readStreams(received: Record<string, unknown>, events: string | undefined): Promise<void> {
  for (const [name, value] of Object.entries(received)) {
    if (name === events) received[name] = await collect(value as AsyncIterable<unknown>);
    else if (hasBytes(value)) received[name] = await value.transformToByteArray();
  }
}

function hasBytes(value: unknown): value is { transformToByteArray(): Promise<Uint8Array> } {
  return typeof value === "object" && value !== null && "transformToByteArray" in value;
}

/** One event of each kind that is not an exception. */
function eventsOf(
  oracle: Oracle,
  operation: OperationModel,
  values: ValueMaker,
  member: string,
): Record<string, unknown>[] {
  const union = oracle.schema(operation.name).output.getMemberSchema(member);
  assert.ok(union);
  const ours = operation.output?.members.get(member)?.shape;
  return [...union.structIterator()]
    .filter(([, event]) => (event.getSchema() as unknown as readonly unknown[])[0] !== -3)
    .map(([name, event]) => {
      const shape = ours && "members" in ours ? ours.members.get(name)?.shape : undefined;
      return { [name]: values.structure(event, shape, DEPTH, false) };
    });
}

async function* asyncOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function describe(error: unknown): string {
  return error instanceof Error
    ? `${error.name}: ${error.message.slice(0, 200)} ${error.stack?.split("\n")[1]?.trim()}`
    : String(error);
}
