/** The dependencies of sns: what createSns is given, and what its operations work with. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Publisher } from "./messages/publisher.ts";
import type { Courier, Endpoints, ResourcePolicies, Roles } from "./ports.ts";
import type { Signer } from "./signing/signer.ts";
import type { TopicRegistry } from "./topics/registry.ts";

export type Client = typeof import("@aws-sdk/client-sns");

export interface SnsDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly policies: ResourcePolicies;
  readonly roles: Roles;
  readonly courier: Courier;
  readonly endpoints: Endpoints;
}

/** What every operation is called with. */
export interface Sns extends SnsDeps {
  readonly topics: TopicRegistry;
  readonly signer: Signer;
  readonly publisher: Publisher;
}
