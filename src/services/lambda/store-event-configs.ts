/** All SQL of the configurations of asynchronous invocation. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import { LATEST } from "./names.ts";
import type { FunctionId } from "./names.ts";

/** The configuration of one qualifier; what it does not name is null, and AWS's default holds. */
export interface EventConfigRow {
  /** `$LATEST` (the unqualified function too), a version's number, or an alias. */
  readonly qualifier: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  readonly retryAttempts: number | null;
  readonly eventAgeSeconds: number | null;
  /** ARNs of destinations. */
  readonly onSuccess: string | null;
  readonly onFailure: string | null;
}

const KEY = "account = ? AND region = ? AND function_name = ?";
const FIELDS = `qualifier, last_modified AS "lastModified", retry_attempts AS "retryAttempts",
  event_age_seconds AS "eventAgeSeconds", on_success AS "onSuccess", on_failure AS "onFailure"`;

const CONFIG = sql(
  "lambda.event-config",
  `SELECT ${FIELDS} FROM lambda_event_invoke_configs WHERE ${KEY} AND qualifier = ?`,
);
const CONFIGS = sql(
  "lambda.event-configs",
  `SELECT ${FIELDS} FROM lambda_event_invoke_configs WHERE ${KEY} ORDER BY qualifier`,
);
const SAVE = sql(
  "lambda.save-event-config",
  `INSERT INTO lambda_event_invoke_configs
   (account, region, function_name, qualifier, last_modified, retry_attempts, event_age_seconds, on_success, on_failure)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (account, region, function_name, qualifier) DO UPDATE SET last_modified = excluded.last_modified,
   retry_attempts = excluded.retry_attempts, event_age_seconds = excluded.event_age_seconds,
   on_success = excluded.on_success, on_failure = excluded.on_failure`,
);
const DELETE = sql(
  "lambda.delete-event-config",
  `DELETE FROM lambda_event_invoke_configs WHERE ${KEY} AND qualifier = ?`,
);
const DELETE_ALL = sql("lambda.delete-event-configs", `DELETE FROM lambda_event_invoke_configs WHERE ${KEY}`);

const key = (id: FunctionId) => [id.account, id.region, id.name] as const;

/** The qualifier that a configuration hangs on: the unqualified function is `$LATEST`. */
export function configQualifier(qualifier: string | undefined): string {
  return qualifier ?? LATEST;
}

export function readEventConfig(
  reader: Reader,
  id: FunctionId,
  qualifier: string,
): Promise<EventConfigRow | undefined> {
  return reader.get<EventConfigRow>(CONFIG, ...key(id), qualifier);
}

/** All of a function's configurations, by qualifier. */
export function readEventConfigs(reader: Reader, id: FunctionId): Promise<EventConfigRow[]> {
  return reader.all<EventConfigRow>(CONFIGS, ...key(id));
}

/** Inserts or replaces one. */
export async function saveEventConfig(tx: Transaction, id: FunctionId, row: EventConfigRow): Promise<void> {
  const { qualifier, lastModified, retryAttempts, eventAgeSeconds, onSuccess, onFailure } = row;
  await tx.run(
    SAVE,
    ...key(id),
    qualifier,
    lastModified,
    retryAttempts,
    eventAgeSeconds,
    onSuccess,
    onFailure,
  );
}

/** Removes that of one qualifier, or all of the function's when none is named; answers how many there were. */
export function deleteEventConfigs(tx: Transaction, id: FunctionId, qualifier?: string): Promise<number> {
  return qualifier === undefined ? tx.run(DELETE_ALL, ...key(id)) : tx.run(DELETE, ...key(id), qualifier);
}
