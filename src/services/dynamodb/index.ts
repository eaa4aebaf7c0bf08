/** dynamodb: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import type { DynamoDbDeps } from "./deps.ts";
import { operationTable } from "./operation-table.ts";

export type { DynamoDbDeps } from "./deps.ts";

export async function createDynamoDb(
  deps: DynamoDbDeps,
): Promise<{ service: Service; stop(): Promise<void> }> {
  return { service: bindService("dynamodb", operationTable, deps), stop: async () => {} };
}
