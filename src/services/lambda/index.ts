/** lambda: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import type { LambdaDeps } from "./deps.ts";
import { operationTable } from "./operation-table.ts";

export type { LambdaDeps } from "./deps.ts";

export async function createLambda(deps: LambdaDeps): Promise<{ service: Service; stop(): Promise<void> }> {
  return { service: bindService("lambda", operationTable, deps), stop: async () => {} };
}
