/** StartLiveTail: events of up to ten groups as they arrive, gathered for a second at a time. */
import type { LiveTailSessionLogEvent } from "@aws-sdk/client-cloudwatch-logs";
import { AwsError } from "../../../aws/errors.ts";
import { sleep } from "../../../kit/clock.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { LogEvent } from "../chunk.ts";
import type { TailListener } from "../live-tails.ts";
import { StoredTail } from "../stored-tail.ts";
import type { FilterPattern } from "../filter-pattern/index.ts";
import { requireStandard } from "../group-class.ts";
import { groupNameOf, invalidParameter, readPattern, requireGroup } from "../lookup.ts";
import type { LogsState } from "../state.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");
type Session = NonNullable<Output<Client, "StartLiveTail">["responseStream"]>;
type SessionEvent = Session extends AsyncIterable<infer Event> ? Event : never;

const UPDATE_MS = 1_000;
const EVENTS_PER_UPDATE_MAX = 500;
const SESSION_MS_MAX = 3 * 3_600_000;
/** Of an account in a region at once, as by AWS; on each server. */
const SESSIONS_MAX = 15;

export async function startLiveTail(
  state: LogsState,
  input: Input<Client, "StartLiveTail">,
  context: RequestContext,
): Promise<Output<Client, "StartLiveTail">> {
  const identifiers = input.logGroupIdentifiers ?? [];
  const { logStreamNames: names = [], logStreamNamePrefixes: prefixes = [] } = input;
  if (names.length > 0 && prefixes.length > 0)
    throw invalidParameter("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.");
  if (identifiers.length > 1 && (names.length > 0 || prefixes.length > 0))
    throw invalidParameter(
      "logStreamNames and logStreamNamePrefixes can be specified only with a single log group.",
    );
  const matches = readPattern(input.logEventFilterPattern);
  const groups = new Map<number, string>();
  for (const identifier of identifiers) {
    if (!identifier.startsWith("arn:") || identifier.endsWith(":*"))
      throw invalidParameter(`The log group identifier ${identifier} is not the ARN of a log group.`);
    const group = await requireGroup(state.database, context, {
      logGroupName: groupNameOf(identifier, context) ?? "",
    });
    requireStandard(group, "StartLiveTail");
    groups.set(group.group_id, identifier);
  }
  const wantsStream = (name: string) =>
    (names.length === 0 && prefixes.length === 0) ||
    names.includes(name) ||
    prefixes.some((prefix) => name.startsWith(prefix));
  const sessions = { account: context.account, region: context.region, most: SESSIONS_MAX };
  if (!state.tails.hasRoom(sessions))
    throw new AwsError(
      "LimitExceededException",
      `There can be at most ${SESSIONS_MAX} Live Tail sessions at once; end one of them first.`,
    );
  return { responseStream: session(state, context, input, { groups, matches, wantsStream }) };
}

interface Wanted {
  /** The caller's identifier of each group. */
  readonly groups: ReadonlyMap<number, string>;
  readonly matches: FilterPattern;
  wantsStream(name: string): boolean;
}

async function* session(
  state: LogsState,
  context: RequestContext,
  input: Input<Client, "StartLiveTail">,
  wanted: Wanted,
): AsyncGenerator<SessionEvent> {
  const sample = new Sample(() => state.ids.random());
  const listener: TailListener = (groupId, name, events, ingestedAt) => {
    if (!wanted.wantsStream(name)) return;
    const logGroupIdentifier = wanted.groups.get(groupId) ?? "";
    for (const event of events)
      if (wanted.matches(event.message)) sample.add(event, { logGroupIdentifier, name, ingestedAt });
  };
  const groupIds = [...wanted.groups.keys()];
  const { engine } = state.database;
  const stored =
    engine === "postgres" && (await StoredTail.start(state.database, groupIds, listener, state.clock.now()));
  const stopListening = stored ? () => {} : state.tails.listen(groupIds, listener);
  const leave = state.tails.enter(context);
  const signal = AbortSignal.any([context.signal, state.tails.signal]);
  const endsAt = state.clock.now() + SESSION_MS_MAX;
  try {
    yield {
      sessionStart: {
        requestId: context.requestId,
        sessionId: state.ids.uuid(),
        logGroupIdentifiers: input.logGroupIdentifiers,
        logStreamNames: input.logStreamNames ?? [],
        logStreamNamePrefixes: input.logStreamNamePrefixes ?? [],
        logEventFilterPattern: input.logEventFilterPattern ?? "",
      },
    };
    for (;;) {
      await sleep(state.clock, UPDATE_MS, signal);
      if (signal.aborted) return;
      if (stored) await stored.look(state.clock.now());
      if (state.clock.now() >= endsAt)
        throw new AwsError(
          "SessionTimeoutException",
          "The Live Tail session has reached its limit of three hours.",
        );
      yield { sessionUpdate: sample.take() };
    }
  } finally {
    stopListening();
    leave();
  }
}

/** The events of one update. Beyond its limit each event that arrived has the same chance to be among those shown. */
class Sample {
  readonly #random: () => number;
  #seen = 0;
  #events: { readonly order: number; readonly event: LiveTailSessionLogEvent }[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  add(event: LogEvent, from: { logGroupIdentifier: string; name: string; ingestedAt: number }): void {
    const order = this.#seen++;
    const slot = order < EVENTS_PER_UPDATE_MAX ? order : Math.floor(this.#random() * (order + 1));
    if (slot >= EVENTS_PER_UPDATE_MAX) return;
    this.#events[slot] = {
      order,
      event: {
        logStreamName: from.name,
        logGroupIdentifier: from.logGroupIdentifier,
        message: event.message,
        timestamp: event.timestamp,
        ingestionTime: from.ingestedAt,
      },
    };
  }

  take() {
    const events = this.#events.toSorted((a, b) => a.order - b.order).map((one) => one.event);
    const sampled = this.#seen > EVENTS_PER_UPDATE_MAX;
    this.#events = [];
    this.#seen = 0;
    return { sessionMetadata: { sampled }, sessionResults: events };
  }
}
