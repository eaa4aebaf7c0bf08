/** cloudwatch-logs: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import type { CloudwatchLogsDeps } from "./deps.ts";
import { operationTable } from "./operation-table.ts";

export type { CloudwatchLogsDeps } from "./deps.ts";

export async function createCloudwatchLogs(
  deps: CloudwatchLogsDeps,
): Promise<{ service: Service; stop(): Promise<void> }> {
  return { service: bindService("cloudwatch-logs", operationTable, deps), stop: async () => {} };
}
