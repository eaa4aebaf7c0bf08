/** The direct way of GetItem and PutItem: JSON that names a table and an item, and nothing out of the ordinary. */
import type { WireResponse } from "../../../aws/index.ts";
import type { DirectService, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import type { Attributes } from "../values/value.ts";
import { getItemAsText } from "./get-item.ts";
import { putItem } from "./put-item.ts";

const NO_HEADERS: ReadonlySet<string> = new Set();
const NAME = /^[a-zA-Z0-9_.-]{3,255}$/;
/** Longer names of attributes are counted elsewhere. */
const ATTRIBUTE_CHARS_MAX = 255;
/** Deeper values are counted elsewhere. */
const LEVELS_MAX = 16;

export function createDirectItems(deps: OperationDeps): DirectService {
  return {
    headers: NO_HEADERS,
    find(operation, _labels, place) {
      // Operations look at no more of it.
      const context = { ...place, operation } as RequestContext;
      if (operation === "GetItem") return ({ requestId, body }) => get(deps, context, requestId, body);
      if (operation === "PutItem") return ({ requestId, body }) => put(deps, context, requestId, body);
      return undefined;
    },
  };
}

function get(
  deps: OperationDeps,
  context: RequestContext,
  requestId: string,
  body: Buffer,
): Promise<WireResponse> | undefined {
  const input = readInput(deps, context, body, "Key");
  if (!input) return undefined;
  return getItemAsText(deps, { TableName: input.TableName, Key: input.attributes }, context).then((text) =>
    success(requestId, text === undefined ? "{}" : `{"Item":${text}}`),
  );
}

function put(
  deps: OperationDeps,
  context: RequestContext,
  requestId: string,
  body: Buffer,
): Promise<WireResponse> | undefined {
  const input = readInput(deps, context, body, "Item");
  if (!input) return undefined;
  return putItem(deps, { TableName: input.TableName, Item: input.attributes }, context).then(() =>
    success(requestId, "{}"),
  );
}

interface DirectInput {
  readonly TableName: string;
  readonly attributes: Attributes;
}

/** Undefined for anything but the name of a table and attributes that hold no binary values, and where a policy may deny. */
function readInput(
  { tables }: OperationDeps,
  { account, region }: RequestContext,
  body: Buffer,
  member: "Key" | "Item",
): DirectInput | undefined {
  let input: unknown;
  try {
    input = JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isObject(input)) return undefined;
  for (const name in input) if (name !== "TableName" && name !== member) return undefined;
  const { TableName, [member]: attributes } = input;
  if (typeof TableName !== "string" || !NAME.test(TableName)) return undefined;
  if (tables.mayHavePolicy({ account, region, name: TableName })) return undefined;
  return isPlain(attributes, 1) ? { TableName, attributes: attributes as Attributes } : undefined;
}

/** Whether these are attributes each of which has a value of one type, as the wire has it and the operations take it. */
function isPlain(attributes: unknown, level: number): boolean {
  if (!isObject(attributes) || level > LEVELS_MAX) return false;
  for (const name in attributes)
    if (name.length > ATTRIBUTE_CHARS_MAX || !isPlainValue(attributes[name], level)) return false;
  return true;
}

function isPlainValue(value: unknown, level: number): boolean {
  if (!isObject(value)) return false;
  let types = 0;
  for (const type in value) {
    types += 1;
    const content = value[type];
    switch (type) {
      case "S":
      case "N":
        if (typeof content !== "string") return false;
        break;
      case "BOOL":
      case "NULL":
        if (typeof content !== "boolean") return false;
        break;
      case "SS":
      case "NS":
        if (!Array.isArray(content) || !content.every((one) => typeof one === "string")) return false;
        break;
      case "L":
        if (!Array.isArray(content) || level > LEVELS_MAX) return false;
        if (!content.every((one) => isPlainValue(one, level + 1))) return false;
        break;
      case "M":
        if (!isPlain(content, level + 1)) return false;
        break;
      default:
        return false;
    }
  }
  return types === 1;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function success(requestId: string, body: string): WireResponse {
  const headers = { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": requestId };
  return { status: 200, headers, body };
}
