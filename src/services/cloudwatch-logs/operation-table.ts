/** The operations of cloudwatch-logs that Lambent implements; everything else answers 501 by name. */
import type { OperationTable } from "../../aws/service.ts";
import type { LogsState } from "./state.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

export const operationTable: OperationTable<Client, LogsState> = {};
