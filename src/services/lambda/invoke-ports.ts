/** What the data path needs of roles and logs: credentials of execution roles, and log lines where the role may write them. */
import type { Clock } from "../../kit/clock.ts";
import type { FunctionVersion, InvokePorts, LogLine } from "../../invoke/index.ts";
import type { Log } from "../../telemetry/log.ts";
import { accessDenied } from "./errors.ts";
import type { FunctionLogs, Roles } from "./ports.ts";

/** Lambda's sessions outlive every execution environment's usual life. */
const SESSION_SECONDS = 12 * 3_600;
/** How long a role's answer about logging is believed. */
const PERMISSION_AGE_MS_MAX = 30_000;
const PERMISSIONS_MAX = 10_000;
/** Lines of one stream that are written together at most: the event loop is held for a moment for each. */
const LINES_TOGETHER_MAX = 10_000;
/** What a line takes in memory besides its text, in bytes. */
const LINE_OVERHEAD_BYTES = 100;

interface Deps {
  readonly roles: Roles;
  readonly logs: FunctionLogs;
  readonly clock: Clock;
  readonly log: Log;
}

interface Permission {
  readonly until: number;
  readonly allowed: Promise<boolean>;
}

interface Stream {
  lines: LogLine[];
  traceHeader: string | undefined;
  writing: Promise<void> | undefined;
}

/** The ports of the invoker, with `flush`, which resolves when every line given so far is kept or dropped. */
export function createInvokePorts(deps: Deps): InvokePorts & { flush(): Promise<void> } {
  const permissions = new Map<string, Permission>();
  const streams = new Map<string, Stream>();
  let bytesWaiting = 0;

  const write = async (key: string, version: FunctionVersion, logStream: string, stream: Stream) => {
    while (stream.lines.length > 0) {
      const lines = stream.lines.splice(0, LINES_TOGETHER_MAX);
      try {
        if (await mayLog(deps, permissions, version, logStream))
          await deps.logs.append(
            version.account,
            version.region,
            version.logGroup,
            logStream,
            lines,
            stream.traceHeader,
          );
      } catch (error) {
        deps.log.warn("A function's log lines were lost", { function: version.functionArn, error });
      }
      bytesWaiting -= bytesOf(lines);
    }
    // In the same breath as the look at the empty list, so that no line falls between.
    streams.delete(key);
  };

  return {
    async credentials({ roleArn }, sessionName) {
      if (!(await deps.roles.canBeAssumedBy(roleArn, "lambda.amazonaws.com")))
        throw accessDenied("The role defined for the function cannot be assumed by Lambda.");
      return deps.roles.session(roleArn, sessionName, SESSION_SECONDS);
    },
    writeLogs(version, logStream, lines, traceHeader) {
      const key = `${version.account} ${version.region} ${version.logGroup} ${logStream}`;
      const stream = streams.get(key) ?? { lines: [], traceHeader, writing: undefined };
      streams.set(key, stream);
      stream.traceHeader = traceHeader;
      for (const line of lines) stream.lines.push(line);
      bytesWaiting += bytesOf(lines);
      stream.writing ??= write(key, version, logStream, stream);
    },
    logBytesWaiting: () => bytesWaiting,
    async flush() {
      while (streams.size > 0) await Promise.all([...streams.values()].map(async (stream) => stream.writing));
    },
  };
}

function bytesOf(lines: readonly LogLine[]): number {
  return lines.reduce((sum, { message }) => sum + message.length + LINE_OVERHEAD_BYTES, 0);
}

/**
 * A role without the logs permissions writes no logs, and nobody is told: as on AWS. A group that is there already needs
 * no logs:CreateLogGroup. The resources are the ones that
 * AWS asks for, so that `log-group:NAME:*` in a policy covers all of them.
 */
function mayLog(
  { roles, logs, clock }: Deps,
  permissions: Map<string, Permission>,
  version: FunctionVersion,
  logStream: string,
): Promise<boolean> {
  const key = `${version.roleArn} ${version.account} ${version.region} ${version.logGroup}`;
  const now = clock.now();
  const known = permissions.get(key);
  if (known && known.until > now) return known.allowed;
  const streams = `arn:aws:logs:${version.region}:${version.account}:log-group:${version.logGroup}:log-stream:`;
  const allowed = Promise.all([
    roles
      .allows(version.roleArn, "logs:CreateLogGroup", streams)
      .then((may) => may || logs.groupExists(version.account, version.region, version.logGroup)),
    roles.allows(version.roleArn, "logs:CreateLogStream", streams),
    roles.allows(version.roleArn, "logs:PutLogEvents", `${streams}${logStream}`),
  ]).then((answers) => answers.every(Boolean));
  if (permissions.size >= PERMISSIONS_MAX) permissions.clear();
  permissions.set(key, { until: now + PERMISSION_AGE_MS_MAX, allowed });
  allowed.catch(() => permissions.delete(key));
  return allowed;
}
