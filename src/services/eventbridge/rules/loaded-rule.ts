/** A rule with its targets, ready to hand events over. */
import { deliveryMetrics } from "../event-metrics.ts";
import { compileInput } from "../input/input.ts";
import type { TargetInput } from "../input/input.ts";
import { ruleArn } from "../names.ts";
import type { BusId } from "../names.ts";
import type { ParcelMetrics } from "../../../aws/parcel.ts";
import type { RuleRow } from "../store/rules.ts";
import type { Target } from "./target.ts";

export interface LoadedTarget {
  readonly target: Target;
  readonly input: TargetInput;
}

export interface LoadedRule {
  readonly id: string;
  readonly arn: string;
  readonly name: string;
  readonly bus: BusId;
  /** Of the rule, for targets that name none of their own; "" for none. */
  readonly roleArn: string;
  readonly targets: readonly LoadedTarget[];
  /** Under which its invocations are counted. */
  readonly metrics: ParcelMetrics;
}

export function loadRule(row: RuleRow, targets: readonly Target[]): LoadedRule {
  const bus = { account: row.account, region: row.region, name: row.bus };
  return {
    id: row.rule_id,
    arn: ruleArn(bus, row.name),
    name: row.name,
    bus,
    roleArn: row.role_arn,
    targets: targets.map((target) => ({ target, input: compileInput(target) })),
    metrics: deliveryMetrics(bus, row.name),
  };
}
