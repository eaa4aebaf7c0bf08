/** GetRuntimeManagementConfig and PutRuntimeManagementConfig: when a function gets a newer patch of its runtime. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { versionName } from "../catalogue.ts";
import type { Client, Lambda } from "../deps.ts";
import { findVersion, ownReference } from "../lookup.ts";
import { functionArn } from "../names.ts";

/** A runtime's version is the server's: every function has it as soon as the server does. */
export async function getRuntimeManagementConfig(
  lambda: Lambda,
  input: Input<Client, "GetRuntimeManagementConfig">,
  context: RequestContext,
): Promise<Output<Client, "PutRuntimeManagementConfig">> {
  const reference = ownReference(input, context);
  const { row } = await findVersion(lambda.database, reference);
  return { UpdateRuntimeOn: "Auto", FunctionArn: functionArn(reference, versionName(row.number)) };
}

/** Takes Auto, which is so. @throws NotImplemented for what would keep a function on an older version. */
export async function putRuntimeManagementConfig(
  lambda: Lambda,
  input: Input<Client, "PutRuntimeManagementConfig">,
  context: RequestContext,
): Promise<Output<Client, "PutRuntimeManagementConfig">> {
  const { UpdateRuntimeOn, RuntimeVersionArn } = input;
  if (UpdateRuntimeOn !== "Auto" || RuntimeVersionArn !== undefined)
    throw notImplemented(
      `UpdateRuntimeOn ${UpdateRuntimeOn}${RuntimeVersionArn === undefined ? "" : " with RuntimeVersionArn"} of PutRuntimeManagementConfig ` +
        "(functions have the version of their runtime that this server has)",
    );
  return getRuntimeManagementConfig(lambda, input, context);
}
