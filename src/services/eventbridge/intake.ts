/** Takes events of other services in their transactions: the courier's, S3's notifications, Lambda's records. */
import { isJsonObject, parseJson } from "../../aws/event-pattern/index.ts";
import { serviceConditions } from "../../aws/resource-policies.ts";
import type { Transaction } from "../../store/database.ts";
import type { EventBridge } from "./deps.ts";
import { envelope, readDetail } from "./events/event.ts";
import type { BusEvent } from "./events/event.ts";
import { putEvent } from "./events/put.ts";
import { readBusArn } from "./names.ts";
import type { LoadedBus } from "./rules/registry.ts";

/** A service for a resource of an account, or what acts for a role. */
export type EventSender =
  | { readonly service: string; readonly sourceArn: string; readonly sourceAccount: string }
  | { readonly roleArn: string };

export interface IntakeEvent {
  readonly busArn: string;
  /** JSON: the detail, an object; or with `whole` a whole event, which has been on another bus and goes to no third one. */
  readonly text: string;
  readonly whole?: boolean;
  readonly source: string;
  readonly detailType: string;
  readonly resources: readonly string[];
  /** Where it comes from. */
  readonly account: string;
  readonly region: string;
  /** X-Amzn-Trace-Id */
  readonly traceHeader?: string;
}

export interface EventIntake {
  /**
   * Whether the bus exists and the sender may put such an event: a role by its own policies and the bus's, a service for a resource of the bus's
   * own account, or of another by the bus's policy.
   */
  check(
    busArn: string,
    sender: EventSender,
    event: { readonly source: string; readonly detailType: string },
    tx?: Transaction,
  ): Promise<"ok" | "missing" | "denied">;
  /** Puts an event, with all that follows from it, in the caller's transaction. Permission is not asked again: that is `check`'s. */
  put(tx: Transaction, event: IntakeEvent): Promise<"put" | "missing" | "invalid">;
}

export function createIntake(eventBridge: EventBridge): EventIntake {
  const { buses, clock, ids } = eventBridge;
  return {
    async check(busArn, sender, event, tx) {
      const id = readBusArn(busArn);
      const bus = id && (await buses.find(id, tx));
      if (!bus) return "missing";
      return (await mayPut(eventBridge, bus, busArn, sender, event)) ? "ok" : "denied";
    },
    async put(tx, { busArn, text, whole = false, traceHeader, ...facts }) {
      const id = readBusArn(busArn);
      const bus = id && (await buses.find(id, tx));
      if (!bus) return "missing";
      const receivedAt = clock.now();
      const common = { receivedAt, ...(traceHeader !== undefined && { traceHeader }) };
      if (whole) {
        const event = parseJson(text);
        if (!isJsonObject(event)) return "invalid";
        await putEvent(eventBridge, tx, bus, { event, text, isForwarded: true, ...common });
        return "put";
      }
      const detail = readDetail(text);
      if (!detail) return "invalid";
      const event: BusEvent = {
        ...envelope({ id: ids.uuid(), detail, time: receivedAt, ...facts }),
        ...common,
      };
      await putEvent(eventBridge, tx, bus, event);
      return "put";
    },
  };
}

const ACTION = "events:PutEvents";

async function mayPut(
  { policies, roles }: Pick<EventBridge, "policies" | "roles">,
  { account, policy }: LoadedBus,
  busArn: string,
  sender: EventSender,
  { source, detailType }: { readonly source: string; readonly detailType: string },
): Promise<boolean> {
  const conditions = { "events:source": source, "events:detail-type": detailType };
  const ask = (facts: Readonly<Record<string, string>>, caller: Parameters<typeof policies.ask>[2]) =>
    policy === ""
      ? "none"
      : policies.ask(
          policy,
          { action: ACTION, resources: [busArn], conditions: { ...conditions, ...facts } },
          caller,
        );
  if ("service" in sender) {
    const { service, sourceAccount } = sender;
    const said = await ask(serviceConditions(sender), { service });
    // A service puts its account's events without being let in.
    return said !== "denied" && (said !== "none" || sourceAccount === account);
  }
  const owner = sender.roleArn.split(":")[4] ?? "";
  const said = await ask({}, { account: owner, arn: sender.roleArn });
  if (said === "denied") return false;
  if (owner === account && said === "principal") return true;
  return (owner === account || said !== "none") && (await roles.allows(sender.roleArn, ACTION, busArn));
}
