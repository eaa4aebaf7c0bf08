/** Batch requests: their own errors, and those of single entries. */
import { AwsError } from "../../../aws/errors.ts";
import { BATCH_ENTRIES_MAX, BATCH_ID_CHARS_MAX } from "../limits.ts";
import { missingParameter } from "../errors.ts";

interface Entry {
  readonly Id?: string | undefined;
}

export interface FailedEntry {
  readonly Id: string;
  readonly SenderFault: boolean;
  readonly Code: string;
  readonly Message: string;
}

const ID = new RegExp(`^[A-Za-z0-9_-]{1,${BATCH_ID_CHARS_MAX}}$`);

/**
 * @param entryName As it is called in the request: `SendMessageBatchRequestEntry`
 * @throws AwsError EmptyBatchRequest, TooManyEntriesInBatchRequest, InvalidBatchEntryId, BatchEntryIdsNotDistinct
 */
export function checkEntries<E extends Entry>(
  entries: readonly E[] | undefined,
  entryName: string,
): (E & { readonly Id: string })[] {
  if (!entries || entries.length === 0)
    throw new AwsError("EmptyBatchRequest", `There should be at least one ${entryName} in the request.`);
  if (entries.length > BATCH_ENTRIES_MAX)
    throw new AwsError(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are ${BATCH_ENTRIES_MAX}. You have sent ${entries.length}.`,
    );
  const seen = new Set<string>();
  return entries.map((entry, i) => {
    const { Id } = entry;
    if (Id === undefined) throw missingParameter(`${entryName}.${i + 1}.Id`);
    if (!ID.test(Id))
      throw new AwsError(
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
      );
    if (seen.has(Id)) throw new AwsError("BatchEntryIdsNotDistinct", `Id ${Id} repeated.`);
    seen.add(Id);
    return { ...entry, Id };
  });
}

/** An entry that failed, while others may not have. @throws what is no error of the request's */
export function failedEntry(Id: string, error: unknown): FailedEntry {
  if (!(error instanceof AwsError)) throw error;
  return {
    Id,
    SenderFault: (error.status ?? 400) < 500,
    Code: entryCode(error.code),
    Message: error.message,
  };
}

/** In batches AWS tells the codes of the query protocol. */
function entryCode(code: string): string {
  return ENTRY_CODES[code] ?? code;
}

const ENTRY_CODES: Readonly<Record<string, string>> = {
  InvalidParameterValueException: "InvalidParameterValue",
  MissingRequiredParameterException: "MissingParameter",
  MessageNotInflight: "AWS.SimpleQueueService.MessageNotInflight",
};
