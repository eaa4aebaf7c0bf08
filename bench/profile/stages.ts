/** The stages of a warm invocation, and which of our source files and of Node's belong to which. */
import type { Frame, Sample } from "./cpu-profile.ts";

export const STAGES = [
  { name: "parse", what: "HTTP request to operation input" },
  { name: "authenticate", what: "SigV4 verified" },
  { name: "route", what: "service, operation, function version, permission" },
  { name: "admit", what: "invocation rules, concurrency, choice of environment" },
  { name: "dispatch", what: "frame to the runtime built, deadline set" },
  { name: "wake", what: "write system call that wakes the function's process" },
  { name: "run", what: "the sandboxes: bootstrap and handler" },
  { name: "answer", what: "frame from the runtime to HTTP response, written" },
  { name: "log", what: "START, END, REPORT and the function's lines, stored" },
  { name: "collect", what: "garbage" },
  { name: "other", what: "event loop, timers, what no rule names" },
] as const;

export type Stage = (typeof STAGES)[number]["name"];

/** Matched against `file function`, the innermost frame of a sample first: the first frame that a rule names decides. */
const RULES: readonly (readonly [Stage, RegExp])[] = [
  ["collect", /^ \(garbage collector\)$/],
  ["log", /^src\/(invoke\/log|services\/cloudwatch-logs|services\/lambda\/invoke-ports|store|telemetry)/],
  ["log", /^src\/sandbox\/.*(peak|measure)/i],
  ["authenticate", /^src\/aws\/auth/],
  ["route", /^src\/(aws\/(route|catalogue|authorization|model|patches)|services\/iam)/],
  ["route", /^src\/services\/lambda\/(catalogue|names|lookup|store|policy|alias)/],
  ["answer", /^src\/aws\/http\/write/],
  ["answer", /^src\/aws\/protocol\/\S+ (write|encode)/],
  ["answer", /^src\/aws\/service\.ts /],
  ["answer", /^node:_http_outgoing|^node:_http_server (resOnFinish|emitCloseNT|ServerResponse)/],
  ["answer", /^src\/invoke\/\S+ (#?read|#?receive|#?take|push|judge|#hear|#finish)/],
  ["answer", /^node:internal\/(abort_controller|per_context\/domexception)/],
  ["dispatch", /^src\/invoke\/(frame|runtime-process|runtime-channel|runtime-api)/],
  ["dispatch", /^src\/invoke\/environment\S* (#run|#handOver|deliver|thaw)/],
  ["admit", /^src\/(invoke|services\/lambda)\//],
  ["parse", /^src\/(aws\/(http|protocol|validation)|server)/],
  ["parse", /^node:(_http_common|_http_server|_http_incoming|internal\/http)/],
];

/** Native functions by which a stream is written: below the frames to a runtime they are the waking of it. */
const SOCKET_WRITE = /^(write(v|Buffer|Utf8String|Latin1String|AsciiString)|req\.async)$/;

/** Microseconds of each stage and of each function in it. */
export interface StageTimes {
  readonly us: Map<Stage, number>;
  /** `stage` → `function file:line` → microseconds on the CPU itself, natives under the function that called them. */
  readonly functions: Map<Stage, Map<string, number>>;
}

export function attribute(samples: readonly Sample[]): StageTimes {
  const times: StageTimes = { us: new Map(), functions: new Map() };
  for (const { us, stack } of samples) {
    const stage = stageOf(stack);
    times.us.set(stage, (times.us.get(stage) ?? 0) + us);
    const functions = times.functions.get(stage) ?? new Map<string, number>();
    times.functions.set(stage, functions);
    const label = labelOf(stack);
    functions.set(label, (functions.get(label) ?? 0) + us);
  }
  return times;
}

function stageOf(stack: readonly Frame[]): Stage {
  const stage = firstMatch(stack);
  return stage === "dispatch" && SOCKET_WRITE.test(stack[0]?.name ?? "") ? "wake" : stage;
}

function firstMatch(stack: readonly Frame[]): Stage {
  for (const { file, name } of stack) {
    const text = `${file} ${name}`;
    for (const [stage, rule] of RULES) if (rule.test(text)) return stage;
  }
  return "other";
}

/** The innermost function of ours, after the native or Node function that it was in. */
function labelOf(stack: readonly Frame[]): string {
  const [leaf] = stack;
  const ours = stack.find(({ file }) => file.startsWith("src/"));
  if (leaf === undefined) return "(root)";
  if (ours === undefined || ours === leaf) return `${leaf.name} ${leaf.file}:${leaf.line}`;
  return `${leaf.name} ← ${ours.name} ${ours.file}:${ours.line}`;
}
