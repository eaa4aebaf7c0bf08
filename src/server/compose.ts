/** The composition root: builds every object once, by hand. The one table of services stands here. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createFrontDoor } from "../aws/index.ts";
import type { FrontDoor } from "../aws/index.ts";
import type { Config } from "../config/index.ts";
import { createInvoker, createRuntimes } from "../invoke/index.ts";
import { systemClock } from "../kit/clock.ts";
import { randomIds } from "../kit/id.ts";
import { createSandboxProvider } from "../sandbox/index.ts";
import type { Isolation } from "../sandbox/index.ts";
import { createCloudwatchLogs } from "../services/cloudwatch-logs/index.ts";
import { createDynamoDb } from "../services/dynamodb/index.ts";
import { createIam } from "../services/iam/index.ts";
import { createInvokePorts, createLambda } from "../services/lambda/index.ts";
import { createS3 } from "../services/s3/index.ts";
import { createSts } from "../services/sts/index.ts";
import { openStore } from "../store/index.ts";
import type { Log } from "../telemetry/log.ts";
import { withRootCredentials } from "./root-credentials.ts";

export interface Platform {
  readonly frontDoor: FrontDoor;
  readonly isolation: Isolation;
  readonly credentialsFile: string | undefined;
  /** Answers paths under /_lambent/ that are not an AWS API; false when the request is not for them. */
  ownRoute(request: IncomingMessage, response: ServerResponse): boolean;
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
export async function compose(config: Config, door: Door, log: Log): Promise<Platform> {
  const clock = systemClock;
  const ids = randomIds;
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const store = await openStore({
    dataDir: config.dataDir,
    ...(config.databaseUrl ? { engine: "postgres", postgresUrl: config.databaseUrl } : { engine: "sqlite" }),
    clock,
    ids,
    log,
  });
  const stateDir = join(config.dataDir, "sandboxes");
  const sandboxes = await createSandboxProvider({
    kind: config.sandbox,
    stateDir,
    serverPorts: [door.port],
    outbound: config.outbound,
    log,
    ids,
  });
  const runtimes = createRuntimes({ cacheDir: config.runtimesDir, log });
  const common = { clock, ids, log, database: store.database, blobs: store.blobs };

  const iam = await createIam(common);
  const sts = await createSts({ ...common, roles: iam.sessions });
  const logs = await createCloudwatchLogs(common);
  const dynamodb = await createDynamoDb(common);
  const invokePorts = createInvokePorts({ roles: iam.roles, logs: logs.writer, clock, log });
  const invoker = createInvoker({
    sandboxes,
    runtimes,
    ports: invokePorts,
    endpointPort: door.port,
    stateDir,
    clock,
    ids,
    log,
    limits: { environmentsMax: config.environmentsMax },
  });
  // S3 calls functions and Lambda reads code from S3: the one is handed over before the other exists, and used after.
  const s3 = await createS3({
    ...common,
    functions: {
      check: (functionArn, bucketArn, account) =>
        lambda.functions.check(functionArn, "s3.amazonaws.com", bucketArn, account),
      invokeAsync: (transaction, functionArn, payload, sourceArn, sourceAccount) =>
        lambda.functions.invokeAsync(transaction, {
          functionArn,
          payload,
          principalService: "s3.amazonaws.com",
          sourceArn,
          sourceAccount,
        }),
    },
  });
  const lambda = await createLambda({
    ...common,
    queue: store.queue,
    invoker,
    runtimes,
    codeDir: join(config.dataDir, "code"),
    roles: iam.roles,
    objects: s3.objects,
  });

  const root = await withRootCredentials(config, iam.accessKeys, ids);
  const frontDoor = createFrontDoor({
    services: [lambda.service, s3.service, dynamodb.service, iam.service, sts.service, logs.service],
    accessKeys: root.accessKeys,
    authentication: config.auth,
    clock,
    ids,
    log,
    defaultRegion: config.region,
  });
  await lambda.start();

  return {
    frontDoor,
    isolation: sandboxes.isolation,
    credentialsFile: root.file,
    ownRoute: (request, response) => lambda.codeRoute(request, response),
    async stop(graceMs) {
      await lambda.stop(graceMs);
      await invoker.stop(graceMs);
    },
    async close() {
      await invokePorts.flush();
      for (const service of [s3, dynamodb, logs, sts, iam]) await service.stop();
      await sandboxes.close();
      await store.close();
    },
  };
}
