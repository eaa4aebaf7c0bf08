/** The dependencies of EventBridge: what createEventBridge is given, and what its operations work with. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database } from "../../store/database.ts";
import type { Signals } from "../../store/signals.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Sealer } from "./connections/sealed.ts";
import type { Tokens } from "./connections/tokens.ts";
import type { EventMetrics } from "./event-metrics.ts";
import type { BusRegistry } from "./rules/registry.ts";
import type { Courier, HttpCaller, ResourcePolicies, Roles } from "./ports.ts";

export type Client = typeof import("@aws-sdk/client-eventbridge");

export interface EventBridgeState {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly signals: Signals;
  readonly log: Log;
  readonly courier: Courier;
  readonly endpoints: HttpCaller;
  readonly policies: ResourcePolicies;
  readonly roles: Roles;
  /** Rules of each bus, as AWS's quota has it. */
  readonly rulesMax: number;
}

/** What every operation is called with. */
export interface EventBridge extends EventBridgeState {
  readonly buses: BusRegistry;
  readonly metrics: EventMetrics;
  /** For what connections sign in by. */
  readonly sealer: Sealer;
  readonly tokens: Tokens;
}
