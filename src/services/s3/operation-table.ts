/** The operations of s3 that Lambent implements; everything else answers 501 by name. */
import type { OperationTable } from "../../aws/service.ts";
import type { S3Deps } from "./deps.ts";

type Client = typeof import("@aws-sdk/client-s3");

export const operationTable: OperationTable<Client, S3Deps> = {};
