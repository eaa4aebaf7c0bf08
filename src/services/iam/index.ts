/** iam: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import type { IamDeps } from "./deps.ts";
import { operationTable } from "./operation-table.ts";

export type { IamDeps } from "./deps.ts";

export async function createIam(deps: IamDeps): Promise<{ service: Service; stop(): Promise<void> }> {
  return { service: bindService("iam", operationTable, deps), stop: async () => {} };
}
