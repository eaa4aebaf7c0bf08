/** The operations of dynamodb that Lambent implements; everything else answers 501 by name. */
import type { OperationTable } from "../../aws/service.ts";
import type { DynamoDbDeps } from "./deps.ts";

type Client = typeof import("@aws-sdk/client-dynamodb");

export const operationTable: OperationTable<Client, DynamoDbDeps> = {};
