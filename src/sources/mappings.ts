/** Event source mappings as Lambda's operations make, read, change and delete them. */
import { AwsError, notImplemented } from "../aws/errors.ts";
import { PatternError } from "../aws/event-pattern/index.ts";
import type { Ids } from "../kit/id.ts";
import type { Clock } from "../kit/clock.ts";
import type { Database, Reader, Transaction } from "../store/database.ts";
import type { Signals } from "../store/signals.ts";
import { describeMapping } from "./describe.ts";
import type { MappingDescription } from "./describe.ts";
import { conflict, inUse, invalidParameter, noMapping } from "./errors.ts";
import { compileFilters } from "./filter.ts";
import { isInTransition } from "./mapping.ts";
import type { Mapping, MappingInput, MappingSettings, MappingUpdate, SourceInput } from "./mapping.ts";
import type { MappedFunctions, RecordDestinations } from "./ports.ts";
import { BY_SERVICE, checkMapping, withPollers } from "./rules.ts";
import type { EventSource } from "./rules.ts";
import type { MappedFunction, SourceKind } from "./source.ts";
import {
  insertMapping,
  readDuplicate,
  readMapping,
  readPage,
  saveMappingTags,
  updateMapping,
} from "./store.ts";

/** Sent with every change. */
export const MAPPINGS_TOPIC = "sources.mappings";

interface Here {
  readonly account: string;
  readonly region: string;
}

export interface MappingsDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly signals: Pick<Signals, "send">;
  readonly kinds: Readonly<Record<string, SourceKind>>;
  readonly functions: Pick<MappedFunctions, "describe">;
  readonly destinations: Pick<RecordDestinations, "fault">;
}

export class Mappings {
  readonly #deps: MappingsDeps;

  constructor(deps: MappingsDeps) {
    this.#deps = deps;
  }

  /** What the request itself says, before its function is looked for. @throws AwsError */
  check(input: MappingInput): void {
    checkMapping(input);
  }

  /** @param target The function that the request names. @throws AwsError */
  async create(here: Here, input: MappingInput, target: MappedFunction): Promise<MappingDescription> {
    const { clock, ids, database, signals } = this.#deps;
    const [name, kind] = this.#kindOf(checkMapping(input));
    const { FunctionName: _, Enabled: isEnabled = true, Tags: tags = {}, ...given } = input;
    const settings = withPollers(withDefaults(kind, given), kind.name);
    checkMapping(settings);
    const mapping: Mapping = {
      uuid: ids.uuid(),
      ...here,
      functionArn: target.functionArn,
      kind: name,
      sourceKey: kind.sourceKey(input),
      eventSourceArn: input.EventSourceArn || undefined,
      settings,
      isEnabled,
      state: "Creating",
      reason: kind.userReason,
      lastModified: clock.now(),
      lastResult: kind.tellsResult ? "No records processed" : undefined,
      tags,
      revision: 1,
    };
    await this.#validate(kind, mapping, target);
    await database.tx(async (tx) => {
      const other = await readDuplicate(tx, mapping);
      if (other) throw duplicate(other);
      await insertMapping(tx, mapping);
      await signals.send(tx, MAPPINGS_TOPIC);
    });
    return describeMapping(mapping, kind);
  }

  /** @throws ResourceNotFoundException. */
  async get(here: Here, uuid: string): Promise<MappingDescription> {
    return this.#describe(await find(this.#deps.database, here, uuid));
  }

  /** So many mappings, by UUID, after one. */
  async list(
    here: Here,
    by: {
      readonly functionArn: string | undefined;
      readonly eventSourceArn: string | undefined;
      readonly after: string;
      readonly limit: number;
    },
  ): Promise<MappingDescription[]> {
    return (await readPage(this.#deps.database, here, by)).map((mapping) => this.#describe(mapping));
  }

  /**
   * Changes what the request names, and leaves the rest; an empty destination, filter list or scaling clears it.
   * @param target The function that the request names, if it names one. @throws AwsError
   */
  async update(
    here: Here,
    uuid: string,
    { Enabled, ...given }: Omit<MappingUpdate, "FunctionName">,
    target: MappedFunction | undefined,
  ): Promise<MappingDescription> {
    const { clock, database, functions, signals } = this.#deps;
    const current = await find(database, here, uuid);
    if (isInTransition(current.state)) throw inUse("update");
    const kind = this.#require(current.kind);
    const settings = withPollers(merge(kind, current.settings, given), kind.name);
    checkMapping(settings);
    const functionArn = target?.functionArn ?? current.functionArn;
    const isEnabled = Enabled ?? current.isEnabled;
    const mapping: Mapping = {
      ...current,
      functionArn,
      settings,
      isEnabled,
      state: nextState(current.isEnabled, isEnabled),
      reason: kind.userReason,
      lastModified: clock.now(),
      revision: current.revision + 1,
    };
    const described = target ?? (await functions.describe(functionArn));
    if (!described) throw new AwsError("ResourceNotFoundException", `Function not found: ${functionArn}`);
    await this.#validate(kind, mapping, described);
    await database.tx(async (tx) => {
      const now = await find(tx, here, uuid);
      if (isInTransition(now.state) || now.revision !== current.revision) throw inUse("update");
      const other = await readDuplicate(tx, mapping);
      if (other && other.uuid !== uuid) throw duplicate(other);
      await updateMapping(tx, mapping);
      await signals.send(tx, MAPPINGS_TOPIC);
    });
    return this.#describe(mapping);
  }

  /** It is gone once what is in flight has ended. @throws AwsError */
  async delete(here: Here, uuid: string): Promise<MappingDescription> {
    const { clock, database, signals } = this.#deps;
    const mapping = await database.tx(async (tx) => {
      const current = await find(tx, here, uuid);
      if (isInTransition(current.state)) throw inUse("delete");
      const deleting: Mapping = {
        ...current,
        state: "Deleting",
        lastModified: clock.now(),
        revision: current.revision + 1,
      };
      await updateMapping(tx, deleting);
      await signals.send(tx, MAPPINGS_TOPIC);
      return deleting;
    });
    return this.#describe(mapping);
  }

  /** @throws ResourceNotFoundException. */
  async readTags(reader: Reader, here: Here, uuid: string): Promise<Record<string, string>> {
    return { ...(await find(reader, here, uuid)).tags };
  }

  async saveTags(tx: Transaction, uuid: string, tags: Readonly<Record<string, string>>): Promise<void> {
    await saveMappingTags(tx, uuid, tags);
  }

  #describe(mapping: Mapping): MappingDescription {
    return describeMapping(mapping, this.#require(mapping.kind));
  }

  #kindOf(source: EventSource): [string, SourceKind] {
    const name = Object.keys(BY_SERVICE).find((service) => BY_SERVICE[service] === source) ?? "";
    const kind = this.#deps.kinds[name];
    if (!kind) throw notImplemented(`CreateEventSourceMapping of Lambda yet: nothing polls ${source}`);
    return [name, kind];
  }

  #require(name: string): SourceKind {
    const kind = this.#deps.kinds[name];
    if (!kind) throw new Error(`There is no event source of the kind ${name}`);
    return kind;
  }

  /** Whether the mapping could work: its filters, its source, its destination. */
  async #validate(kind: SourceKind, mapping: Mapping, target: MappedFunction): Promise<void> {
    try {
      compileFilters(mapping.settings.FilterCriteria, kind.dataKey);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      throw invalidParameter(`Invalid filter pattern definition. ${error.message}`);
    }
    checkPlace(kind, mapping);
    await kind.validate(mapping, target);
    await this.#checkDestination(mapping, target);
  }

  async #checkDestination({ settings, kind, uuid }: Mapping, target: MappedFunction): Promise<void> {
    const { OnSuccess, OnFailure } = settings.DestinationConfig ?? {};
    if (OnSuccess?.Destination)
      throw invalidParameter("OnSuccess destinations are not supported for event source mappings.");
    const arn = OnFailure?.Destination;
    if (!arn || (kind === "kafka" && arn.startsWith("kafka://"))) return;
    const service = arn.split(":")[2] ?? "";
    if (service !== "sns" && service !== "sqs" && service !== "s3")
      throw invalidParameter(`The destination ARN ${arn} is invalid.`);
    const fault = await this.#deps.destinations.fault(target, arn, `aws/lambda/${uuid}/`);
    if (fault !== undefined) throw invalidParameter(`The destination ARN ${arn} is invalid: ${fault}.`);
  }
}

/** A source of another account must be of a kind that has policies of its own, which then have to let the role in. */
function checkPlace(
  { name, crossesAccounts }: SourceKind,
  { eventSourceArn, account, region }: Mapping,
): void {
  if (eventSourceArn === undefined) return;
  const [, , , sourceRegion, sourceAccount] = eventSourceArn.split(":");
  if (sourceRegion !== region)
    throw invalidParameter(`The event source must be in the function's region, ${region}: ${eventSourceArn}`);
  if (sourceAccount !== account && !crossesAccounts)
    throw notImplemented(`event source mappings of ${name} in another account: ${eventSourceArn}`);
}

/** Members that were given as nothing, as the codec reads a JSON null, are left out. */
function withoutNothing<T extends object>(members: T): T {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
  ) as T;
}

function withDefaults(kind: SourceKind, given: SourceInput): MappingSettings {
  const { StartingPositionTimestamp, ...rest } = withoutNothing({
    ...withoutNothing(kind.defaults(given)),
    ...withoutNothing(given),
  });
  return {
    ...rest,
    ...(StartingPositionTimestamp && { StartingPositionTimestamp: Number(StartingPositionTimestamp) }),
  };
}

function merge(
  kind: SourceKind,
  current: MappingSettings,
  given: Omit<MappingUpdate, "FunctionName" | "Enabled">,
): MappingSettings {
  const merged: MappingSettings = { ...current, ...withoutNothing(given) };
  // ScalingConfig {} takes the limit away; so it is with provisioned pollers.
  const cleared = (["ScalingConfig", "ProvisionedPollerConfig", "FilterCriteria"] as const).filter((member) =>
    Object.values(merged[member] ?? {}).every((value) => !isGiven(value)),
  );
  const kept = Object.fromEntries(
    Object.entries(merged).filter(([member]) => !cleared.some((one) => one === member)),
  ) as MappingSettings;
  const { StartingPositionTimestamp: _, ...input } = kept;
  const { StartingPositionTimestamp: __, ...defaults } = withoutNothing(kind.defaults(input));
  const destination = kept.DestinationConfig?.OnFailure?.Destination;
  return {
    ...defaults,
    ...kept,
    ...(kept.DestinationConfig && {
      DestinationConfig: { OnFailure: destination ? { Destination: destination } : {} },
    }),
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}

function nextState(wasEnabled: boolean, isEnabled: boolean): Mapping["state"] {
  if (wasEnabled === isEnabled) return "Updating";
  return isEnabled ? "Enabling" : "Disabling";
}

async function find(reader: Reader, here: Here, uuid: string): Promise<Mapping> {
  const mapping = await readMapping(reader, here, uuid);
  if (!mapping) throw noMapping();
  return mapping;
}

/** AWS names queues and other sources in two ways. */
function duplicate({ uuid, kind, sourceKey, functionArn }: Mapping): AwsError {
  const name = functionArn.split(":").slice(6).join(":");
  const [before, after] =
    kind === "sqs"
      ? ["An event source mapping with SQS arn", "already exists"]
      : ["The event source arn", "provided mapping already exists"];
  return conflict(
    `${before} (" ${sourceKey} ") and function (" ${name} ") ${after}. ` +
      `Please update or delete the existing mapping with UUID ${uuid}`,
  );
}
