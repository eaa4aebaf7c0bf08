/** All SQL of function URLs. */
import type { Cors } from "@aws-sdk/client-lambda";
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { FunctionId } from "./names.ts";

/** The URL of a function or of an alias of it. */
export interface UrlRow extends FunctionId {
  /** An alias; "" for the function itself. */
  readonly qualifier: string;
  /** The first part of its host name. */
  readonly urlId: string;
  readonly authType: "NONE" | "AWS_IAM";
  readonly invokeMode: "BUFFERED" | "RESPONSE_STREAM";
  /** Null where nothing is configured. */
  readonly cors: Cors | null;
  /** Epoch milliseconds, as `lastModified`. */
  readonly createdAt: number;
  readonly lastModified: number;
}

type RawUrl = Omit<UrlRow, "cors"> & { readonly cors: string | null };

const KEY = "account = ? AND region = ? AND function_name = ?";
const FIELDS = `account, region, function_name AS name, qualifier, url_id AS "urlId", auth_type AS "authType",
  invoke_mode AS "invokeMode", cors, created_at AS "createdAt", last_modified AS "lastModified"`;

const URL = sql("lambda.url", `SELECT ${FIELDS} FROM lambda_function_urls WHERE ${KEY} AND qualifier = ?`);
const URL_BY_ID = sql("lambda.url-by-id", `SELECT ${FIELDS} FROM lambda_function_urls WHERE url_id = ?`);
const URLS = sql("lambda.urls", `SELECT ${FIELDS} FROM lambda_function_urls WHERE ${KEY} ORDER BY qualifier`);
const SAVE = sql(
  "lambda.save-url",
  `INSERT INTO lambda_function_urls
   (account, region, function_name, qualifier, url_id, auth_type, invoke_mode, cors, created_at, last_modified)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (account, region, function_name, qualifier) DO UPDATE SET auth_type = excluded.auth_type,
   invoke_mode = excluded.invoke_mode, cors = excluded.cors, last_modified = excluded.last_modified`,
);
const DELETE = sql("lambda.delete-url", `DELETE FROM lambda_function_urls WHERE ${KEY} AND qualifier = ?`);
const DELETE_ALL = sql("lambda.delete-urls", `DELETE FROM lambda_function_urls WHERE ${KEY}`);

const key = (id: FunctionId) => [id.account, id.region, id.name] as const;

export async function readUrl(
  reader: Reader,
  id: FunctionId,
  qualifier: string,
): Promise<UrlRow | undefined> {
  return parse(await reader.get<RawUrl>(URL, ...key(id), qualifier));
}

export async function readUrlById(reader: Reader, urlId: string): Promise<UrlRow | undefined> {
  return parse(await reader.get<RawUrl>(URL_BY_ID, urlId));
}

/** The function's own first, then those of its aliases in order of name. */
export async function readUrls(reader: Reader, id: FunctionId): Promise<UrlRow[]> {
  return (await reader.all<RawUrl>(URLS, ...key(id))).map((row) => parse(row) as UrlRow);
}

/** Inserts or replaces one; its id stays. */
export async function saveUrl(tx: Transaction, row: UrlRow): Promise<void> {
  const { qualifier, urlId, authType, invokeMode, cors, createdAt, lastModified } = row;
  const text = cors && JSON.stringify(cors);
  await tx.run(SAVE, ...key(row), qualifier, urlId, authType, invokeMode, text, createdAt, lastModified);
}

/** Removes that of one qualifier, or all of the function's when none is named; answers how many there were. */
export function deleteUrls(tx: Transaction, id: FunctionId, qualifier?: string): Promise<number> {
  return qualifier === undefined ? tx.run(DELETE_ALL, ...key(id)) : tx.run(DELETE, ...key(id), qualifier);
}

function parse(row: RawUrl | undefined): UrlRow | undefined {
  return row && { ...row, cors: row.cors === null ? null : (JSON.parse(row.cors) as Cors) };
}
