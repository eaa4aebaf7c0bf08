/** Who sent a message, as its SenderId tells it. */
import type { Principal } from "../../../aws/service.ts";

/** Another service, for a resource of an account, or what acts for a role. */
export type QueueSender =
  | { readonly service: string; readonly sourceArn: string; readonly sourceAccount: string }
  | { readonly roleArn: string };

/** An IAM user's id, a role's id with the session's name, an account's number for its root. */
export function senderId({ type, userId, account }: Principal): string {
  return type === "anonymous" ? "anonymous" : userId || account;
}

export function serviceSenderId(sender: QueueSender): string {
  return "service" in sender ? sender.service : sender.roleArn;
}
