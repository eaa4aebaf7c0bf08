/** Finds tables by name or ARN, and remembers their definitions. */
import type { Clock } from "../../../kit/clock.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import { AwsError } from "../../../aws/errors.ts";
import type { RequestContext } from "../../../aws/service.ts";
import { invalid, resourceNotFound } from "../errors.ts";
import type { TablePlace } from "../store.ts";
import { findTable } from "../store.ts";
import type { ResourcePolicies } from "../ports.ts";
import { checkForeigner } from "./access.ts";
import type { TableAccess } from "./access.ts";
import type { TableDefinition } from "./definition.ts";

/** How long a definition may be out of date where other servers change tables too, in milliseconds. */
const SHARED_MAX_AGE_MS = 1000;
/** Definitions kept in memory. */
const REMEMBERED_MAX = 10_000;

const NAME_LENGTH_MIN = 3;
const NAME_LENGTH_MAX = 255;
const NAME_FORM = /^[a-zA-Z0-9_.-]+$/;
const ARN_FORM = /^arn:[^:]+:dynamodb:([^:]*):([^:]*):table\/([^/]+)$/;

interface Remembered {
  readonly table: TableDefinition;
  readonly readAt: number;
}

/** Table definitions by account, region and name. With SQLite this server alone changes them. */
export class TableRegistry {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #policies: ResourcePolicies;
  readonly #maxAgeMs: number;
  readonly #remembered = new Map<string, Remembered>();
  /** Ids of tables whose deletion has begun in this process. */
  readonly #deleted = new Set<number>();
  /** Changes that are under way, and the revision after the last one, by the table's id: of tables changed in this process. */
  readonly #changing = new Map<number, number>();
  readonly #revisions = new Map<number, number>();
  /** Grows with every change, so that what was read before one is not remembered after it. */
  #changes = 0;

  #hasPolicies = false;

  constructor(database: Database, clock: Clock, policies: ResourcePolicies) {
    this.#database = database;
    this.#clock = clock;
    this.#policies = policies;
    this.#maxAgeMs = database.engine === "sqlite" ? Infinity : SHARED_MAX_AGE_MS;
  }

  /** The table, or undefined; deleting ones too. */
  async find(place: TablePlace): Promise<TableDefinition | undefined> {
    const id = placeId(place);
    const known = this.#remembered.get(id);
    if (known && this.#clock.now() - known.readAt <= this.#maxAgeMs) return known.table;
    const changes = this.#changes;
    const table = await findTable(this.#database, place);
    if (!table || changes !== this.#changes) return table;
    if (table.policy) this.#hasPolicies = true;
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(id, { table, readAt: this.#clock.now() });
    return table;
  }

  /**
   * The table for reading and writing items. One of another account must let the caller in by its policy.
   *
   * @param access What is to be done there, where it is not the request's own action on the table itself.
   */
  async active(
    nameOrArn: string,
    context: RequestContext,
    access: Partial<TableAccess> = {},
  ): Promise<TableDefinition> {
    const place = placeAnywhere(nameOrArn, context);
    const table = await this.find(place);
    if (place.account !== context.account)
      await checkForeigner(this.#policies, place, table, { action: context.operation, ...access }, context);
    if (!table || table.isDeleting || table.restored?.isUnderWay) throw resourceNotFound();
    return table;
  }

  /** Whether there can be tables with policies at all; where not, nothing has to ask. */
  get hasPolicies(): boolean {
    return this.#hasPolicies;
  }

  /** Whether a table may have a policy: false only of one that is known to have none. */
  mayHavePolicy(place: TablePlace): boolean {
    if (!this.#hasPolicies) return false;
    const known = this.#remembered.get(placeId(place));
    return !known || this.#clock.now() - known.readAt > this.#maxAgeMs || known.table.policy !== undefined;
  }

  /** To be called when a table has been given a policy. */
  expectPolicies(): void {
    this.#hasPolicies = true;
  }

  /**
   * The definition as it is now of a table that was found before; refused when it has been deleted since. Within the
   * transaction that writes to it, so that no item is accepted into a table that is gone, or without the index or the
   * stream that it has by then.
   */
  async current(transaction: Transaction, table: TableDefinition): Promise<TableDefinition> {
    if (this.#deleted.has(table.id)) throw resourceNotFound();
    // With SQLite no other server changes tables.
    if (this.#database.engine === "sqlite" && this.#isLatest(table)) return table;
    const found = await findTable(transaction, table);
    if (found?.id !== table.id || found.isDeleting) throw resourceNotFound();
    return found;
  }

  #isLatest({ id, revision = 0 }: TableDefinition): boolean {
    return !this.#changing.has(id) && (this.#revisions.get(id) ?? 0) <= revision;
  }

  /** Changes a table's definition by `work`, which answers the new one; writes that run meanwhile look which one holds. */
  async whileChanging(
    table: TableDefinition,
    work: () => Promise<TableDefinition>,
  ): Promise<TableDefinition> {
    this.#changing.set(table.id, (this.#changing.get(table.id) ?? 0) + 1);
    try {
      const changed = await work();
      this.#revisions.set(table.id, Math.max(changed.revision ?? 0, this.#revisions.get(table.id) ?? 0));
      return changed;
    } finally {
      const others = (this.#changing.get(table.id) ?? 1) - 1;
      if (others > 0) this.#changing.set(table.id, others);
      else this.#changing.delete(table.id);
      this.forget(table);
    }
  }

  /** Deletes a table by `work`, from whose beginning on nothing is written to the table. */
  async whileDeleting<T>(table: TableDefinition, work: () => Promise<T>): Promise<T> {
    this.#deleted.add(table.id);
    try {
      return await work();
    } catch (error) {
      this.#deleted.delete(table.id);
      throw error;
    } finally {
      this.forget(table);
    }
  }

  /** To be called after every change. */
  forget(place: TablePlace): void {
    this.#changes += 1;
    this.#remembered.delete(placeId(place));
  }
}

function placeId({ account, region, name }: TablePlace): string {
  return `${account}/${region}/${name}`;
}

/** What a `TableName` member names, which must be a table of the caller's account. */
export function placeOf(
  nameOrArn: string,
  context: Pick<RequestContext, "account" | "region" | "operation">,
): TablePlace {
  const place = placeAnywhere(nameOrArn, context);
  if (place.account !== context.account)
    throw new AwsError(
      "AccessDeniedException",
      `User is not authorized to perform: dynamodb:${context.operation} on resource: ${nameOrArn} because no ` +
        "resource-based policy allows the action",
      {},
      400,
    );
  return place;
}

/** What a `TableName` member names: a table of the caller's account and region, or by ARN one of any account. */
export function placeAnywhere(
  nameOrArn: string,
  context: Pick<RequestContext, "account" | "region" | "operation">,
): TablePlace {
  if (!nameOrArn.startsWith("arn:")) {
    validateTableName(nameOrArn);
    return { account: context.account, region: context.region, name: nameOrArn };
  }
  const [, region, account, name] = ARN_FORM.exec(nameOrArn) ?? [];
  if (region === undefined || account === undefined || name === undefined || !NAME_FORM.test(name))
    throw invalid(`Invalid TableArn: Invalid ResourceArn provided as input ${nameOrArn}`);
  if (region !== context.region)
    throw invalid(`Invalid TableArn: Invalid ResourceArn provided as input ${nameOrArn}`);
  return { account, region, name };
}

/** The `TableName` of an operation on tables, which names the member when it is missing. */
export function requiredTableName(name: string | undefined): string {
  if (name === undefined)
    throw invalid("The parameter 'TableName' is required but was not present in the request");
  return name;
}

/** Checks a table's name, which the model does not, since the member takes ARNs too. */
export function validateTableName(name: string): void {
  const fault = (constraint: string) =>
    invalid(
      `1 validation error detected: Value '${name}' at 'tableName' failed to satisfy constraint: Member must ${constraint}`,
    );
  if (!NAME_FORM.test(name)) throw fault("satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  if (name.length < NAME_LENGTH_MIN) throw fault(`have length greater than or equal to ${NAME_LENGTH_MIN}`);
  if (name.length > NAME_LENGTH_MAX) throw fault(`have length less than or equal to ${NAME_LENGTH_MAX}`);
}
