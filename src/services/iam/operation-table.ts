/** The operations of iam that Lambent implements; everything else answers 501 by name. */
import type { OperationTable } from "../../aws/service.ts";
import type { IamState } from "./state.ts";

type Client = typeof import("@aws-sdk/client-iam");

export const operationTable: OperationTable<Client, IamState> = {};
