/** The names of buses, rules and what else EventBridge has: their rules and ARNs. */
import type { RequestContext } from "../../aws/service.ts";
import { invalidParameter } from "./errors.ts";

export interface Place {
  readonly account: string;
  readonly region: string;
}

/** A bus among all buses. */
export interface BusId extends Place {
  readonly name: string;
}

export const DEFAULT_BUS = "default";

const BUS_ARN = /^arn:aws:events:([a-z0-9-]+):(\d{12}):event-bus\/([/.\-_A-Za-z0-9]+)$/;
const RULE_ARN = /^arn:aws:events:([a-z0-9-]+):(\d{12}):rule\/(?:([/.\-_A-Za-z0-9]+)\/)?([.\-_A-Za-z0-9]+)$/;

export function busArn({ account, region, name }: BusId): string {
  return `arn:aws:events:${region}:${account}:event-bus/${name}`;
}

/** Undefined for what is no bus's ARN. */
export function readBusArn(arn: string): BusId | undefined {
  const [, region, account, name] = BUS_ARN.exec(arn) ?? [];
  return region !== undefined && account !== undefined && name !== undefined
    ? { account, region, name }
    : undefined;
}

/** The bus that a request names by name or ARN; the default one where it names none. @throws AwsError ValidationException */
export function busOf(nameOrArn: string | undefined, { account, region }: RequestContext | Place): BusId {
  if (nameOrArn === undefined) return { account, region, name: DEFAULT_BUS };
  if (!nameOrArn.startsWith("arn:")) return { account, region, name: nameOrArn };
  const id = readBusArn(nameOrArn);
  if (!id) throw invalidParameter("EventBusName", "Provided Arn is not in correct format.");
  return id;
}

export function ruleArn({ account, region, name }: BusId, rule: string): string {
  const path = name === DEFAULT_BUS ? rule : `${name}/${rule}`;
  return `arn:aws:events:${region}:${account}:rule/${path}`;
}

export interface RuleId {
  readonly bus: BusId;
  readonly name: string;
}

export function readRuleArn(arn: string): RuleId | undefined {
  const [, region, account, bus = DEFAULT_BUS, name] = RULE_ARN.exec(arn) ?? [];
  return region !== undefined && account !== undefined && name !== undefined
    ? { bus: { account, region, name: bus }, name }
    : undefined;
}

/** An archive, replay, connection or API destination among all of an account in a region. */
export interface NamedId extends Place {
  readonly name: string;
}

const ARCHIVE_ARN = /^arn:aws:events:([a-z0-9-]+):(\d{12}):archive\/([.\-_A-Za-z0-9]+)$/;

export function archiveArn({ account, region, name }: NamedId): string {
  return `arn:aws:events:${region}:${account}:archive/${name}`;
}

export function readArchiveArn(arn: string): NamedId | undefined {
  const [, region, account, name] = ARCHIVE_ARN.exec(arn) ?? [];
  return region !== undefined && account !== undefined && name !== undefined
    ? { account, region, name }
    : undefined;
}

export function replayArn({ account, region, name }: NamedId): string {
  return `arn:aws:events:${region}:${account}:replay/${name}`;
}

/** With the id that tells one from another of the same name. */
interface MadeId extends NamedId {
  readonly id: string;
}

const MADE_ARN =
  /^arn:aws:events:([a-z0-9-]+):(\d{12}):(connection|api-destination)\/([.\-_A-Za-z0-9]+)\/([0-9a-f-]{36})$/;

export function connectionArn({
  account,
  region,
  name,
  connection_id,
}: NamedId & { readonly connection_id: string }): string {
  return `arn:aws:events:${region}:${account}:connection/${name}/${connection_id}`;
}

export function readConnectionArn(arn: string): MadeId | undefined {
  return readMadeArn(arn, "connection");
}

export function destinationArn({
  account,
  region,
  name,
  destination_id,
}: NamedId & { readonly destination_id: string }): string {
  return `arn:aws:events:${region}:${account}:api-destination/${name}/${destination_id}`;
}

export function readDestinationArn(arn: string): MadeId | undefined {
  return readMadeArn(arn, "api-destination");
}

function readMadeArn(arn: string, wanted: string): MadeId | undefined {
  const [, region = "", account = "", kind, name = "", id = ""] = MADE_ARN.exec(arn) ?? [];
  return kind === wanted ? { account, region, name, id } : undefined;
}
