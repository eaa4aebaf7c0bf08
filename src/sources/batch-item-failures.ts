/**
 * Answers of functions that report which items of a batch failed (FunctionResponseTypes: ReportBatchItemFailures).
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */

export type BatchAnswer<Item> =
  | { readonly outcome: "success" }
  | { readonly outcome: "partial"; readonly failed: readonly Item[] }
  /** The answer says nothing that can be understood: the whole batch has failed. */
  | { readonly outcome: "failure"; readonly why: string };

/**
 * Reads `{"batchItemFailures":[{"itemIdentifier":…}]}`. An absent, null or empty list, and an absent or null answer, mean success.
 * @param find The item that an identifier stands for; undefined for what was not in the batch.
 */
export function readBatchAnswer<Item>(
  payload: Buffer,
  find: (itemIdentifier: unknown) => Item | undefined,
): BatchAnswer<Item> {
  const text = payload.toString();
  if (text.trim() === "") return { outcome: "success" };
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return failure("the function's answer is not JSON");
  }
  // AWS takes an answer that is no object, such as null or a text, for one that reports nothing.
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) return { outcome: "success" };
  const list = (answer as { batchItemFailures?: unknown }).batchItemFailures;
  if (list === undefined || list === null) return { outcome: "success" };
  if (!Array.isArray(list)) return failure("batchItemFailures is not a list");
  return readList(list, find);
}

function readList<Item>(
  list: readonly unknown[],
  find: (itemIdentifier: unknown) => Item | undefined,
): BatchAnswer<Item> {
  if (list.length === 0) return { outcome: "success" };
  const failed = new Set<Item>();
  for (const entry of list) {
    const identifier =
      typeof entry === "object" && entry !== null
        ? (entry as { itemIdentifier?: unknown }).itemIdentifier
        : undefined;
    if (identifier === undefined) return failure("an entry of batchItemFailures has no itemIdentifier");
    if (identifier === null || identifier === "") return failure("an itemIdentifier is empty");
    const item = find(identifier);
    if (item === undefined)
      return failure(`no item of the batch has the itemIdentifier ${JSON.stringify(identifier)}`);
    failed.add(item);
  }
  return { outcome: "partial", failed: [...failed] };
}

function failure(why: string): { outcome: "failure"; why: string } {
  return { outcome: "failure", why };
}
