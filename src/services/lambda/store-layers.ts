/** SQL of layers and their versions. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { ReferencedCode } from "./configuration.ts";
import type { LayerId, LayerVersionId } from "./layer-names.ts";
import type { Signer } from "./signing/judge.ts";
import type { PackageSignature } from "./signing/package-signature.ts";

/** One version of a layer. */
export interface LayerVersionRow extends LayerVersionId {
  readonly description: string;
  /** Null where none was given. */
  readonly licenseInfo: string | null;
  readonly runtimes: readonly string[] | null;
  readonly architectures: readonly string[] | null;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Lower-case hex; names the blob and the unpacked folder. */
  readonly codeSha256: string;
  readonly codeBytes: number;
  readonly unzippedBytes: number;
  /** Null where the package has none. */
  readonly signature: SignedLayer | null;
  /** Where the content stays; null for what is stored here. */
  readonly s3Object: ReferencedCode | null;
  /** Changes with the version's policy. */
  readonly revision: string;
}

/** The signature in a layer's package, and whose it was when the version was published. */
export interface SignedLayer extends PackageSignature {
  readonly signer?: Signer;
}

/** What a list leaves out: versions that do not name the runtime, or the architecture. */
export interface LayerFilter {
  readonly runtime: string | undefined;
  readonly architecture: string | undefined;
}

interface RawLayerVersion {
  account: string;
  region: string;
  name: string;
  number: number;
  description: string;
  license_info: string | null;
  runtimes: string | null;
  architectures: string | null;
  created_at: number;
  code_sha256: string;
  code_bytes: number;
  unzipped_bytes: number;
  revision: string;
  signature: string | null;
  s3_object: string | null;
}

const KEY = "account = ? AND region = ? AND name = ?";
const MATCHES = "COALESCE(runtimes, '') LIKE ? AND COALESCE(architectures, '') LIKE ?";

const VERSION = sql(
  "lambda.layer-version",
  `SELECT * FROM lambda_layer_versions WHERE ${KEY} AND number = ?`,
);
const INSERT = sql(
  "lambda.insert-layer-version",
  `INSERT INTO lambda_layer_versions (account, region, name, number, description, license_info, runtimes,
   architectures, created_at, code_sha256, code_bytes, unzipped_bytes, revision, signature,
   s3_object) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const TOUCH = sql(
  "lambda.touch-layer-version",
  `UPDATE lambda_layer_versions SET revision = ? WHERE ${KEY} AND number = ?`,
);
const DELETE = sql(
  "lambda.delete-layer-version",
  `DELETE FROM lambda_layer_versions WHERE ${KEY} AND number = ?`,
);
const NEXT_NUMBER = sql(
  "lambda.next-layer-number",
  `INSERT INTO lambda_layer_counters (account, region, name, last_number) VALUES (?, ?, ?, 1)
   ON CONFLICT (account, region, name) DO UPDATE SET last_number = lambda_layer_counters.last_number + 1
   RETURNING last_number AS number`,
);
const VERSION_PAGE = sql(
  "lambda.layer-version-page",
  `SELECT * FROM lambda_layer_versions WHERE ${KEY} AND number < ? AND ${MATCHES} ORDER BY number DESC LIMIT ?`,
);
const LAYER_PAGE = sql(
  "lambda.layer-page",
  `SELECT versions.* FROM lambda_layer_versions AS versions JOIN (
     SELECT name, MAX(number) AS newest FROM lambda_layer_versions
     WHERE account = ? AND region = ? AND name > ? AND ${MATCHES} GROUP BY name ORDER BY name LIMIT ?
   ) AS layers ON layers.name = versions.name AND layers.newest = versions.number
   WHERE versions.account = ? AND versions.region = ? ORDER BY versions.name`,
);

const key = (id: LayerId) => [id.account, id.region, id.name] as const;

export async function readLayerVersion(
  reader: Reader,
  id: LayerVersionId,
): Promise<LayerVersionRow | undefined> {
  const row = await reader.get<RawLayerVersion>(VERSION, ...key(id), id.number);
  return row && parse(row);
}

export async function insertLayerVersion(tx: Transaction, row: LayerVersionRow): Promise<void> {
  await tx.run(
    INSERT,
    ...key(row),
    row.number,
    row.description,
    row.licenseInfo,
    row.runtimes && JSON.stringify(row.runtimes),
    row.architectures && JSON.stringify(row.architectures),
    row.createdAt,
    row.codeSha256,
    row.codeBytes,
    row.unzippedBytes,
    row.revision,
    row.signature && JSON.stringify(row.signature),
    row.s3Object && JSON.stringify(row.s3Object),
  );
}

/** Gives a version a new revision id, as a change of its policy does. */
export async function touchLayerVersion(
  tx: Transaction,
  id: LayerVersionId,
  revision: string,
): Promise<void> {
  await tx.run(TOUCH, revision, ...key(id), id.number);
}

export async function deleteLayerVersion(tx: Transaction, id: LayerVersionId): Promise<void> {
  await tx.run(DELETE, ...key(id), id.number);
}

/** The next version number; never one that was given before. */
export async function nextLayerNumber(tx: Transaction, id: LayerId): Promise<number> {
  const row = await tx.get<{ number: number }>(NEXT_NUMBER, ...key(id));
  if (!row) throw new Error("The counter of layer versions answered no row");
  return row.number;
}

/** Versions of a layer below a number, the newest first. */
export async function layerVersionPage(
  reader: Reader,
  id: LayerId,
  below: number,
  filter: LayerFilter,
  count: number,
): Promise<LayerVersionRow[]> {
  const rows = await reader.all<RawLayerVersion>(VERSION_PAGE, ...key(id), below, ...patterns(filter), count);
  return rows.map(parse);
}

/** The newest matching version of each layer whose name follows `after`, in order of name. */
export async function layerPage(
  reader: Reader,
  { account, region, name }: LayerId,
  filter: LayerFilter,
  count: number,
): Promise<LayerVersionRow[]> {
  const place = [account, region] as const;
  const rows = await reader.all<RawLayerVersion>(
    LAYER_PAGE,
    ...place,
    name,
    ...patterns(filter),
    count,
    ...place,
  );
  return rows.map(parse);
}

/** The lists are kept as JSON, in which a quoted name is found whole. */
function patterns({ runtime, architecture }: LayerFilter): readonly [string, string] {
  return [patternOf(runtime), patternOf(architecture)];
}

function patternOf(name: string | undefined): string {
  return name === undefined ? "%" : `%"${name}"%`;
}

function parse(row: RawLayerVersion): LayerVersionRow {
  return {
    account: row.account,
    region: row.region,
    name: row.name,
    number: row.number,
    description: row.description,
    licenseInfo: row.license_info,
    runtimes: row.runtimes === null ? null : (JSON.parse(row.runtimes) as string[]),
    architectures: row.architectures === null ? null : (JSON.parse(row.architectures) as string[]),
    createdAt: row.created_at,
    codeSha256: row.code_sha256,
    codeBytes: row.code_bytes,
    unzippedBytes: row.unzipped_bytes,
    signature: row.signature === null ? null : (JSON.parse(row.signature) as SignedLayer),
    s3Object: row.s3_object === null ? null : (JSON.parse(row.s3_object) as ReferencedCode),
    revision: row.revision,
  };
}
