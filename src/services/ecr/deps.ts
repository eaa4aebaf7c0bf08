/** The dependencies of ecr: what createEcr is given, and what its operations work with. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Blobs } from "../../store/blobs.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";
import type { LayerFiles } from "./layer-files.ts";
import type { Housekeeping } from "./housekeeping.ts";
import type { Credentials, EventBuses, ResourcePolicies } from "./ports.ts";

export type Client = typeof import("@aws-sdk/client-ecr");

export interface EcrDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly blobs: Blobs;
  readonly log: Log;
  /** Whether callers of the registry have to show a token. */
  readonly authentication: "off" | "on";
  /** The server's, by which an image's reference may mean its registry. */
  readonly port: number;
  readonly policies: ResourcePolicies;
  readonly credentials: Credentials;
  readonly buses: EventBuses;
}

/** What every operation is called with. */
export interface Ecr extends Omit<EcrDeps, "blobs"> {
  readonly files: LayerFiles;
  readonly housekeeping: Housekeeping;
  /** Signs tokens and download URLs; survives restarts. */
  readonly secret: string;
}
