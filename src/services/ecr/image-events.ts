/** Tells EventBridge of images that are pushed and deleted, in the change's transaction. https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html */
import type { Transaction } from "../../store/database.ts";
import type { Ecr } from "./deps.ts";
import type { RepositoryRow } from "./store.ts";

/** @param tag Absent for an image that has none. */
export async function tellImageAction(
  { buses }: Pick<Ecr, "buses">,
  tx: Transaction,
  { account, region, name }: RepositoryRow,
  action: "PUSH" | "DELETE",
  digest: string,
  tag?: string,
): Promise<void> {
  const detail = {
    result: "SUCCESS",
    "repository-name": name,
    "image-digest": digest,
    "action-type": action,
    ...(tag !== undefined && { "image-tag": tag }),
  };
  await buses.put(tx, {
    busArn: `arn:aws:events:${region}:${account}:event-bus/default`,
    text: JSON.stringify(detail),
    source: "aws.ecr",
    detailType: "ECR Image Action",
    resources: [],
    account,
    region,
  });
}
