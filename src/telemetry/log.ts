/** The server's own log: one JSON object a line on stderr, quiet unless something matters. */
export type LogLevel = "debug" | "info" | "warn" | "error";

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** A log that writes lines of at least `level` through `write`. Errors among the fields become their stack. */
export function createLog(
  level: LogLevel,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Log {
  const at =
    (lineLevel: LogLevel) =>
    (message: string, fields: Record<string, unknown> = {}) => {
      if (RANK[lineLevel] < RANK[level]) return;
      const plain = Object.fromEntries(
        Object.entries(fields).map(([key, value]) => [key, plainValue(value)]),
      );
      write(`${JSON.stringify({ time: new Date().toISOString(), level: lineLevel, message, ...plain })}\n`);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function plainValue(value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value;
}
