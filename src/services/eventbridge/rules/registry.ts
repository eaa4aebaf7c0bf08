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
import { matchingRules } from "../store/rules.ts";
import type { RuleRow } from "../store/rules.ts";
import { targetsOfBus } from "../store/targets.ts";
import { loadRule } from "./loaded-rule.ts";
import type { LoadedRule } from "./loaded-rule.ts";

/** Buses remembered; then all are forgotten. */
const KNOWN_MAX = 1_000;
/** How long, in milliseconds of the machine, another server's change of a bus may go unseen. AWS asks for a short time to pass. */
const STALE_MS = 1_000;

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
  readonly bus: LoadedBus;
  readonly version: number;
  readonly until: number;
}

/** A rule's pattern, compiled; by the rule's id. */
type Compiled = Map<string, PatternEntry<LoadedRule>>;

export class BusRegistry {
  readonly #database: Database;
  /** Where one server alone has the database, it knows of every change. */
  readonly #keptMs: number;
  readonly #known = new Map<string, Known>();
  /** What reloading a bus with many rules need not compile again. */
  readonly #compiled = new Map<string, Compiled>();
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
    if (known && known.until > performance.now()) return known.bus;
    const seen = this.#changes;
    const row = await getBus(reader, id);
    if (!row && id.name !== DEFAULT_BUS) return undefined;
    const version = row?.version ?? -1;
    const isSame = known !== undefined && known.version === version;
    const bus = isSame ? known.bus : await this.#load(reader, id, row);
    if (seen === this.#changes)
      this.#remember(key, { bus, version, until: performance.now() + this.#keptMs });
    return bus;
  }

  /** Asks only whether there is such a bus: its rules may be many. @throws AwsError ResourceNotFoundException */
  async require(id: BusId): Promise<void> {
    const known = this.#known.get(keyOf(id));
    if (id.name === DEFAULT_BUS || (known && known.until > performance.now())) return;
    if (!(await getBus(this.#database, id))) throw noSuchBus(id.name);
  }

  /** To be called in every transaction that changes what events on a bus meet. */
  async changed(tx: Transaction, id: BusId): Promise<void> {
    await touchBus(tx, id);
    tx.onCommit(() => {
      this.#changes += 1;
      this.#known.delete(keyOf(id));
    });
  }

  async #load(reader: Reader, id: BusId, row: BusRow | undefined): Promise<LoadedBus> {
    const [rules, targets] = [await matchingRules(reader, id), await targetsOfBus(reader, id)];
    const before = this.#compiled.get(keyOf(id));
    const compiled: Compiled = new Map();
    for (const rule of rules) {
      const loaded = loadRule(rule, targets.get(rule.rule_id) ?? []);
      compiled.set(rule.rule_id, compile(rule, loaded, before?.get(rule.rule_id)));
    }
    this.#compiled.set(keyOf(id), compiled);
    const archives = (await archivesOf(reader, id)).map(({ archive_id, pattern }) => ({
      id: archive_id,
      matches: pattern === "" ? () => true : compilePattern(pattern, { operators: ALL_OPERATORS }),
    }));
    const policy = row?.policy ?? "";
    return { ...id, policy, rules: new PatternSet([...compiled.values()]), archives };
  }

  #remember(key: string, known: Known): void {
    if (this.#known.size >= KNOWN_MAX) {
      this.#known.clear();
      this.#compiled.clear();
    }
    this.#known.set(key, known);
  }
}

function compile(
  { pattern: text }: RuleRow,
  item: LoadedRule,
  before: PatternEntry<LoadedRule> | undefined,
): PatternEntry<LoadedRule> {
  const matches = before?.text === text ? before.matches : compilePattern(text, { operators: ALL_OPERATORS });
  return { item, text, matches };
}

function keyOf({ account, region, name }: BusId): string {
  return `${account}/${region}/${name}`;
}
