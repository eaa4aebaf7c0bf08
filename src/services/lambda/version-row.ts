/** One version of a function as it is stored. */
import type { Configuration } from "./configuration.ts";

export type State = "Pending" | "Active" | "Failed";
export type UpdateStatus = "InProgress" | "Successful" | "Failed";

/** What invocations of a version run. */
export interface Deployed {
  /** Changes with code or configuration; names the execution environments. */
  readonly deployment: string;
  readonly configuration: Configuration;
  /** Lower-case hex; names the blob and the unpacked folder. */
  readonly codeSha256: string;
}

/** One version of a function; number 0 is $LATEST. */
export interface VersionRow extends Deployed {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly number: number;
  readonly fingerprint: string;
  readonly codeBytes: number;
  readonly unzippedBytes: number;
  readonly revision: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  readonly state: State;
  readonly stateCode: string | null;
  readonly stateReason: string | null;
  readonly updateStatus: UpdateStatus | null;
  readonly updateCode: string | null;
  readonly updateReason: string | null;
  /** What runs while an update is in progress or after it failed; null when the row itself does. */
  readonly serving: Deployed | null;
}

/** A row as the database answers it. */
export interface RawVersion {
  account: string;
  region: string;
  name: string;
  number: number;
  deployment: string;
  configuration: string;
  fingerprint: string;
  code_sha256: string;
  code_bytes: number;
  unzipped_bytes: number;
  revision: string;
  last_modified: number;
  state: State;
  state_code: string | null;
  state_reason: string | null;
  update_status: UpdateStatus | null;
  update_code: string | null;
  update_reason: string | null;
  serving: string | null;
  serving_code: string | null;
}

/** Reads the JSON columns of a row. */
export function parseVersion(row: RawVersion): VersionRow {
  return {
    account: row.account,
    region: row.region,
    name: row.name,
    number: row.number,
    deployment: row.deployment,
    configuration: JSON.parse(row.configuration) as Configuration,
    fingerprint: row.fingerprint,
    codeSha256: row.code_sha256,
    codeBytes: row.code_bytes,
    unzippedBytes: row.unzipped_bytes,
    revision: row.revision,
    lastModified: row.last_modified,
    state: row.state,
    stateCode: row.state_code,
    stateReason: row.state_reason,
    updateStatus: row.update_status,
    updateCode: row.update_code,
    updateReason: row.update_reason,
    serving: row.serving === null ? null : (JSON.parse(row.serving) as Deployed),
  };
}
