/** The composition root: builds every object once, by hand. The one table of services stands here. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createAuthorization, createFrontDoor } from "../aws/index.ts";
import type { FrontDoor, NamedCalls } from "../aws/index.ts";
import { ConfigError, parseFolders, parseList } from "../config/index.ts";
import type { Config } from "../config/index.ts";
import { parseDestinations, parseResolvers } from "../config/outbound.ts";
import {
  INVOKE_LIMITS_DEFAULT,
  LambdaMetrics,
  createInvoker,
  createRuntimes,
  readMemory,
} from "../invoke/index.ts";
import type { InvokeLimits } from "../invoke/index.ts";
import { systemClock } from "../kit/clock.ts";
import type { Clock } from "../kit/clock.ts";
import type { Courier } from "../aws/parcel.ts";
import { randomIds } from "../kit/id.ts";
import type { Ids } from "../kit/id.ts";
import { ImageStore, createSandboxProvider } from "../sandbox/index.ts";
import type { Isolation, OwnRegistry, SandboxProvider } from "../sandbox/index.ts";
import { createCloudwatchLogs } from "../services/cloudwatch-logs/index.ts";
import { createDynamoDb } from "../services/dynamodb/index.ts";
import { createDynamoDbStreams } from "../services/dynamodb-streams/index.ts";
import { createEcr } from "../services/ecr/index.ts";
import type { EcrDeps } from "../services/ecr/index.ts";
import type { EventIntake } from "../services/eventbridge/index.ts";
import { createIam } from "../services/iam/index.ts";
import type { Iam } from "../services/iam/index.ts";
import { createKinesis } from "../services/kinesis/index.ts";
import {
  SigningProfiles,
  createInvokePorts,
  createLambda,
  signingProfilesDir,
} from "../services/lambda/index.ts";
import type { Functions, LambdaService } from "../services/lambda/index.ts";
import { createS3 } from "../services/s3/index.ts";
import type { S3Service } from "../services/s3/index.ts";
import { createSqs } from "../services/sqs/index.ts";
import type { SqsService } from "../services/sqs/index.ts";
import { createSts } from "../services/sts/index.ts";
import { createSources } from "../sources/index.ts";
import type { SourcesDeps } from "../sources/index.ts";
import { openStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import type { Log } from "../telemetry/log.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { createClockRoute } from "./clock-route.ts";
import { answerMetrics } from "./metrics-route.ts";
import { composePush } from "./compose-push.ts";
import { composeUserPools } from "./compose-user-pools.ts";
import { withRootCredentials } from "./root-credentials.ts";

export interface Platform {
  readonly frontDoor: FrontDoor;
  readonly isolation: Isolation;
  readonly credentialsFile: string | undefined;
  /** Answers what is not an AWS API: paths under /_lambent/, and the registry's under /v2/; false when the request is not for them. */
  ownRoute(request: IncomingMessage, response: ServerResponse): boolean;
  /** Answers requests to function URLs; false when the request is to none. */
  urlRoute(request: IncomingMessage, response: ServerResponse): boolean;
  /** Takes no new work and finishes what runs, within `graceMs`. */
  stop(graceMs: number): Promise<void>;
  /** Gives everything back; called once nothing runs and the door is closed. */
  close(): Promise<void>;
}

/** Where the server answers; known before anything is composed. */
interface Door {
  readonly port: number;
  readonly endpoint: string;
}

/** Builds a platform on a data directory. @throws when the directory belongs to another running server. */
export async function compose(
  config: Config,
  door: Door,
  machine: { clock: Clock; log: Log },
): Promise<Platform> {
  // Given back in reverse order: at the end of the platform's life, or here when a later part cannot be built.
  await using parts = new AsyncDisposableStack();
  const metrics = new Metrics(machine.clock);
  const base = { ...machine, ids: randomIds, metrics: new LambdaMetrics(metrics) };
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const store = await openStore({
    ...base,
    dataDir: config.dataDir,
    ...(config.databaseUrl ? { engine: "postgres", postgresUrl: config.databaseUrl } : { engine: "sqlite" }),
  });
  parts.defer(() => store.close());
  const sandboxes = await createSandboxProvider({
    ...base,
    kind: config.sandbox,
    stateDir: stateDir(config),
    serverPorts: [door.port],
    outbound: config.outbound,
    outboundAllow: parseDestinations(config.outboundAllow),
    resolvers: parseResolvers(config.resolvers),
  });
  parts.defer(() => sandboxes.close());
  refuseUnenforced(config, sandboxes.isolation);
  const counted = { ...base, counters: metrics };
  const calls = () => frontDoor.calls;
  const built = await composeServices(config, { ...door, calls }, counted, store, sandboxes, parts);
  const { services, iam, ecr, s3, lambda, sources, push, userPools, invoker } = built;
  const root = await withRootCredentials(config, iam.accessKeys, base.ids);
  const frontDoor: FrontDoor = createFrontDoor({
    ...base,
    host: new URL(door.endpoint).host,
    // A clock that was moved is the server's alone: those who sign have the machine's.
    signingClock: systemClock,
    services,
    accessKeys: root.accessKeys,
    authentication: config.auth,
    authorize: createAuthorization(services, iam.authorizer),
    defaultRegion: config.region,
  });
  await lambda.start();
  push.start();
  sources.start();
  s3.start();

  const clockRoute = createClockRoute({ ...machine, ...store, config, runners: push.runners });
  const everything = parts.move();
  return {
    frontDoor,
    isolation: sandboxes.isolation,
    credentialsFile: root.file,
    ownRoute: (request, response) =>
      answerMetrics(metrics, config, request, response) ||
      clockRoute(request, response) ||
      lambda.codeRoute(request, response) ||
      push.sns.webRoute(request, response) ||
      s3.websiteRoute(request, response) ||
      userPools.ownRoute(request, response, frontDoor.admit) ||
      ecr.downloadRoute(request, response) ||
      ecr.registryRoute(request, response, frontDoor.identify),
    urlRoute: (request, response) => lambda.urlRoute(request, response, frontDoor.admit),
    async stop(graceMs) {
      await Promise.all([push.stop(graceMs), sources.stop(graceMs), lambda.stop(graceMs)]);
      await invoker.stop(graceMs);
    },
    close: () => everything.disposeAsync(),
  };
}

/** The one table of services, each with what it needs of the others. */
async function composeServices(
  config: Config,
  door: Door & { readonly calls: () => NamedCalls },
  { counters, ...base }: { clock: Clock; ids: Ids; log: Log; metrics: LambdaMetrics; counters: Metrics },
  store: Store,
  sandboxes: SandboxProvider,
  parts: AsyncDisposableStack,
) {
  const { database, blobs, signals } = store;
  const common = { ...base, database, blobs, signals };
  const owned = <T extends { stop(): Promise<void> }>(service: T): T => {
    parts.defer(() => service.stop());
    return service;
  };
  // Logs' subscriptions are sent on by the courier, which also writes to logs.
  const late = latePush(() => push);
  const given = await composeData(config, door, { ...common, ...late, counters }, store, owned);
  const { iam, logs, dynamodb, kinesis, ecr, sqs } = given;
  const { resourcePolicies: policies } = iam;
  // S3 calls functions and Lambda reads code from S3: the one is handed over before the other exists, and used after.
  const functions = calledFunctions(() => lambda.functions);
  const { eventRules } = config;
  const pushed = { ...common, queue: store.queue, counters, eventRules, reach: reachOf(config, door) };
  const push = await composePush(pushed, { ...given, functions, calls: door.calls }, owned);
  const s3 = owned(
    await createS3({
      ...common,
      leases: store.leases,
      functions,
      ...notified(sqs, push),
      policies,
      authentication: config.auth,
    }),
  );
  const { runtimes, invoker } = composeInvoker(config, door, base, sandboxes, { iam, logs }, parts);
  // What reads event sources calls functions, and Lambda's operations make what it reads.
  const sources = await createSources({
    ...common,
    ...store,
    metrics: counters,
    roles: iam.roles,
    queues: sqs.reader,
    kinesisStreams: kinesis.streams,
    tableStreams: dynamodb.streams,
    brokersFile: config.brokers || undefined,
    secretsFile: config.secrets || undefined,
    ...sourcePorts(() => lambda),
  });
  const lambda = await createLambda({
    ...common,
    eventSourceMappings: sources.mappings,
    limits: lambdaLimits(config),
    queue: store.queue,
    invoker,
    runtimes,
    images: await openImages(config, base, sandboxes.isolation, (host) => ecr.images.at(host), parts),
    ownRegistry: ecr.images,
    codeDir: join(config.dataDir, "code"),
    profiles: new SigningProfiles(signingProfilesDir(config.dataDir)),
    localFolders: parseFolders(config.localCode),
    roles: iam.roles,
    policies,
    objects: s3.objects,
    ...recordPorts(s3, sqs, push),
    snapStartObstacle: snapStartObstacle(sandboxes),
    isolationWarning: sandboxes.isolation.namespaces ? undefined : sandboxes.isolation.missing[0],
  });
  const { sts, dynamodbStreams } = given;
  const userPools = owned(await composeUserPools(config, door, common, iam.roles, () => lambda.functions));
  const own = [lambda, s3, dynamodb, dynamodbStreams, kinesis, sqs, iam, sts, logs, ecr, userPools];
  const services = [...own, ...push.services].map(({ service }) => service);
  return { services, iam, ecr, s3, lambda, sources, push, userPools, invoker };
}

/** The courier and the event buses for those that are made before them. */
function latePush(push: () => { courier: Courier; events: EventIntake }): LatePush {
  return {
    courier: {
      fault: (target, sender) => push().courier.fault(target, sender),
      hand: (tx, parcel) => push().courier.hand(tx, parcel),
      refuse: (tx, parcel, failure) => push().courier.refuse(tx, parcel, failure),
    },
    buses: { put: (tx, event) => push().events.put(tx, event) },
  };
}

interface LatePush extends Pick<EcrDeps, "buses"> {
  readonly courier: Courier;
}

/** The services that keep something, and call no others but IAM. */
async function composeData(
  config: Config,
  door: Door,
  {
    counters,
    courier,
    buses,
    ...common
  }: { clock: Clock; ids: Ids; log: Log; counters: Metrics } & LatePush &
    Pick<Store, "database" | "blobs" | "signals">,
  store: Store,
  owned: <T extends { stop(): Promise<void> }>(service: T) => T,
) {
  const iam = owned(await createIam(common));
  const { resourcePolicies: policies, roles } = iam;
  const sts = owned(await createSts({ ...common, roles: iam.sessions }));
  const { queue } = store;
  const logs = owned(
    await createCloudwatchLogs({ ...common, queue, metrics: counters, courier, roles, policies }),
  );
  const dynamodb = owned(await createDynamoDb({ ...common, policies }));
  const dynamodbStreams = createDynamoDbStreams({ ...common, streams: dynamodb.streams, policies });
  const { shardThroughput, auth: authentication } = config;
  const kinesis = owned(
    await createKinesis({ ...common, policies, roles, shardThroughput, metrics: counters }),
  );
  const ecr = owned(
    await createEcr({ ...common, authentication, port: door.port, policies, buses, ...expiry(iam) }),
  );
  const sqs = owned(await createSqs({ ...common, ...queueing(store, iam), metrics: counters }));
  return { iam, sts, logs, dynamodb, dynamodbStreams, kinesis, ecr, sqs };
}

/** What runs functions. */
function composeInvoker(
  config: Config,
  door: Door,
  base: { clock: Clock; ids: Ids; log: Log; metrics: LambdaMetrics },
  sandboxes: SandboxProvider,
  { iam, logs }: { iam: Iam; logs: Pick<Awaited<ReturnType<typeof createCloudwatchLogs>>, "writer"> },
  parts: AsyncDisposableStack,
) {
  const runtimes = createRuntimes({ cacheDir: config.runtimesDir, log: base.log });
  const ports = createInvokePorts({ ...base, roles: iam.roles, logs: logs.writer });
  parts.defer(() => ports.flush());
  const invoker = createInvoker({
    ...base,
    sandboxes,
    runtimes,
    ports,
    endpointPort: door.port,
    stateDir: stateDir(config),
    availabilityZoneId: config.availabilityZoneId,
    limits: invokeLimits(config),
    memory: readMemory,
  });
  return { runtimes, invoker };
}

/** What SQS needs beside a database. */
function queueing({ signals, leases }: Store, { resourcePolicies, roles }: Iam) {
  return { signals, leases, policies: resourcePolicies, roles };
}

/** AWS's quotas of Lambda as this server has them. */
function lambdaLimits({ concurrencyMax, asyncConcurrency, codeCacheBytes }: Config) {
  return { concurrentExecutions: concurrencyMax, asyncConcurrency, codeCacheBytes };
}

/** When the credentials end that a token of ECR's stands for. */
function expiry({ accessKeys }: Iam): Pick<EcrDeps, "credentials"> {
  return { credentials: { expiryOf: async (id) => (await accessKeys.find(id))?.expiresAt } };
}

function invokeLimits(config: Config): InvokeLimits {
  return {
    ...INVOKE_LIMITS_DEFAULT,
    environmentsMax: config.environmentsMax,
    prebootedMax: config.prebooted,
    concurrentExecutions: config.concurrencyMax,
    streaming: {
      bytesMax: config.streamBytesMax,
      burstBytes: config.streamBurstBytes,
      bytesPerSecond: config.streamBytesPerSecond,
    },
  };
}

/** Container images, where functions have roots of their own. */
async function openImages(
  config: Config,
  base: { ids: Ids; log: Log },
  isolation: Isolation,
  own: (host: string) => OwnRegistry | undefined,
  parts: AsyncDisposableStack,
): Promise<ImageStore | undefined> {
  if (!isolation.namespaces) return undefined;
  const images = await ImageStore.open({
    ...base,
    folder: join(config.dataDir, "images"),
    mountFolder: join(stateDir(config), "images"),
    registries: {
      authFile: config.registryAuth === "" ? undefined : config.registryAuth,
      insecure: parseList(config.insecureRegistries),
      own,
    },
  });
  parts.defer(() => images.close());
  return images;
}

/** Why functions can have no SnapStart here. */
function snapStartObstacle({ capabilities, isolation }: SandboxProvider): string | undefined {
  if (capabilities.checkpoints) return undefined;
  return `functions run on ${isolation.provider} here, and only gVisor can save them; start the server with --sandbox runsc`;
}

/** Lambda's functions for those that are made before Lambda is. */
function calledFunctions(functions: () => Functions): Pick<Functions, "check" | "invokeAsync"> {
  return {
    check: (...question) => functions().check(...question),
    invokeAsync: (...event) => functions().invokeAsync(...event),
  };
}

type Push = Awaited<ReturnType<typeof composePush>>;

/** What S3 notifies beside functions. */
function notified(sqs: SqsService, push: Push) {
  return { queues: sqs.intake, topics: push.sns.topics, buses: push.events };
}

/** Where Lambda's records go beside functions. */
function recordPorts(s3: S3Service, sqs: SqsService, push: Push) {
  const recordTopics = push.sns.topics;
  return { recordBuckets: s3.objects, recordQueues: sqs.intake, recordTopics, recordBuses: push.events };
}

/** Lambda's functions and their destinations as event sources use them. */
function sourcePorts(lambda: () => LambdaService): Pick<SourcesDeps, "functions" | "destinations"> {
  return {
    functions: {
      describe: (arn) => lambda().functions.describe(arn),
      invokeSync: (arn, invocation) => lambda().functions.invokeSync(arn, invocation),
    },
    destinations: {
      fault: (...question) => lambda().records.fault(...question),
      put: (tx, delivery) => lambda().records.put(tx, delivery),
    },
  };
}

/** Where endpoints of topics and API destinations may be. */
function reachOf(config: Config, { port }: Door) {
  return {
    outbound: { policy: config.outbound, allow: parseDestinations(config.outboundAllow) },
    localEndpoints: config.localEndpoints === "on",
    serverPort: port,
  };
}

/** A policy that is accepted is enforced: where functions share the host's network, nothing could. */
function refuseUnenforced(config: Config, isolation: Isolation): void {
  if (config.outbound === "internet" || isolation.network === "isolated") return;
  throw new ConfigError(
    `outbound is "${config.outbound}", and nothing can enforce that here, since functions share the host's network ` +
      `(sandbox ${isolation.provider}). ${isolation.missing.join(" ")}`,
  );
}

function stateDir(config: Config): string {
  return join(config.dataDir, "sandboxes");
}
