/** An update of one item, in either of its forms: what it does to the item, and which paths it touches. */
import type { AttributeValueUpdate } from "@aws-sdk/client-dynamodb";
import { invalidParameters } from "../errors.ts";
import { applyUpdate } from "../expressions/apply-update.ts";
import type { Path, UpdateAction } from "../expressions/tree.ts";
import { applyAttributeUpdates, readAttributeUpdates } from "../legacy/attribute-updates.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { keyAttributes } from "../tables/definition.ts";
import { exceedsNesting, nestingTooDeep } from "../values/validate.ts";
import type { Attributes } from "../values/value.ts";
import { refusePathsIntoKeys } from "./selection.ts";
import { validateIndexKeys } from "./keys.ts";
import { checkItemSize } from "./write.ts";

export interface Update {
  /** The paths that are written. */
  readonly paths: readonly Path[];
  /** Whether an item that is not there stays away: when attributes are only deleted, by the older parameter. */
  readonly createsItem: boolean;
  /** Attributes whose new values come out of a computation. */
  readonly computed: ReadonlySet<string>;
  apply(item: Attributes): Attributes;
}

/** An update written as an expression. */
export function updateByExpression(actions: readonly UpdateAction[]): Update {
  return {
    paths: actions.map(({ path }) => path),
    createsItem: true,
    computed: new Set(actions.flatMap(computedName)),
    apply: (item) => applyUpdate(item, actions),
  };
}

function computedName(action: UpdateAction): string[] {
  const isComputed = action.section === "SET" && action.operand.kind !== "value" && action.path.length === 1;
  return isComputed ? [action.path[0] as string] : [];
}

/** An update written as AttributeUpdates. */
export function updateByAttributes(members: Record<string, AttributeValueUpdate> | undefined): Update {
  const updates = readAttributeUpdates(members);
  return {
    paths: updates.map(({ name }) => [name]),
    computed: new Set(),
    createsItem: updates.length === 0 || updates.some(({ action }) => action !== "DELETE"),
    apply: (item) => applyAttributeUpdates(item, updates),
  };
}

/** Refuses an update of key attributes. */
export function checkUpdatePaths(table: TableDefinition, { paths }: Update): void {
  const names = new Set(paths.map(([name]) => name));
  for (const { name } of keyAttributes(table.key))
    if (names.has(name))
      throw invalidParameters(`Cannot update attribute ${name}. This attribute is part of the key`);
  refusePathsIntoKeys(table, paths);
}

/** The updated item, checked as a whole; undefined when there is none and none is made. */
export function updatedItem(
  table: TableDefinition,
  update: Update,
  key: Attributes,
  present: Attributes | undefined,
): Attributes | undefined {
  if (!present && !update.createsItem) return undefined;
  const item = update.apply(present ?? key);
  validateIndexKeys(table, item, update.computed);
  for (const name of Object.keys(item)) {
    const value = item[name];
    if (value && (value.M || value.L) && exceedsNesting(value)) throw nestingTooDeep();
  }
  checkItemSize(item, "Item size to update has exceeded the maximum allowed size");
  return item;
}
