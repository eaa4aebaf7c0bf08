/** What a target gets for an event: the whole event, a part of it, a constant, or what a template makes of it. */
import { isJsonObject } from "../../../aws/event-pattern/index.ts";
import type { Target } from "../rules/target.ts";
import { compileJsonPath } from "./json-path.ts";
import type { JsonPath } from "./json-path.ts";
import { inputFault, parseTemplate, render } from "./template.ts";

/** An event on its way to the targets of a rule. */
export interface MatchedEvent {
  /** As `parseJson` reads it. */
  readonly event: Readonly<Record<string, unknown>>;
  /** The same as JSON. */
  readonly text: string;
  readonly ruleArn: string;
  readonly ruleName: string;
  /** When it came, in epoch milliseconds. */
  readonly receivedAt: number;
}

/** Undefined where a template makes no JSON of an event. */
export type TargetInput = (matched: MatchedEvent) => string | undefined;

/** Names that no variable of a transformer may have. */
export const RESERVED_VARIABLES: ReadonlySet<string> = new Set([
  "aws.events.rule-arn",
  "aws.events.rule-name",
  "aws.events.event.ingestion-time",
  "aws.events.event",
  "aws.events.event.json",
]);

/** Those whose values are JSON. */
const EVENT_VARIABLES: ReadonlySet<string> = new Set(["aws.events.event", "aws.events.event.json"]);

type InputOf = Pick<Target, "Input" | "InputPath" | "InputTransformer">;

/** Of a target that PutTargets has taken. */
export function compileInput({ Input, InputPath, InputTransformer }: InputOf): TargetInput {
  if (Input !== undefined) return () => Input;
  if (InputPath !== undefined) {
    const path = compileJsonPath(InputPath);
    return ({ event }) => JSON.stringify(path?.(event) ?? {});
  }
  if (InputTransformer) return compileTransformer(InputTransformer);
  return ({ text }) => text;
}

function compileTransformer(transformer: NonNullable<Target["InputTransformer"]>): TargetInput {
  const template = parseTemplate(transformer.InputTemplate);
  const paths = new Map<string, JsonPath | undefined>(
    Object.entries(transformer.InputPathsMap ?? {}).map(([name, path]) => [name, compileJsonPath(path)]),
  );
  // An event within quotes is inserted as it is, as on AWS, which breaks the JSON around it.
  const mayBreak = template.variables.some(({ name, isQuoted }) => isQuoted && EVENT_VARIABLES.has(name));
  return (matched) => {
    const made = render(template, (name) =>
      RESERVED_VARIABLES.has(name)
        ? reservedValue(name, matched)
        : { value: paths.get(name)?.(matched.event) },
    );
    return mayBreak && inputFault(made) !== undefined ? undefined : made;
  };
}

function reservedValue(
  name: string,
  { event, text, ruleArn, ruleName, receivedAt }: MatchedEvent,
): { readonly value: unknown } | { readonly json: string } {
  switch (name) {
    case "aws.events.rule-arn":
      return { value: ruleArn };
    case "aws.events.rule-name":
      return { value: ruleName };
    case "aws.events.event.ingestion-time":
      return { value: eventTime(receivedAt) };
    case "aws.events.event.json":
      return { json: text };
    default:
      return { json: JSON.stringify(withoutDetail(event)) };
  }
}

/** The members that AWS tells, by the names and in the order that it has for them here. */
function withoutDetail(event: MatchedEvent["event"]): object {
  const { id, account, "detail-type": detailType, time, source, region, resources, version } = event;
  return { id, account, detailType, time, source, region, resources, version };
}

/** `2026-11-30T01:02:03Z`, as events have times. @param ms Since the Unix epoch. */
export function eventTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The text of what a path names in an event: a partition key, a part of a URL. Undefined for what is no scalar. */
export function scalarAt(path: string, event: unknown): string | undefined {
  const value = compileJsonPath(path)?.(event);
  if (value === undefined || value === null || Array.isArray(value) || isJsonObject(value)) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
