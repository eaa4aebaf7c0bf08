/** The operations of lambda that Lambent implements; everything else answers 501 by name. */
import type { OperationTable } from "../../aws/service.ts";
import type { LambdaDeps } from "./deps.ts";

type Client = typeof import("@aws-sdk/client-lambda");

export const operationTable: OperationTable<Client, LambdaDeps> = {};
