/** Functions of maps and lists, and of the JSON that they are written in. Pure. */
import { Json, Stamp, fromJson, plainText, toText } from "../values.ts";
import type { Value } from "../values.ts";
import { textual } from "./scalar.ts";
import type { Functions } from "./scalar.ts";

export const JSON_FUNCTIONS: Functions = {
  jsonparse: textual(jsonOf),
  jsonstringify: {
    arguments: [1, 1],
    apply: ([value]) => (value instanceof Json ? toText(value) : quote(value)),
  },
  jsonarraysize: { arguments: [1, 1], apply: ([value]) => listOf(value)?.length },
  jsonarraycontains: {
    arguments: [2, 2],
    apply: ([value, wanted]) => {
      const text = plainText(wanted);
      return Number(listOf(value)?.some((item) => plainText(fromJson(item)) === text) === true);
    },
  },
};

/** A map or list, or what a text is one of in JSON; nothing for what is none. */
export function jsonOf(value: Value): Json | undefined {
  const json = typeof value === "string" ? fromJsonText(value) : value;
  return json instanceof Json ? json : undefined;
}

function fromJsonText(text: string): Value {
  try {
    return fromJson(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A list, or a text that is one in JSON. */
function listOf(value: Value): readonly unknown[] | undefined {
  const list = jsonOf(value)?.value;
  return Array.isArray(list) ? list : undefined;
}

function quote(value: Value): Value {
  return value === undefined ? undefined : JSON.stringify(value instanceof Stamp ? value.at : value);
}
