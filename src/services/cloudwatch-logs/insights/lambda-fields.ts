/** The fields that CloudWatch Logs finds by itself in the lines of Lambda functions. Pure. */
import type { Value } from "./values.ts";

const MEGABYTE = 1_000_000;

interface LambdaField {
  readonly pattern: RegExp;
  /** Only REPORT lines have it. */
  readonly inReport?: true;
  readonly factor?: number;
}

const FIELDS: Readonly<Record<string, LambdaField>> = {
  "@requestId": {
    pattern: /(?:RequestId: |^(?:\[\w+\]\t)?\d{4}-\d\d-\d\dT[\d:.]+Z\t)([0-9a-f]{8}-[0-9a-f-]{27})/,
  },
  "@type": { pattern: /^(START|END|REPORT|INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT)\b/ },
  "@duration": { pattern: /\tDuration: ([\d.]+) ms/, inReport: true, factor: 1 },
  "@billedDuration": { pattern: /\tBilled Duration: ([\d.]+) ms/, inReport: true, factor: 1 },
  "@initDuration": { pattern: /\tInit Duration: ([\d.]+) ms/, inReport: true, factor: 1 },
  "@restoreDuration": { pattern: /\tRestore Duration: ([\d.]+) ms/, inReport: true, factor: 1 },
  "@memorySize": { pattern: /\tMemory Size: ([\d.]+) MB/, inReport: true, factor: MEGABYTE },
  "@maxMemoryUsed": { pattern: /\tMax Memory Used: ([\d.]+) MB/, inReport: true, factor: MEGABYTE },
  "@xrayTraceId": { pattern: /\bXRAY TraceId: (\S+)/ },
  "@xraySegmentId": { pattern: /\bSegmentId: (\S+)/ },
};

export const LAMBDA_FIELD_NAMES: readonly string[] = Object.keys(FIELDS);

/** Memory is in bytes (of 1,000 thousand to the MB, as by AWS), durations are in milliseconds. */
export function lambdaField(name: string, message: string): Value {
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (!field || (field.inReport && !message.startsWith("REPORT "))) return undefined;
  const found = field.pattern.exec(message)?.[1];
  return found !== undefined && field.factor !== undefined ? Number(found) * field.factor : found;
}
