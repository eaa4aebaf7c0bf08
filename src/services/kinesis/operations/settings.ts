/** What can be changed of a stream: its mode, retention, largest record, and how records are distributed. */
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, RequestContext } from "../../../aws/service.ts";
import { changeStream } from "../change.ts";
import type { Client, Kinesis } from "../deps.ts";
import { invalidArgument, limitExceeded } from "../errors.ts";
import { DAY_MS, MODE_CHANGES_MAX, RETENTION_HOURS_MAX, RETENTION_HOURS_MIN } from "../limits.ts";
import { streamNamed } from "../lookup.ts";
import { newRowId } from "../row-id.ts";
import { horizonOf } from "../streams.ts";
import { changesSince, noteChange } from "../store.ts";
import { requireRoom } from "./create-stream.ts";

export async function updateStreamMode(
  kinesis: Kinesis,
  input: Input<Client, "UpdateStreamMode">,
  context: RequestContext,
): Promise<object> {
  if (input.WarmThroughputMiBps !== undefined)
    throw notImplemented("WarmThroughputMiBps, which needs the commitment of On-demand Advantage");
  const mode = input.StreamModeDetails?.StreamMode ?? "PROVISIONED";
  const found = await streamNamed(kinesis, input, context);
  await changeStream(kinesis, found, async (stream, tx) => {
    if (stream.mode === mode) return {};
    if (mode === "PROVISIONED" && stream.distribution === "AUTO")
      throw invalidArgument(
        "A stream with the record distribution strategy AUTO cannot be changed to Provisioned mode; set USER_PARTITION_KEY first.",
      );
    await requireRoom(tx, stream, mode, mode === "PROVISIONED" ? stream.open.length : 0);
    const now = kinesis.clock.now();
    const changes = await changesSince(tx, stream.stream_id, "mode", now - DAY_MS);
    if (changes >= MODE_CHANGES_MAX)
      throw limitExceeded(
        `The mode of a stream can be changed at most ${MODE_CHANGES_MAX} times in 24 hours, and that of ${stream.name} has been.`,
      );
    await noteChange(tx, stream.stream_id, "mode", now, newRowId(kinesis.ids));
    return { mode };
  });
  return {};
}

export async function increaseStreamRetentionPeriod(
  kinesis: Kinesis,
  input: Input<Client, "IncreaseStreamRetentionPeriod">,
  context: RequestContext,
): Promise<object> {
  const hours = retentionHours(input.RetentionPeriodHours);
  const found = await streamNamed(kinesis, input, context);
  await changeStream(kinesis, found, (stream) => {
    if (stream.retention_hours > hours)
      throw invalidArgument(
        `Requested retention period (${hours} hours) for stream ${stream.name} can not be shorter than existing retention period ` +
          `(${stream.retention_hours} hours). Use DecreaseRetentionPeriod API.`,
      );
    // What has expired stays so.
    return { retention_hours: hours, trimmed_before: horizonOf(stream, kinesis.clock.now()) };
  });
  return {};
}

export async function decreaseStreamRetentionPeriod(
  kinesis: Kinesis,
  input: Input<Client, "DecreaseStreamRetentionPeriod">,
  context: RequestContext,
): Promise<object> {
  const hours = retentionHours(input.RetentionPeriodHours);
  const found = await streamNamed(kinesis, input, context);
  await changeStream(kinesis, found, (stream) => {
    if (stream.retention_hours < hours)
      throw invalidArgument(
        `Requested retention period (${hours} hours) for stream ${stream.name} can not be longer than existing retention period ` +
          `(${stream.retention_hours} hours). Use IncreaseRetentionPeriod API.`,
      );
    return { retention_hours: hours };
  });
  return {};
}

/** @throws AwsError InvalidArgumentException */
function retentionHours(hours = 0): number {
  if (hours < RETENTION_HOURS_MIN)
    throw invalidArgument(
      `Minimum allowed retention period is ${RETENTION_HOURS_MIN} hours. Requested retention period (${hours} hours) is too short.`,
    );
  if (hours > RETENTION_HOURS_MAX)
    throw invalidArgument(
      `Maximum allowed retention period is ${RETENTION_HOURS_MAX} hours. Requested retention period (${hours} hours) is too long.`,
    );
  return hours;
}

export async function updateMaxRecordSize(
  kinesis: Kinesis,
  input: Input<Client, "UpdateMaxRecordSize">,
  context: RequestContext,
): Promise<object> {
  const found = await streamNamed(kinesis, input, context);
  await changeStream(kinesis, found, () => ({ record_kib_max: input.MaxRecordSizeInKiB ?? 0 }));
  return {};
}

export async function updateStreamRecordDistributionStrategy(
  kinesis: Kinesis,
  input: Input<Client, "UpdateStreamRecordDistributionStrategy">,
  context: RequestContext,
): Promise<object> {
  const distribution = input.RecordDistributionStrategy ?? "USER_PARTITION_KEY";
  const found = await streamNamed(kinesis, input, context);
  await changeStream(kinesis, found, (stream) => {
    if (stream.mode === "PROVISIONED")
      throw new AwsError(
        "InvalidArgumentException",
        `The record distribution strategy is only supported for on-demand streams, and ${stream.name} is in Provisioned mode.`,
      );
    return { distribution };
  });
  return {};
}
