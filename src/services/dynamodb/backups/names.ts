/** The names of backups. */
import type { Ids } from "../../../kit/id.ts";
import type { RequestContext } from "../../../aws/service.ts";
import { AwsError } from "../../../aws/errors.ts";
import { invalid } from "../errors.ts";
import type { BackupPlace } from "../store-backups.ts";
import { tableArn } from "../tables/definition.ts";

const FORM =
  /^arn:[^:]+:dynamodb:([^:]*):([^:]*):table\/([a-zA-Z0-9_.-]{3,255})\/backup\/([0-9]{14}-[0-9a-f]{8})$/;

/** `01489173575360-b308cd7d`: the time in milliseconds, and what tells those of one millisecond apart. */
export function newBackupId(ids: Ids, now: number): string {
  return `${String(now).padStart(14, "0")}-${ids.hex(8)}`;
}

/** `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/backup/ID`. */
export function backupArn({ account, region, tableName, backupId }: BackupPlace): string {
  return `${tableArn({ account, region, name: tableName })}/backup/${backupId}`;
}

/** What an ARN names; undefined for what is no backup's. */
export function readBackupArn(arn: string): BackupPlace | undefined {
  const [, region, account, tableName, backupId] = FORM.exec(arn) ?? [];
  if (region === undefined || account === undefined || tableName === undefined || backupId === undefined)
    return undefined;
  return { account, region, tableName, backupId };
}

/**
 * The backup a request names, which must be of the caller's account and region.
 *
 * @throws AwsError ValidationException, BackupNotFoundException
 */
export function backupPlaceOf(arn: string, { account, region }: RequestContext): BackupPlace {
  const place = readBackupArn(arn);
  if (!place) throw invalid(`The specified backup ARN is not valid: ${arn}`);
  if (place.account !== account || place.region !== region) throw backupNotFound(arn);
  return place;
}

export function backupNotFound(arn: string): AwsError {
  return new AwsError("BackupNotFoundException", `Backup not found: ${arn}`);
}
