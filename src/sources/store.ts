/** All SQL of event source mappings. */
import { sql } from "../store/database.ts";
import type { Reader, Transaction } from "../store/database.ts";
import type { Mapping, MappingSettings, MappingState } from "./mapping.ts";

interface Row extends Omit<Mapping, "settings" | "tags" | "isEnabled" | "eventSourceArn" | "lastResult"> {
  readonly settings: string;
  readonly tags: string;
  readonly isEnabled: number;
  readonly eventSourceArn: string | null;
  readonly lastResult: string | null;
}

const FIELDS = `uuid, account, region, function_arn AS "functionArn", kind, source_key AS "sourceKey",
  event_source_arn AS "eventSourceArn", settings, is_enabled AS "isEnabled", state, reason,
  last_modified AS "lastModified", last_result AS "lastResult", tags, revision`;
const INSERT = sql(
  "sources.insert",
  `INSERT INTO source_mappings (uuid, account, region, function_arn, kind, source_key, event_source_arn, settings, is_enabled,
   state, reason, last_modified, last_result, tags, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const UPDATE = sql(
  "sources.update",
  `UPDATE source_mappings SET function_arn = ?, settings = ?, is_enabled = ?, state = ?, reason = ?, last_modified = ?,
   revision = ? WHERE uuid = ?`,
);
const SETTLE = sql(
  "sources.settle",
  "UPDATE source_mappings SET state = ?, last_modified = ? WHERE uuid = ? AND revision = ? AND state = ?",
);
const SAVE_RESULT = sql("sources.save-result", "UPDATE source_mappings SET last_result = ? WHERE uuid = ?");
const SAVE_TAGS = sql("sources.save-tags", "UPDATE source_mappings SET tags = ? WHERE uuid = ?");
const DELETE = sql("sources.delete", "DELETE FROM source_mappings WHERE uuid = ?");
const ONE = sql(
  "sources.one",
  `SELECT ${FIELDS} FROM source_mappings WHERE account = ? AND region = ? AND uuid = ?`,
);
const ALL = sql("sources.all", `SELECT ${FIELDS} FROM source_mappings`);
const DUPLICATE = sql(
  "sources.duplicate",
  `SELECT ${FIELDS} FROM source_mappings WHERE function_arn = ? AND kind = ? AND source_key = ?`,
);
// An empty text stands for any function or source.
const PAGE = sql(
  "sources.page",
  `SELECT ${FIELDS} FROM source_mappings WHERE account = ? AND region = ? AND uuid > ?
   AND (? = '' OR function_arn = ?) AND (? = '' OR event_source_arn = ?) ORDER BY uuid LIMIT ?`,
);

interface Here {
  readonly account: string;
  readonly region: string;
}

export async function insertMapping(tx: Transaction, mapping: Mapping): Promise<void> {
  await tx.run(
    INSERT,
    mapping.uuid,
    mapping.account,
    mapping.region,
    mapping.functionArn,
    mapping.kind,
    mapping.sourceKey,
    mapping.eventSourceArn ?? null,
    JSON.stringify(mapping.settings),
    mapping.isEnabled ? 1 : 0,
    mapping.state,
    mapping.reason,
    mapping.lastModified,
    mapping.lastResult ?? null,
    JSON.stringify(mapping.tags),
    mapping.revision,
  );
}

export async function updateMapping(tx: Transaction, mapping: Mapping): Promise<void> {
  await tx.run(
    UPDATE,
    mapping.functionArn,
    JSON.stringify(mapping.settings),
    mapping.isEnabled ? 1 : 0,
    mapping.state,
    mapping.reason,
    mapping.lastModified,
    mapping.revision,
    mapping.uuid,
  );
}

/** Ends a transition, unless the mapping has been changed since it was read. */
export async function settleMapping(
  tx: Transaction,
  { uuid, revision, state }: Mapping,
  settled: MappingState,
  at: number,
): Promise<void> {
  await tx.run(SETTLE, settled, at, uuid, revision, state);
}

export async function saveResult(tx: Transaction, uuid: string, result: string): Promise<void> {
  await tx.run(SAVE_RESULT, result, uuid);
}

export async function saveMappingTags(
  tx: Transaction,
  uuid: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  await tx.run(SAVE_TAGS, JSON.stringify(tags), uuid);
}

export async function deleteMapping(tx: Transaction, uuid: string): Promise<void> {
  await tx.run(DELETE, uuid);
}

export async function readMapping(reader: Reader, here: Here, uuid: string): Promise<Mapping | undefined> {
  const row = await reader.get<Row>(ONE, here.account, here.region, uuid);
  return row && fromRow(row);
}

/** Of all accounts. */
export async function readMappings(reader: Reader): Promise<Mapping[]> {
  return (await reader.all<Row>(ALL)).map(fromRow);
}

/** The mapping of the same function to the same source. */
export async function readDuplicate(
  reader: Reader,
  { functionArn, kind, sourceKey }: Pick<Mapping, "functionArn" | "kind" | "sourceKey">,
): Promise<Mapping | undefined> {
  const row = await reader.get<Row>(DUPLICATE, functionArn, kind, sourceKey);
  return row && fromRow(row);
}

/** By UUID, after one. */
export async function readPage(
  reader: Reader,
  here: Here,
  {
    functionArn = "",
    eventSourceArn = "",
    after,
    limit,
  }: {
    readonly functionArn?: string | undefined;
    readonly eventSourceArn?: string | undefined;
    readonly after: string;
    readonly limit: number;
  },
): Promise<Mapping[]> {
  const { account, region } = here;
  const by = [functionArn, functionArn, eventSourceArn, eventSourceArn];
  return (await reader.all<Row>(PAGE, account, region, after, ...by, limit)).map(fromRow);
}

function fromRow({ settings, tags, isEnabled, eventSourceArn, lastResult, ...row }: Row): Mapping {
  return {
    ...row,
    settings: JSON.parse(settings) as MappingSettings,
    tags: JSON.parse(tags) as Record<string, string>,
    isEnabled: isEnabled === 1,
    eventSourceArn: eventSourceArn ?? undefined,
    lastResult: lastResult ?? undefined,
  };
}
