/** What Query and Scan answer of the page they read. */
import type { ReturnConsumedCapacity, Select } from "@aws-sdk/client-dynamodb";
import type { Path } from "../expressions/tree.ts";
import type { IndexDefinition, TableDefinition } from "../tables/definition.ts";
import type { Page } from "./page.ts";
import { selectFrom } from "./selection.ts";
import { lastEvaluatedKey } from "./start-key.ts";

interface PageInput {
  readonly TableName: string | undefined;
  readonly Select?: Select | undefined;
  readonly ReturnConsumedCapacity?: ReturnConsumedCapacity | undefined;
}

/** Items (none for COUNT), counts, the key to go on from, and the capacity consumed. */
export function pageOutput(
  input: PageInput,
  { table, index }: { readonly table: TableDefinition; readonly index: IndexDefinition | undefined },
  page: Page,
  paths: readonly Path[] | undefined,
) {
  return {
    Items: input.Select === "COUNT" ? undefined : selectFrom(page.items, paths),
    Count: page.items.length,
    ScannedCount: page.scanned,
    LastEvaluatedKey: lastEvaluatedKey(table, index, page.last),
    ConsumedCapacity: page.consumption.report(input.ReturnConsumedCapacity, input.TableName as string),
  };
}
