/** s3: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import type { S3Deps } from "./deps.ts";
import { operationTable } from "./operation-table.ts";

export type { S3Deps } from "./deps.ts";

export async function createS3(deps: S3Deps): Promise<{ service: Service; stop(): Promise<void> }> {
  return { service: bindService("s3", operationTable, deps), stop: async () => {} };
}
