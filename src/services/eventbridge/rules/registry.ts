/** What events meet on each bus, ready to be matched; remembered, since it changes rarely and every event asks for it. */
import { ALL_OPERATORS, PatternSet, compilePattern } from "../../../aws/event-pattern/index.ts";
import type { EventPattern, PatternEntry } from "../../../aws/event-pattern/index.ts";
import type { Database, Reader, Transaction } from "../../../store/database.ts";
import { noSuchBus } from "../errors.ts";
import { DEFAULT_BUS } from "../names.ts";
import type { BusId } from "../names.ts";
import { archivesOf } from "../store/archives.ts";
import { getBus, touchBus } from "../store/buses.ts";
import type { BusRow } from "../store/buses.ts";
import { getRuleById, matchingRules } from "../store/rules.ts";
import type { RuleRow } from "../store/rules.ts";
import { targetsOf, targetsOfBus } from "../store/targets.ts";
import { loadRule } from "./loaded-rule.ts";
import type { LoadedRule } from "./loaded-rule.ts";

/** Buses remembered; then all are forgotten. */
const KNOWN_MAX = 1_000;
/** How long, in milliseconds of the machine, another server's change of a bus may go unseen. AWS asks for a short time to pass. */
const STALE_MS = 1_000;
/** Changed rules of a bus that are read one by one; a bus with more is read anew. */
const CHANGED_MAX = 500;

export interface LoadedBus extends BusId {
  /** JSON, or "". */
  readonly policy: string;
  readonly rules: PatternSet<LoadedRule>;
  readonly archives: readonly LoadedArchive[];
}

/** What keeps events of a bus. */
interface LoadedArchive {
  readonly id: string;
  readonly matches: EventPattern;
}

interface Known {
  bus: LoadedBus;
  /** Of the row, with all changes of this server. */
  version: number;
  until: number;
  /** By the rule's id. */
  readonly entries: Map<string, PatternEntry<LoadedRule>>;
  /** Rules that were changed since they were read, with the number of their last change. */
  readonly changedRules: Map<string, number>;
  /** The same for the bus's policy and archives; 0 for not. */
  changedRest: number;
}

/** What of a bus a transaction changes: a rule, with its targets; or all else. */
export type BusChange = { readonly rule: string } | "rest";

export class BusRegistry {
  readonly #database: Database;
  /** Where one server alone has the database, it knows of every change. */
  readonly #keptMs: number;
  readonly #known = new Map<string, Known>();
  /** Grows with every change, so that what was read before one is not remembered after it. */
  #changes = 0;

  constructor(database: Database) {
    this.#database = database;
    this.#keptMs = database.engine === "sqlite" ? Infinity : STALE_MS;
  }

  /** Undefined where there is no such bus. @param reader A transaction, inside of one. */
  async find(id: BusId, reader: Reader = this.#database): Promise<LoadedBus | undefined> {
    const key = keyOf(id);
    const known = this.#known.get(key);
    if (known && isFresh(known)) return known.bus;
    const seen = this.#changes;
    const row = await getBus(reader, id);
    if (!row && id.name !== DEFAULT_BUS) return undefined;
    const kept = this.#known.get(key);
    if (kept && row && (await catchUp(kept, row, reader))) {
      kept.until = performance.now() + this.#keptMs;
      return kept.bus;
    }
    // It was changed while the row was read.
    const isBehind = row !== undefined && kept !== undefined && kept.version > row.version;
    if (isBehind && reader === this.#database && this.#known.get(key) === kept) return this.find(id);
    const loaded = await load(reader, id, row);
    // A transaction may see a bus as it was before what is remembered.
    const isNew = (this.#known.get(key)?.version ?? -1) <= loaded.version;
    if (seen === this.#changes && isNew)
      this.#remember(key, { ...loaded, until: performance.now() + this.#keptMs });
    return loaded.bus;
  }

  /** Asks only whether there is such a bus: its rules may be many. @throws AwsError ResourceNotFoundException */
  async require(id: BusId): Promise<void> {
    const known = this.#known.get(keyOf(id));
    if (id.name === DEFAULT_BUS || (known && known.until > performance.now())) return;
    if (!(await getBus(this.#database, id))) throw noSuchBus(id.name);
  }

  /** To be called once in every transaction that changes what events on a bus meet. */
  async changed(tx: Transaction, id: BusId, change: BusChange = "rest"): Promise<void> {
    await touchBus(tx, id);
    const version = (await getBus(tx, id))?.version;
    tx.onCommit(() => {
      this.#changes += 1;
      const known = this.#known.get(keyOf(id));
      if (!known) return;
      // Where another server has changed the bus between, or it is gone, all of it is read anew.
      if (version !== known.version + 1 || known.changedRules.size >= CHANGED_MAX) {
        this.#known.delete(keyOf(id));
        return;
      }
      known.version = version;
      if (change === "rest") known.changedRest = this.#changes;
      else known.changedRules.set(change.rule, this.#changes);
    });
  }

  #remember(key: string, known: Known): void {
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(key, known);
  }
}

function isFresh({ until, changedRules, changedRest }: Known): boolean {
  return changedRules.size === 0 && changedRest === 0 && until > performance.now();
}

async function load(reader: Reader, id: BusId, row: BusRow | undefined): Promise<Omit<Known, "until">> {
  const [rules, targets] = [await matchingRules(reader, id), await targetsOfBus(reader, id)];
  const entries = new Map(
    rules.map((rule) => [rule.rule_id, entryOf(rule, loadRule(rule, targets.get(rule.rule_id) ?? []))]),
  );
  const set = new PatternSet([...entries.values()]);
  const bus = { ...id, policy: row?.policy ?? "", rules: set, archives: await loadArchives(reader, id) };
  return { bus, version: row?.version ?? -1, entries, changedRules: new Map(), changedRest: 0 };
}

/**
 * Reads what was changed; several may do this at once. @param row Of the bus, as the reader sees it. @returns false where what is
 * remembered is of another version, or becomes one meanwhile: a transaction does not see what was changed since it began.
 */
async function catchUp(known: Known, { version, policy }: BusRow, reader: Reader): Promise<boolean> {
  if (known.version !== version) return false;
  for (let first; (first = known.changedRules.entries().next().value);) {
    const [id, change] = first;
    const row = await getRuleById(reader, id);
    const isWanted = row?.state === "ENABLED" && row.pattern !== "";
    const targets = isWanted ? await targetsOf(reader, id) : [];
    if (known.version !== version) return false;
    if (known.changedRules.get(id) !== change) continue;
    const before = known.entries.get(id);
    if (before) known.bus.rules.remove(before);
    known.entries.delete(id);
    if (isWanted) {
      const entry = entryOf(row, loadRule(row, targets), before);
      known.bus.rules.add(entry);
      known.entries.set(id, entry);
    }
    known.changedRules.delete(id);
  }
  const change = known.changedRest;
  if (change === 0) return true;
  const archives = await loadArchives(reader, known.bus);
  if (known.version !== version) return false;
  if (known.changedRest !== change) return known.changedRest === 0;
  const { account, region, name, rules } = known.bus;
  known.bus = { account, region, name, policy, rules, archives };
  known.changedRest = 0;
  return true;
}

async function loadArchives(reader: Reader, id: BusId): Promise<LoadedArchive[]> {
  return (await archivesOf(reader, id)).map(({ archive_id, pattern }) => ({
    id: archive_id,
    matches: pattern === "" ? () => true : compilePattern(pattern, { operators: ALL_OPERATORS }),
  }));
}

/** @param before What stood for the rule: its pattern may be the same. */
function entryOf(
  { pattern: text }: RuleRow,
  item: LoadedRule,
  before?: PatternEntry<LoadedRule>,
): PatternEntry<LoadedRule> {
  const matches = before?.text === text ? before.matches : compilePattern(text, { operators: ALL_OPERATORS });
  return { item, text, matches };
}

function keyOf({ account, region, name }: BusId): string {
  return `${account}/${region}/${name}`;
}
