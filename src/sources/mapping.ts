/** The words of event source mappings: a row, its settings, and its states. */
import type { Input } from "../aws/service.ts";

type Client = typeof import("@aws-sdk/client-lambda");

export type MappingInput = Input<Client, "CreateEventSourceMapping">;
export type MappingUpdate = Omit<Input<Client, "UpdateEventSourceMapping">, "UUID">;

/** What a request says of the source. */
export type SourceInput = Omit<MappingInput, "FunctionName" | "Enabled" | "Tags">;

/** The settings of a mapping under AWS's names, with what the kind of source has for members left out. */
export type MappingSettings = Omit<SourceInput, "StartingPositionTimestamp"> & {
  /** Epoch milliseconds. */
  readonly StartingPositionTimestamp?: number;
};

export type MappingState =
  | "Creating"
  | "Enabling"
  | "Enabled"
  | "Disabling"
  | "Disabled"
  | "Updating"
  | "Deleting";

export interface Mapping {
  readonly uuid: string;
  readonly account: string;
  readonly region: string;
  /** With the qualifier that the request named, if it named one. */
  readonly functionArn: string;
  /** The kind of source, as the table of kinds has it: `sqs`. */
  readonly kind: string;
  /** Tells mappings of one function apart. */
  readonly sourceKey: string;
  /** Undefined for self-managed Kafka. */
  readonly eventSourceArn: string | undefined;
  readonly settings: MappingSettings;
  /** What the user wants; `state` says how far it is. */
  readonly isEnabled: boolean;
  readonly state: MappingState;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  readonly lastResult: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Grows with every change of the settings, so that who runs it knows that what it runs is old. */
  readonly revision: number;
}

/** In these nothing may be changed. */
const TRANSITIONAL: ReadonlySet<MappingState> = new Set([
  "Creating",
  "Enabling",
  "Disabling",
  "Updating",
  "Deleting",
]);

export function isInTransition(state: MappingState): boolean {
  return TRANSITIONAL.has(state);
}

export function mappingArn({ account, region, uuid }: Pick<Mapping, "account" | "region" | "uuid">): string {
  return `arn:aws:lambda:${region}:${account}:event-source-mapping:${uuid}`;
}
