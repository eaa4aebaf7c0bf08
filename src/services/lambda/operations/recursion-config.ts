/** PutFunctionRecursionConfig and GetFunctionRecursionConfig: whether a function is stopped when it is called in a loop. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Lambda } from "../deps.ts";
import { unqualifiedReference } from "../lookup.ts";
import { functionNotFound } from "../names.ts";
import { readRecursiveLoop, saveRecursiveLoop } from "../store.ts";

export async function putFunctionRecursionConfig(
  lambda: Lambda,
  input: Input<Client, "PutFunctionRecursionConfig">,
  context: RequestContext,
): Promise<Output<Client, "PutFunctionRecursionConfig">> {
  const id = unqualifiedReference(input, context);
  const { RecursiveLoop = "Terminate" } = input;
  await lambda.database.tx(async (tx) => {
    if (!(await saveRecursiveLoop(tx, id, RecursiveLoop))) throw functionNotFound(id);
    lambda.catalogue.changes(tx, id);
  });
  return { RecursiveLoop };
}

export async function getFunctionRecursionConfig(
  lambda: Lambda,
  input: Input<Client, "GetFunctionRecursionConfig">,
  context: RequestContext,
): Promise<Output<Client, "GetFunctionRecursionConfig">> {
  const id = unqualifiedReference(input, context);
  const RecursiveLoop = await readRecursiveLoop(lambda.database, id);
  if (!RecursiveLoop) throw functionNotFound(id);
  return { RecursiveLoop };
}
