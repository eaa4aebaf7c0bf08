/** The operations of sts that Lambent implements; everything else answers 501 by name. */
import type { OperationTable } from "../../aws/service.ts";
import type { StsDeps } from "./deps.ts";

type Client = typeof import("@aws-sdk/client-sts");

export const operationTable: OperationTable<Client, StsDeps> = {};
