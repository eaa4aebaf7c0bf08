/** The fields of an event: those that are found by themselves, and those of its JSON. Pure. */
import { LAMBDA_FIELD_NAMES } from "./lambda-fields.ts";
import { Record, findJson } from "./record.ts";
import type { QueriedEvent } from "./record.ts";
import { fromJson, toText } from "./values.ts";

/** Fields of JSON that are found in one event, as by AWS. */
const JSON_FIELDS_MAX = 200;
const DEPTH_MAX = 50;
const OWN = ["@timestamp", "@ingestionTime", "@message", "@logStream", "@log"];

/** Their values by name. */
export function discoverFields(event: QueriedEvent): Map<string, string> {
  const record = new Record(event);
  const found = new Map<string, string>();
  for (const name of [...OWN, ...LAMBDA_FIELD_NAMES]) {
    const text = toText(record.get(name));
    if (text !== undefined) found.set(name, text);
  }
  const json = findJson(event);
  const most = found.size + JSON_FIELDS_MAX;
  if (json) addParts(found, "", json, most);
  return found;
}

function addParts(found: Map<string, string>, prefix: string, value: object, most: number, depth = 0): void {
  if (depth > DEPTH_MAX) return;
  for (const [name, part] of Object.entries(value) as [string, unknown][]) {
    if (found.size >= most) return;
    if (typeof part === "object" && part !== null)
      addParts(found, `${prefix}${name}.`, part, most, depth + 1);
    else {
      const text = toText(fromJson(part));
      if (text !== undefined) found.set(`${prefix}${name}`, text);
    }
  }
}
