/** Which services may write to an account's log groups: what its resource policies say. */
import { serviceConditions } from "../../aws/resource-policies.ts";
import type { Reader } from "../../store/database.ts";
import type { LogsState } from "./state.ts";
import { listPolicies } from "./store-policies.ts";

/** A service that acts for a resource. */
export interface WritingService {
  readonly service: string;
  readonly sourceArn: string;
  readonly sourceAccount: string;
}

/** What a service needs that writes to a stream which it makes. */
const ACTIONS = ["logs:CreateLogStream", "logs:PutLogEvents"];

/**
 * Whether the policies let a service make streams in a group and write to them.
 * @param groupArn Without `:*`
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
 */
export async function mayWrite(
  { policies }: Pick<LogsState, "policies">,
  reader: Reader,
  place: { readonly account: string; readonly region: string },
  groupArn: string,
  sender: WritingService,
): Promise<boolean> {
  const conditions = serviceConditions(sender);
  const documents = await listPolicies(reader, place.account, place.region);
  for (const action of ACTIONS) {
    const question = { action, resources: [`${groupArn}:log-stream:*`], conditions };
    const answers = await Promise.all(
      documents.map(({ document }) => policies.ask(document, question, { service: sender.service })),
    );
    if (answers.includes("denied") || answers.every((answer) => answer === "none")) return false;
  }
  return true;
}
