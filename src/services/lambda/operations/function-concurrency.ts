/** PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { checkReservation } from "../concurrency-rules.ts";
import type { Client, Lambda } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { ownReference, requireFunction } from "../lookup.ts";
import type { FunctionId } from "../names.ts";
import { readClaimed, readProvisioned, readReserved } from "../store-concurrency.ts";

/** In effect for the next invocation; what runs may finish. */
export async function putFunctionConcurrency(
  lambda: Lambda,
  input: Input<Client, "PutFunctionConcurrency">,
  context: RequestContext,
): Promise<Output<Client, "PutFunctionConcurrency">> {
  const id = wholeFunction(input.FunctionName, context);
  const wanted = input.ReservedConcurrentExecutions ?? 0;
  await lambda.database.tx(async (tx) => {
    await requireFunction(tx, id);
    const provisioned = await readProvisioned(tx, id);
    checkReservation(wanted, {
      limit: lambda.limits.concurrentExecutions,
      claimed: await readClaimed(tx, id.account, id.region),
      reserved: await readReserved(tx, id),
      provisioned: provisioned.reduce((sum, row) => sum + row.requested, 0),
    });
    await lambda.reservations.set(tx, id, wanted);
  });
  return { ReservedConcurrentExecutions: wanted };
}

export async function getFunctionConcurrency(
  lambda: Lambda,
  input: Input<Client, "GetFunctionConcurrency">,
  context: RequestContext,
): Promise<Output<Client, "GetFunctionConcurrency">> {
  const id = wholeFunction(input.FunctionName, context);
  await requireFunction(lambda.database, id);
  const reserved = await readReserved(lambda.database, id);
  return reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved };
}

export async function deleteFunctionConcurrency(
  lambda: Lambda,
  input: Input<Client, "DeleteFunctionConcurrency">,
  context: RequestContext,
): Promise<object> {
  const id = wholeFunction(input.FunctionName, context);
  await lambda.database.tx(async (tx) => {
    await requireFunction(tx, id);
    await lambda.reservations.set(tx, id, undefined);
  });
  return {};
}

/** @throws InvalidParameterValueException for a version or an alias. */
function wholeFunction(functionName: string | undefined, context: RequestContext): FunctionId {
  const { qualifier, ...id } = ownReference({ FunctionName: functionName }, context);
  if (qualifier !== undefined)
    throw invalidParameter(
      "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. " +
        "Please specify either a function name or an unqualified function ARN.",
    );
  return id;
}
