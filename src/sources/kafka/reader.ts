/** A mapping of Kafka that runs: joins its group, reads by lanes, and joins anew whenever something between here and the cluster breaks. */
import { every } from "../../kit/clock.ts";
import type { Mapping } from "../mapping.ts";
import { runSessions } from "../sessions.ts";
import type { RunningSource, SourceContext } from "../source.ts";
import { checkPermissionsNow } from "../access/source-access.ts";
import { MSK_ACTIONS, clusterOf } from "./cluster.ts";
import type { Cluster, ClusterDeps } from "./cluster.ts";
import { payloadOf } from "./event.ts";
import type { Envelope } from "./event.ts";
import { Fetcher } from "./fetcher.ts";
import { FailureSink } from "./failure-sink.ts";
import { Group } from "./group.ts";
import { Lane } from "./lane.ts";
import type { LanePorts } from "./lane.ts";
import { firstLanes, nextLanes, pollersOf, share } from "./pollers.ts";
import { problemOf } from "./problems.ts";
import { batchingOf, errorHandlingOf, groupIdOf } from "./settings.ts";

/** AWS looks at the lag once a minute. */
const lookMs = 60_000;

export class KafkaReader implements RunningSource {
  readonly #mapping: Mapping;
  readonly #context: SourceContext;
  readonly #deps: ClusterDeps;
  readonly #running: Promise<void>;

  constructor(mapping: Mapping, context: SourceContext, deps: ClusterDeps) {
    this.#mapping = mapping;
    this.#context = context;
    this.#deps = deps;
    this.#running = runSessions(
      context,
      (hadProblem) => this.#session(hadProblem),
      (error) => this.#lost(error),
    );
  }

  stop(): Promise<void> {
    return this.#running;
  }

  #lost(error: unknown): void {
    const problem = problemOf(error);
    this.#context.log.warn("An event source mapping lost its cluster", { uuid: this.#mapping.uuid, problem });
    this.#context.count("PollingErrorCount", 1);
    this.#context.processed(problem);
  }

  /** From joining the group to leaving it. @throws what ended it. */
  async #session(hadProblem: boolean): Promise<void> {
    await checkPermissionsNow(this.#mapping, this.#context, MSK_ACTIONS);
    const cluster = await clusterOf(this.#mapping, this.#deps);
    const changes = new Changes(this.#context.signal);
    const group = await this.#join(cluster, changes);
    await using sink = new FailureSink(this.#mapping, this.#context, cluster);
    const endLooking = every(this.#context.clock, lookMs, () => changes.tell({ look: true }));
    try {
      if (hadProblem) this.#context.processed("OK");
      let lanes = firstLanes(this.#mapping.settings, group.partitions.length);
      // Looked up first, as it is where reading begins.
      await group.offsets(group.partitions);
      await this.#tellLag(group, lanes);
      while (!this.#context.signal.aborted) {
        const pollers = new Pollers(this.#mapping, this.#context, cluster, group, sink);
        await pollers.begin(lanes, (error) => changes.tell({ error }));
        try {
          lanes = await this.#watch(group, pollers, changes, lanes);
        } finally {
          await pollers.end();
        }
      }
    } finally {
      endLooking();
      await group.leave().catch(() => undefined);
    }
  }

  #join(cluster: Cluster, changes: Changes): Promise<Group> {
    const { uuid, settings } = this.#mapping;
    const options = {
      groupId: groupIdOf(this.#mapping),
      instanceId: `lambent-${uuid}`,
      topic: settings.Topics?.[0] ?? "",
      start: settings,
    };
    return Group.join(cluster, options, (error) => changes.tell(error ? { error } : { rebalanced: true }));
  }

  /** Waits until the partitions are to be read in another way; answers by how many lanes. */
  async #watch(group: Group, pollers: Pollers, changes: Changes, lanes: number): Promise<number> {
    const { settings } = this.#mapping;
    for (;;) {
      const change = await changes.next();
      if ("error" in change) throw change.error;
      if ("stopped" in change) return lanes;
      if ("rebalanced" in change) return firstLanes(settings, group.partitions.length);
      if (await group.hasGrown()) await group.rejoin();
      const lag = await this.#tellLag(group, lanes);
      const next = nextLanes(settings, lanes, {
        partitions: group.partitions.length,
        lag,
        batchSize: batchingOf(settings).batchSize,
        wasThrottled: pollers.takeThrottled(),
      });
      if (next !== lanes) return next;
    }
  }

  async #tellLag(group: Group, lanes: number): Promise<number> {
    const lags = await group.lag(group.partitions);
    const sum = lags.reduce((total, one) => total + one, 0);
    this.#context.count("OffsetLag", sum);
    this.#context.count("SumOffsetLag", sum);
    this.#context.count("MaxOffsetLag", Math.max(0, ...lags));
    if (this.#mapping.settings.ProvisionedPollerConfig)
      this.#context.count("ProvisionedPollers", pollersOf(lanes));
    return sum;
  }
}

type Change = { error: unknown } | { rebalanced: true } | { look: true } | { stopped: true };

/** What happened to a session, one after another; an error before all else. */
class Changes {
  readonly #pending: Change[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(signal: AbortSignal) {
    signal.addEventListener("abort", () => this.tell({ stopped: true }), { once: true });
  }

  tell(change: Change): void {
    if ("error" in change || "stopped" in change) this.#pending.unshift(change);
    else this.#pending.push(change);
    this.#wake.resolve();
  }

  async next(): Promise<Change> {
    for (;;) {
      const change = this.#pending.shift();
      if (change) return change;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
  }
}

/** The lanes of one way to share the partitions out. */
class Pollers {
  readonly #mapping: Mapping;
  readonly #context: SourceContext;
  readonly #cluster: Cluster;
  readonly #group: Group;
  readonly #sink: FailureSink;
  readonly #lanes: Lane[] = [];
  readonly #runs: Promise<void>[] = [];
  #wasThrottled = false;

  constructor(mapping: Mapping, context: SourceContext, cluster: Cluster, group: Group, sink: FailureSink) {
    this.#mapping = mapping;
    this.#context = context;
    this.#cluster = cluster;
    this.#group = group;
    this.#sink = sink;
  }

  async begin(lanes: number, failed: (error: unknown) => void): Promise<void> {
    const groupId = groupIdOf(this.#mapping);
    const ports = this.#ports();
    const positions = await this.#group.offsets(this.#group.partitions);
    for (const own of share([...positions], lanes)) {
      const fetcher = await Fetcher.open(this.#cluster, groupId, ports.envelope.topic);
      this.#lanes.push(new Lane(ports, fetcher, new Map(own)));
    }
    for (const lane of this.#lanes) this.#runs.push(lane.run().catch(failed));
  }

  /** Lets what is in flight end. */
  async end(): Promise<void> {
    for (const lane of this.#lanes) lane.stop();
    await Promise.all(this.#runs);
    await Promise.all(this.#lanes.map((lane) => lane.close().catch(() => undefined)));
  }

  takeThrottled(): boolean {
    const was = this.#wasThrottled;
    this.#wasThrottled = false;
    return was;
  }

  #ports(): LanePorts {
    const context = this.#context;
    const { settings, eventSourceArn } = this.#mapping;
    const envelope: Envelope = {
      clusterArn: eventSourceArn,
      bootstrapServers: this.#cluster.bootstrapServers,
      topic: settings.Topics?.[0] ?? "",
    };
    return {
      context,
      envelope,
      ...batchingOf(settings),
      handling: errorHandlingOf(settings),
      invoke: (events) => context.invoke(payloadOf(envelope, events), events.length),
      giveUp: (events, why) => this.#sink.put(envelope, events, why),
      processed: (result) => context.processed(result),
      failed: ({ kind }) => {
        this.#wasThrottled ||= kind === "throttled";
        context.count("InvokeErrorCount", 1);
      },
      range: (partitions) => this.#group.range(partitions),
      commit: async (offsets) => {
        try {
          await this.#group.commit(offsets);
        } catch (error) {
          context.count("CommitErrorCount", 1);
          throw error;
        }
      },
    };
  }
}
