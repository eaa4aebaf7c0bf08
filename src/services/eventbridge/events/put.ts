/** Puts an event on a bus: to the targets of all rules that it matches, in the caller's transaction. */
import type { Transaction } from "../../../store/database.ts";
import type { EventBridge } from "../deps.ts";
import type { LoadedRule } from "../rules/loaded-rule.ts";
import type { LoadedBus } from "../rules/registry.ts";
import { addArchived } from "../store/archives.ts";
import { handOver } from "./hand-over.ts";
import type { BusEvent } from "./event.ts";

type Deps = Pick<EventBridge, "courier" | "ids" | "metrics">;

/** What an event meets on a bus. */
export interface Met {
  readonly rules: readonly LoadedRule[];
  /** Ids of the archives that keep it. */
  readonly archives: readonly string[];
}

export function whatItMeets(bus: LoadedBus, { event, replay }: BusEvent): Met {
  const matched = bus.rules.match(event);
  // What comes from an archive goes into none.
  if (!replay)
    return { rules: matched, archives: bus.archives.filter((one) => one.matches(event)).map(({ id }) => id) };
  const { ruleArns } = replay;
  const rules = ruleArns.length === 0 ? matched : matched.filter(({ arn }) => ruleArns.includes(arn));
  return { rules, archives: [] };
}

export async function putEvent(
  deps: Deps,
  tx: Transaction,
  bus: LoadedBus,
  event: BusEvent,
  { rules, archives }: Met = whatItMeets(bus, event),
): Promise<void> {
  tx.afterCommit(() =>
    deps.metrics.matched(
      bus,
      rules.map(({ name }) => name),
      rules.reduce((sum, { targets }) => sum + targets.length, 0),
    ),
  );
  for (const archive of archives)
    await addArchived(tx, archive, {
      received_at: event.receivedAt,
      entry_id: deps.ids.uuid(),
      event: event.text,
    });
  for (const rule of rules) for (const target of rule.targets) await handOver(deps, tx, rule, target, event);
}
