/** Runs one PartiQL write in a transaction of its own. */
import type { ReturnValuesOnConditionCheckFailure } from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../aws/errors.ts";
import { Consumption } from "../items/capacity.ts";
import { actionPlace, checkAction, outcomeOf } from "../items/transact-action.ts";
import { writeOne } from "../items/write.ts";
import type { WriteDeps } from "../items/write.ts";
import type { TableDefinition } from "../tables/definition.ts";
import type { Attributes } from "../values/value.ts";
import { DUPLICATE_ITEM } from "./faults.ts";
import { returnedItem, writeAction } from "./write-action.ts";
import type { WriteStatement } from "./write-action.ts";

export interface RanWrite {
  /** What RETURNING asks for. */
  readonly item: Attributes | undefined;
  readonly consumption: Consumption;
}

/** @throws AwsError DuplicateItemException, ConditionalCheckFailedException, ValidationException */
export async function runWrite(
  deps: WriteDeps,
  table: TableDefinition,
  statement: WriteStatement,
  returnedOnFailure: ReturnValuesOnConditionCheckFailure | undefined,
): Promise<RanWrite> {
  const action = writeAction(statement, table, returnedOnFailure);
  checkAction(action, table);
  try {
    const written = await writeOne(deps, {
      table,
      place: actionPlace(action, table),
      needsPresent: true,
      next: (present) => outcomeOf(action, table, present),
    });
    return { item: returnedItem(statement, written), consumption: written.consumption };
  } catch (error) {
    if (statement.kind !== "INSERT" || !isConditionFailure(error)) throw error;
    if (statement.doesNothingOnConflict) return { item: undefined, consumption: new Consumption() };
    throw new AwsError("DuplicateItemException", DUPLICATE_ITEM);
  }
}

function isConditionFailure(error: unknown): boolean {
  return error instanceof AwsError && error.code === "ConditionalCheckFailedException";
}
