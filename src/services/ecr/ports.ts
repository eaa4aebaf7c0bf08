/** What ECR needs from other parts; satisfied in server/compose.ts. */
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";
import type { Transaction } from "../../store/database.ts";

export type ResourcePolicies = Pick<Policies, "fault" | "decide" | "ask">;

/** The event buses that changes of images are put on. */
export interface EventBuses {
  /** In the caller's transaction, with all that follows from it. */
  put(
    tx: Transaction,
    event: {
      readonly busArn: string;
      /** JSON: the event's detail. */
      readonly text: string;
      readonly source: "aws.ecr";
      readonly detailType: string;
      readonly resources: readonly string[];
      readonly account: string;
      readonly region: string;
    },
  ): Promise<unknown>;
}

export interface Credentials {
  /** When an access key ends, in epoch milliseconds; undefined for one that does not. */
  expiryOf(accessKeyId: string): Promise<number | undefined>;
}
