/**
 * The JSON paths of rules' targets: `$.detail.items[0].name`, `$.detail.*`, `$['detail']`. EventBridge knows dots, indices and wildcards only.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
import { isJsonObject } from "../../../aws/event-pattern/index.ts";

/** The value that a path names; undefined for none. With a wildcard, all of them, as a list. */
export type JsonPath = (event: unknown) => unknown;

type Step = string | number | typeof ALL;
const ALL = Symbol("*");

const STEP = /\.([A-Za-z0-9_\-/]+|\*)|\[(\d+|\*)\]|\['([^']+)'\]|\["([^"]+)"\]/gy;

/** Undefined for what is no path. */
export function compileJsonPath(text: string): JsonPath | undefined {
  const steps = readSteps(text);
  if (!steps) return undefined;
  const isMany = steps.includes(ALL);
  return (event) => {
    const found = follow(event, steps, 0);
    return isMany ? (found.length === 0 ? undefined : found) : found[0];
  };
}

function readSteps(text: string): Step[] | undefined {
  if (!text.startsWith("$")) return undefined;
  const steps: Step[] = [];
  STEP.lastIndex = 1;
  while (STEP.lastIndex < text.length) {
    const match = STEP.exec(text);
    if (!match) return undefined;
    const [, name, index, quoted, doubleQuoted] = match;
    if (name === "*" || index === "*") steps.push(ALL);
    else if (index !== undefined) steps.push(Number(index));
    else steps.push(name ?? quoted ?? doubleQuoted ?? "");
  }
  return steps;
}

function follow(value: unknown, steps: readonly Step[], at: number): unknown[] {
  const step = steps[at];
  if (step === undefined) return [value];
  if (step === ALL) {
    const inner = Array.isArray(value) ? value : isJsonObject(value) ? Object.values(value) : [];
    return inner.flatMap((one) => follow(one, steps, at + 1));
  }
  if (typeof step === "number")
    return Array.isArray(value) && step < value.length ? follow(value[step], steps, at + 1) : [];
  return isJsonObject(value) && Object.hasOwn(value, step) ? follow(value[step], steps, at + 1) : [];
}
