/** The operations of cloudwatch-logs that Lambent implements; everything else answers 501 by name. */
import type { OperationTable } from "../../aws/service.ts";
import type { CloudwatchLogsDeps } from "./deps.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

export const operationTable: OperationTable<Client, CloudwatchLogsDeps> = {};
