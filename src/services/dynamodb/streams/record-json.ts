/** A stream record as JSON text: made when the item is written, and read back for the API. */
import type { _Record as StreamRecord } from "@aws-sdk/client-dynamodb-streams";
import { plainJson, readPlainAttributes } from "../items/item-codec.ts";
import { keyOf } from "../items/keys.ts";
import type { ItemRow } from "../store-items.ts";
import type { ViewType } from "../store-streams.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { keyAttributes } from "../tables/definition.ts";
import { itemSize } from "../values/size.ts";
import type { Attributes } from "../values/value.ts";
import { sequenceText } from "./names.ts";

const EVENT_VERSION = "1.1";
const EVENT_SOURCE = "aws:dynamodb";
/** Who deletes items that have expired, as Lambda's events spell it; the API's members begin with capitals. */
const TIME_TO_LIVE = { type: "Service", principalId: "dynamodb.amazonaws.com" };

/** What happened to an item; one of both is there, and they differ. */
export interface ItemChange {
  readonly before: ItemRow | undefined;
  readonly after: ItemRow | undefined;
  readonly isExpiry: boolean;
}

interface Facts {
  readonly eventId: string;
  readonly viewType: ViewType;
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * The record, its members as GetRecords and Lambda's events have them: binary values in base64, the time in whole
 * seconds, SizeBytes counted as items are.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
 */
export function recordJson(table: TableDefinition, change: ItemChange, facts: Facts): string {
  const { before, after, isExpiry } = change;
  const { viewType } = facts;
  const keys = keyOf(keyAttributes(table.key), ((after ?? before) as ItemRow).item);
  const newImage = viewType === "NEW_IMAGE" || viewType === "NEW_AND_OLD_IMAGES" ? after : undefined;
  const oldImage = viewType === "OLD_IMAGE" || viewType === "NEW_AND_OLD_IMAGES" ? before : undefined;
  const bytes = itemSize(keys) + (newImage?.size ?? 0) + (oldImage?.size ?? 0);
  const kind = before ? (after ? "MODIFY" : "REMOVE") : "INSERT";
  const seconds = Math.floor(facts.now / 1000);
  return (
    `{"eventID":"${facts.eventId}","eventName":"${kind}","eventVersion":"${EVENT_VERSION}",` +
    `"eventSource":"${EVENT_SOURCE}","awsRegion":"${table.region}",` +
    `"dynamodb":{"ApproximateCreationDateTime":${seconds},"Keys":${plainJson(keys)},` +
    (newImage ? `"NewImage":${plainJson(newImage.item)},` : "") +
    (oldImage ? `"OldImage":${plainJson(oldImage.item)},` : "") +
    `"SequenceNumber":"${sequenceText(facts.sequence)}","SizeBytes":${bytes},"StreamViewType":"${viewType}"}` +
    (isExpiry ? `,"userIdentity":${JSON.stringify(TIME_TO_LIVE)}}` : "}")
  );
}

interface Parsed extends Omit<StreamRecord, "dynamodb" | "userIdentity"> {
  readonly dynamodb: {
    readonly ApproximateCreationDateTime: number;
    readonly Keys: Attributes;
    readonly NewImage?: Attributes;
    readonly OldImage?: Attributes;
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: ViewType;
  };
  readonly userIdentity?: typeof TIME_TO_LIVE;
}

/** The record as GetRecords answers it. */
export function readRecord(json: string): StreamRecord {
  const { dynamodb, userIdentity, ...common } = JSON.parse(json) as Parsed;
  const { ApproximateCreationDateTime: seconds, Keys, NewImage, OldImage, ...rest } = dynamodb;
  return {
    ...common,
    dynamodb: {
      ApproximateCreationDateTime: new Date(seconds * 1000),
      Keys: readPlainAttributes(Keys),
      ...(NewImage && { NewImage: readPlainAttributes(NewImage) }),
      ...(OldImage && { OldImage: readPlainAttributes(OldImage) }),
      ...rest,
    },
    ...(userIdentity && {
      userIdentity: { PrincipalId: userIdentity.principalId, Type: userIdentity.type },
    }),
  };
}
