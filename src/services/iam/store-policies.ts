/** SQL of managed policies, their versions, inline policies and attachments. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

export interface PolicyRow {
  readonly account: string;
  readonly name_key: string;
  readonly name: string;
  readonly path: string;
  readonly policy_id: string;
  readonly description: string | null;
  readonly default_version: number;
  readonly last_version: number;
  readonly tags: string;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface PolicyVersionRow {
  readonly policy_id: string;
  readonly version: number;
  readonly document: string;
  readonly created_at: number;
}

export interface InlinePolicyRow {
  readonly name: string;
  readonly document: string;
}

export type OwnerKind = "role" | "user";

export interface AttachmentRow {
  readonly account: string;
  readonly policy_arn: string;
  readonly owner_id: string;
  readonly owner_kind: OwnerKind;
  readonly attached_at: number;
}

const POLICY = `account, name_key, name, path, policy_id, description, default_version, last_version, tags, created_at, updated_at`;
const VERSION = `policy_id, version, document, created_at`;
const ATTACHMENT = `account, policy_arn, owner_id, owner_kind, attached_at`;

const GET_POLICY = sql(
  "iam.getPolicy",
  `SELECT ${POLICY} FROM iam_policy WHERE account = ? AND name_key = ?`,
);
const LIST_POLICIES = sql(
  "iam.listPolicies",
  `SELECT ${POLICY} FROM iam_policy WHERE account = ? ORDER BY name_key`,
);
const COUNT_POLICIES = sql("iam.countPolicies", `SELECT count(*) AS n FROM iam_policy WHERE account = ?`);
const INSERT_POLICY = sql(
  "iam.insertPolicy",
  `INSERT INTO iam_policy (${POLICY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const UPDATE_POLICY = sql(
  "iam.updatePolicy",
  `UPDATE iam_policy SET default_version = ?, last_version = ?, tags = ?, updated_at = ? WHERE policy_id = ?`,
);
const DELETE_POLICY = sql("iam.deletePolicy", `DELETE FROM iam_policy WHERE policy_id = ?`);
const GET_VERSION = sql(
  "iam.getPolicyVersion",
  `SELECT ${VERSION} FROM iam_policy_version WHERE policy_id = ? AND version = ?`,
);
const LIST_VERSIONS = sql(
  "iam.listPolicyVersions",
  `SELECT ${VERSION} FROM iam_policy_version WHERE policy_id = ? ORDER BY version DESC`,
);
const INSERT_VERSION = sql(
  "iam.insertPolicyVersion",
  `INSERT INTO iam_policy_version (${VERSION}) VALUES (?, ?, ?, ?)`,
);
const DELETE_VERSION = sql(
  "iam.deletePolicyVersion",
  `DELETE FROM iam_policy_version WHERE policy_id = ? AND version = ?`,
);
const DELETE_VERSIONS = sql("iam.deletePolicyVersions", `DELETE FROM iam_policy_version WHERE policy_id = ?`);
const LIST_INLINE = sql(
  "iam.listInline",
  `SELECT name, document FROM iam_inline_policy WHERE owner_id = ? ORDER BY name`,
);
const GET_INLINE = sql(
  "iam.getInline",
  `SELECT name, document FROM iam_inline_policy WHERE owner_id = ? AND name = ?`,
);
const PUT_INLINE = sql(
  "iam.putInline",
  `INSERT INTO iam_inline_policy (owner_id, name, document) VALUES (?, ?, ?)
   ON CONFLICT (owner_id, name) DO UPDATE SET document = excluded.document`,
);
const DELETE_INLINE = sql(
  "iam.deleteInline",
  `DELETE FROM iam_inline_policy WHERE owner_id = ? AND name = ?`,
);
const LIST_ATTACHED = sql(
  "iam.listAttached",
  `SELECT ${ATTACHMENT} FROM iam_attachment WHERE owner_id = ? ORDER BY attached_at, policy_arn`,
);
const LIST_OWNERS = sql(
  "iam.listAttachmentOwners",
  `SELECT ${ATTACHMENT} FROM iam_attachment WHERE account = ? AND policy_arn = ? ORDER BY owner_id`,
);
const COUNT_OWNERS = sql(
  "iam.countAttachmentOwners",
  `SELECT policy_arn, count(*) AS n FROM iam_attachment WHERE account = ? GROUP BY policy_arn`,
);
const INSERT_ATTACHMENT = sql(
  "iam.insertAttachment",
  `INSERT INTO iam_attachment (${ATTACHMENT}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (owner_id, policy_arn) DO NOTHING`,
);
const DELETE_ATTACHMENT = sql(
  "iam.deleteAttachment",
  `DELETE FROM iam_attachment WHERE owner_id = ? AND policy_arn = ?`,
);

export function getPolicy(reader: Reader, account: string, name: string): Promise<PolicyRow | undefined> {
  return reader.get<PolicyRow>(GET_POLICY, account, name.toLowerCase());
}

export function listPolicies(reader: Reader, account: string): Promise<PolicyRow[]> {
  return reader.all<PolicyRow>(LIST_POLICIES, account);
}

export async function countPolicies(reader: Reader, account: string): Promise<number> {
  return (await reader.get<{ n: number }>(COUNT_POLICIES, account))?.n ?? 0;
}

export async function insertPolicy(tx: Transaction, policy: PolicyRow): Promise<void> {
  await tx.run(
    INSERT_POLICY,
    policy.account,
    policy.name_key,
    policy.name,
    policy.path,
    policy.policy_id,
    policy.description,
    policy.default_version,
    policy.last_version,
    policy.tags,
    policy.created_at,
    policy.updated_at,
  );
}

/** Writes what may change of a policy. */
export async function updatePolicy(tx: Transaction, policy: PolicyRow): Promise<void> {
  await tx.run(
    UPDATE_POLICY,
    policy.default_version,
    policy.last_version,
    policy.tags,
    policy.updated_at,
    policy.policy_id,
  );
}

/** Deletes a policy with all its versions. */
export async function deletePolicy(tx: Transaction, policyId: string): Promise<void> {
  await tx.run(DELETE_VERSIONS, policyId);
  await tx.run(DELETE_POLICY, policyId);
}

export function getVersion(
  reader: Reader,
  policyId: string,
  version: number,
): Promise<PolicyVersionRow | undefined> {
  return reader.get<PolicyVersionRow>(GET_VERSION, policyId, version);
}

/** Newest first. */
export function listVersions(reader: Reader, policyId: string): Promise<PolicyVersionRow[]> {
  return reader.all<PolicyVersionRow>(LIST_VERSIONS, policyId);
}

export async function insertVersion(tx: Transaction, version: PolicyVersionRow): Promise<void> {
  await tx.run(INSERT_VERSION, version.policy_id, version.version, version.document, version.created_at);
}

export async function deleteVersion(tx: Transaction, policyId: string, version: number): Promise<void> {
  await tx.run(DELETE_VERSION, policyId, version);
}

export function listInline(reader: Reader, ownerId: string): Promise<InlinePolicyRow[]> {
  return reader.all<InlinePolicyRow>(LIST_INLINE, ownerId);
}

export function getInline(
  reader: Reader,
  ownerId: string,
  name: string,
): Promise<InlinePolicyRow | undefined> {
  return reader.get<InlinePolicyRow>(GET_INLINE, ownerId, name);
}

export async function putInline(
  tx: Transaction,
  ownerId: string,
  name: string,
  document: string,
): Promise<void> {
  await tx.run(PUT_INLINE, ownerId, name, document);
}

/** Answers whether there was one. */
export async function deleteInline(tx: Transaction, ownerId: string, name: string): Promise<boolean> {
  return (await tx.run(DELETE_INLINE, ownerId, name)) > 0;
}

/** In the order in which they were attached. */
export function listAttached(reader: Reader, ownerId: string): Promise<AttachmentRow[]> {
  return reader.all<AttachmentRow>(LIST_ATTACHED, ownerId);
}

export function listAttachmentOwners(
  reader: Reader,
  account: string,
  policyArn: string,
): Promise<AttachmentRow[]> {
  return reader.all<AttachmentRow>(LIST_OWNERS, account, policyArn);
}

/** How many roles and users of the account each policy is attached to, by ARN. */
export async function attachmentCounts(reader: Reader, account: string): Promise<Map<string, number>> {
  const rows = await reader.all<{ policy_arn: string; n: number }>(COUNT_OWNERS, account);
  return new Map(rows.map((row) => [row.policy_arn, row.n]));
}

/** Attaching what is attached already changes nothing. */
export async function insertAttachment(tx: Transaction, attachment: AttachmentRow): Promise<void> {
  await tx.run(
    INSERT_ATTACHMENT,
    attachment.account,
    attachment.policy_arn,
    attachment.owner_id,
    attachment.owner_kind,
    attachment.attached_at,
  );
}

/** Answers whether there was one. */
export async function deleteAttachment(
  tx: Transaction,
  ownerId: string,
  policyArn: string,
): Promise<boolean> {
  return (await tx.run(DELETE_ATTACHMENT, ownerId, policyArn)) > 0;
}
