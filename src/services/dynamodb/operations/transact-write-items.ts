/** TransactWriteItems: up to 100 writes and checks, all or none. */
import type {
  ConsumedCapacity,
  ItemCollectionMetrics,
  ReturnConsumedCapacity,
  ReturnItemCollectionMetrics,
} from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { cancelFor, reasonFrom } from "../items/cancellation.ts";
import { Consumption, readUnits, writeUnits } from "../items/capacity.ts";
import { collectionMetrics } from "../items/collection-metrics.ts";
import { fingerprint } from "../items/fingerprint.ts";
import type { TransactAction } from "../items/transact-action.ts";
import { actionPlace, checkAction, outcomeOf, readAction } from "../items/transact-action.ts";
import { applyWrite, writeTogether } from "../items/write.ts";
import type { Writing } from "../items/write.ts";
import type { ItemRow, RowPlace } from "../store-items.ts";
import { getItemRow } from "../store-items.ts";
import { finishedRequest, rememberRequest } from "../store.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { itemSize } from "../values/size.ts";
import type { Attributes } from "../values/value.ts";
import type { Client } from "./client.ts";

/** How long a client token stands for its request. */
const TOKEN_MS = 10 * 60 * 1000;
/** Bytes of all items together. */
const TRANSACTION_BYTES_MAX = 4 * 1024 * 1024;

/** An action with its table and row. */
interface Step {
  readonly action: TransactAction;
  readonly table: TableDefinition;
  readonly place: RowPlace;
}

type TransactWriteInput = Input<Client, "TransactWriteItems">;

export async function transactWriteItems(
  deps: OperationDeps,
  input: TransactWriteInput,
  context: RequestContext,
): Promise<Output<Client, "TransactWriteItems">> {
  const request = {
    token: input.ClientRequestToken,
    request: fingerprint(input.TransactItems),
    wantedCapacity: input.ReturnConsumedCapacity,
    wantedMetrics: input.ReturnItemCollectionMetrics,
  };
  return writeActions(deps, (input.TransactItems ?? []).map(readAction), request, context);
}

/** What a transaction of writes is asked besides its actions. */
interface TransactRequest {
  readonly token: string | undefined;
  /** Equal for equal requests. */
  readonly request: string;
  readonly wantedCapacity: ReturnConsumedCapacity | undefined;
  readonly wantedMetrics?: ReturnItemCollectionMetrics | undefined;
}

/** Carries out all actions, or none. */
export async function writeActions(
  deps: OperationDeps,
  actions: readonly TransactAction[],
  { token, request, wantedCapacity, wantedMetrics }: TransactRequest,
  context: RequestContext,
): Promise<Output<Client, "TransactWriteItems">> {
  const steps = await findSteps(deps, actions, context);
  cancelFor(steps.map(({ table }) => reasonFrom(() => deps.throughput.admit(table, "write"))));
  const consumptions = await writeTogether(deps, async (writing) => {
    const { transaction } = writing;
    const current = new Map<TableDefinition, TableDefinition>();
    for (const table of new Set(steps.map((step) => step.table)))
      current.set(table, await deps.tables.current(transaction, table));
    const currentSteps = steps.map((step) => ({ ...step, table: current.get(step.table) ?? step.table }));
    if (token === undefined) return runWithin(deps, writing, currentSteps);
    const now = deps.clock.now();
    const finished = await finishedRequest(transaction, context, token, now);
    if (finished !== undefined) return repeat(transaction, steps, finished === request);
    const done = await runWithin(deps, writing, currentSteps);
    await rememberRequest(transaction, context, { token, request, expiresAt: now + TOKEN_MS }, now);
    return done;
  });
  for (const [i, { table }] of steps.entries())
    deps.throughput.charge(table, "write", consumptions[i] as Consumption);
  return {
    ConsumedCapacity: reportsOf(wantedCapacity, steps, consumptions),
    ItemCollectionMetrics: await metricsOf(deps, wantedMetrics, steps),
  };
}

/** Finds the tables and rows of all actions, and refuses two actions on one item. */
async function findSteps(
  deps: OperationDeps,
  actions: readonly TransactAction[],
  context: RequestContext,
): Promise<Step[]> {
  const tables: TableDefinition[] = [];
  for (const { tableName, action } of actions)
    tables.push(await deps.tables.active(tableName, context, { action }));
  const reasons = actions.map((action, i) =>
    reasonFrom(() => checkAction(action, tables[i] as TableDefinition)),
  );
  const steps: Step[] = [];
  const rows = new Set<string>();
  for (const [i, action] of actions.entries()) {
    if (reasons[i]) continue;
    const table = tables[i] as TableDefinition;
    const place = actionPlace(action, table);
    rows.add([place.owner, hex(place.partition), hex(place.position)].join("/"));
    steps.push({ action, table, place });
    if (rows.size < steps.length)
      throw invalid("Transaction request cannot include multiple operations on one item");
  }
  cancelFor(reasons);
  return steps;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** @throws AwsError TransactionCanceledException, also for actions that need more of a global index than is left */
async function runWithin(
  { throughput }: OperationDeps,
  writing: Writing,
  steps: readonly Step[],
): Promise<Consumption[]> {
  const consumptions = await run(writing, steps);
  cancelFor(
    steps.map(({ table }, i) =>
      reasonFrom(() => throughput.admitToIndexes(table, consumptions[i] as Consumption)),
    ),
  );
  return consumptions;
}

/** Decides about every action before anything is written. */
async function run(writing: Writing, steps: readonly Step[]): Promise<Consumption[]> {
  const present: (ItemRow | undefined)[] = [];
  const outcomes: (Attributes | undefined)[] = [];
  const reasons = [];
  for (const [i, { action, table, place }] of steps.entries()) {
    const row = await getItemRow(writing.transaction, place);
    present.push(row);
    reasons.push(reasonFrom(() => (outcomes[i] = outcomeOf(action, table, row?.item))));
  }
  cancelFor(reasons);
  checkTotal(outcomes);
  const consumptions: Consumption[] = [];
  for (const [i, { action, table, place }] of steps.entries()) {
    if (action.kind === "ConditionCheck") {
      const consumption = new Consumption();
      consumption.addTable(writeUnits(present[i]?.size ?? 0));
      consumptions.push(consumption.doubled());
    } else {
      const write = { table, place, needsPresent: true, next: () => outcomes[i] };
      consumptions.push((await applyWrite(writing, write)).consumption.doubled());
    }
  }
  return consumptions;
}

function checkTotal(items: readonly (Attributes | undefined)[]): void {
  const bytes = items.reduce((sum, item) => sum + (item ? itemSize(item) : 0), 0);
  if (bytes > TRANSACTION_BYTES_MAX)
    throw invalid(
      `Aggregate size of all items in the transaction has exceeded the limit of ${TRANSACTION_BYTES_MAX} bytes`,
    );
}

/** The request has been carried out already: nothing is written, and what is consumed is that of reading. */
async function repeat(
  transaction: Transaction,
  steps: readonly Step[],
  isSame: boolean,
): Promise<Consumption[]> {
  if (!isSame)
    throw new AwsError(
      "IdempotentParameterMismatchException",
      "Request parameters do not match the parameters of the previous request with the same client request token",
    );
  const consumptions: Consumption[] = [];
  for (const { place } of steps) {
    const row = await getItemRow(transaction, place);
    const consumption = new Consumption();
    consumption.addTable(readUnits(row?.size ?? 0, "transaction"));
    consumptions.push(consumption);
  }
  return consumptions;
}

function reportsOf(
  wanted: ReturnConsumedCapacity | undefined,
  steps: readonly Step[],
  consumptions: readonly Consumption[],
): ConsumedCapacity[] | undefined {
  const perTable = new Map<string, Consumption>();
  for (const [i, { action }] of steps.entries()) {
    const total = perTable.get(action.tableName) ?? new Consumption();
    total.add(consumptions[i] as Consumption);
    perTable.set(action.tableName, total);
  }
  const reports = [...perTable].map(([name, total]) => total.report(wanted, name, "write"));
  return reports.some(Boolean) ? (reports as ConsumedCapacity[]) : undefined;
}

async function metricsOf(
  deps: OperationDeps,
  wanted: ReturnItemCollectionMetrics | undefined,
  steps: readonly Step[],
): Promise<Record<string, ItemCollectionMetrics[]> | undefined> {
  if (wanted !== "SIZE") return undefined;
  const metrics: Record<string, ItemCollectionMetrics[]> = {};
  for (const { action, table } of steps) {
    if (action.kind === "ConditionCheck") continue;
    const one = await collectionMetrics(deps, table, action.attributes, "SIZE");
    if (one) (metrics[action.tableName] ??= []).push(one);
  }
  return metrics;
}
