/** PartiQL statements as they have been read, parameters filled in. */
import type { Condition, Path, UpdateAction } from "../expressions/tree.ts";
import type { Attributes } from "../values/value.ts";

export interface Select {
  readonly kind: "SELECT";
  readonly table: string;
  readonly index: string | undefined;
  /** Undefined for `*`. */
  readonly paths: readonly Path[] | undefined;
  readonly where: Condition | undefined;
  readonly orderBy: readonly { readonly attribute: string; readonly isForward: boolean }[];
}

export interface Insert {
  readonly kind: "INSERT";
  readonly table: string;
  readonly item: Attributes;
  /** Whether an item that is there already is left alone, without a fault. */
  readonly doesNothingOnConflict: boolean;
}

/** What a statement returns of the item that it changed. */
export type Returning = "ALL OLD" | "MODIFIED OLD" | "ALL NEW" | "MODIFIED NEW";

export interface Update {
  readonly kind: "UPDATE";
  readonly table: string;
  readonly actions: UpdateAction[];
  readonly where: Condition | undefined;
  readonly returning: Returning | undefined;
}

export interface Delete {
  readonly kind: "DELETE";
  readonly table: string;
  readonly where: Condition | undefined;
  readonly returning: Returning | undefined;
}

/** `EXISTS (SELECT …)`: the condition of a transaction of writes. */
export interface Exists {
  readonly kind: "EXISTS";
  readonly table: string;
  readonly select: Select;
}

export type Statement = Select | Insert | Update | Delete | Exists;

const ACTIONS: Readonly<Record<Statement["kind"], string>> = {
  SELECT: "PartiQLSelect",
  EXISTS: "PartiQLSelect",
  INSERT: "PartiQLInsert",
  UPDATE: "PartiQLUpdate",
  DELETE: "PartiQLDelete",
};

/** What policies call what a statement does. */
export function statementAction({ kind }: Pick<Statement, "kind">): string {
  return ACTIONS[kind];
}

/** What a statement does to its table or index, as policies see it. */
export function statementAccess(statement: Statement): { action: string; index: string | undefined } {
  const index = statement.kind === "SELECT" ? statement.index : undefined;
  return { action: statementAction(statement), index };
}
