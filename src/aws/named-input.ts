/** An operation's input as JSON by its members' names, apart from how any protocol sends it: what Step Functions and Scheduler are told. */
import { isStructure } from "./model/shape.ts";
import type { Member, Shape, StructureShape } from "./model/shape.ts";
import { MalformedInput } from "./protocol/malformed-input.ts";
import { decodeBase64 } from "./protocol/text-value.ts";
import { fromEpochSeconds, parseTimestamp } from "./protocol/timestamp.ts";
import { createTreeReaders } from "./protocol/tree-reader.ts";

const readers = createTreeReaders({
  memberKey: ({ name }) => name,
  readBlob(value) {
    if (typeof value === "string") return decodeBase64(value);
    throw new MalformedInput("A blob must be a base64 string");
  },
  readTimestamp(value) {
    if (typeof value === "number") return fromEpochSeconds(value);
    if (typeof value === "string") return parseTimestamp(value);
    throw new MalformedInput("A timestamp must be a number of seconds since the epoch, or a date");
  },
});

/**
 * Reads an input. Members are found whatever the case of their letters, since SDKs write `QueueName` and `queueName`, `Acl` and `ACL`. The
 * member that is a request's body (Lambda's Payload, S3's Body) is text, other blobs are base64.
 * @throws MalformedInput for what has no such form, and for members that the operation does not have
 */
export function readNamedInput(shape: StructureShape | undefined, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new MalformedInput("the input must be a JSON object");
  const named = renamed(shape ?? NOTHING, value, "");
  const input = named as Record<string, unknown>;
  const body = shape && bodyOf(shape);
  const text = body && input[body.name];
  if (!shape || !body || text === undefined) return read(shape, input);
  if (typeof text !== "string") throw new MalformedInput(`${body.name} must be a text`);
  const { [body.name]: _, ...rest } = input;
  return { ...read(shape, rest), [body.name]: Buffer.from(text) };
}

/** The member that is a request's whole body, where that is bytes. */
export function bodyOf(shape: StructureShape): Member | undefined {
  for (const member of shape.members.values())
    if (member.traits.httpPayload && member.shape.kind === "blob") return member;
  return undefined;
}

const NOTHING: StructureShape = {
  kind: "structure",
  name: "Nothing",
  traits: {},
  members: new Map(),
  required: [],
  constraint: undefined,
};

function read(shape: StructureShape | undefined, input: Record<string, unknown>): Record<string, unknown> {
  return shape ? (readers(shape)(input) as Record<string, unknown>) : input;
}

/** The same tree with the model's own names. */
function renamed(shape: Shape, value: unknown, path: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isStructure(shape)) return Array.isArray(value) ? value : renamedMembers(shape, value, path);
  if (shape.kind === "list" && Array.isArray(value))
    return value.map((item, index) => renamed(shape.member.shape, item, `${path}[${index}]`));
  if (shape.kind !== "map" || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    renamed(shape.value.shape, item, `${path}.${key}`),
  ]);
  return Object.fromEntries(entries) as unknown;
}

function renamedMembers(shape: StructureShape, value: object, path: string): Record<string, unknown> {
  const members = namesOf(shape);
  const entries = Object.entries(value).map(([key, item]) => {
    const member = shape.members.get(key) ?? members.get(key.toLowerCase());
    const place = path === "" ? key : `${path}.${key}`;
    if (!member) throw new MalformedInput(`the input has no member ${place}`);
    return [member.name, renamed(member.shape, item, place)] as const;
  });
  return Object.fromEntries(entries);
}

const names = new WeakMap<StructureShape, ReadonlyMap<string, Member>>();

function namesOf(shape: StructureShape): ReadonlyMap<string, Member> {
  let found = names.get(shape);
  if (!found) {
    found = new Map([...shape.members.values()].map((member) => [member.name.toLowerCase(), member]));
    names.set(shape, found);
  }
  return found;
}
