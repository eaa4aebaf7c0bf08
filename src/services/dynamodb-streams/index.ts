/** dynamodb-streams: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { authorization } from "./authorization.ts";
import type { DynamoDbStreamsDeps } from "./deps.ts";
import { operationTable } from "./operation-table.ts";

export type { DynamoDbStreamsDeps } from "./deps.ts";

export function createDynamoDbStreams(deps: DynamoDbStreamsDeps): { service: Service } {
  return { service: bindService("dynamodb-streams", operationTable, deps, authorization(deps)) };
}
