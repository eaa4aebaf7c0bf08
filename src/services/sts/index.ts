/** sts: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { authorization } from "./authorization.ts";
import type { StsDeps } from "./deps.ts";
import { operationTable } from "./operation-table.ts";

export type { StsDeps } from "./deps.ts";

export async function createSts(deps: StsDeps): Promise<{ service: Service; stop(): Promise<void> }> {
  return { service: bindService("sts", operationTable, deps, authorization), stop: async () => {} };
}
