/** lambda: the only file that others import. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admission } from "../../aws/index.ts";
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { every } from "../../kit/clock.ts";
import { authorization } from "./authorization.ts";
import { Catalogue, SHARED_AGE_MS_MAX } from "./catalogue.ts";
import { CodeStore } from "./code/code-store.ts";
import { answerCodeLocation } from "./code/location.ts";
import { Deployments } from "./deployments.ts";
import type { Lambda, LambdaDeps } from "./deps.ts";
import { Deliveries } from "./events/deliveries.ts";
import { Dispatcher } from "./events/dispatcher.ts";
import { EventMetrics } from "./events/event-metrics.ts";
import { Pace } from "./events/pace.ts";
import { createEventQueue } from "./events/event-queue.ts";
import { createFunctions } from "./functions-port.ts";
import type { Functions } from "./functions-port.ts";
import { withInFlight } from "./in-flight.ts";
import { LIMITS_DEFAULT } from "./limits.ts";
import { migrations } from "./migrations/index.ts";
import { operationTable } from "./operation-table.ts";
import { createDirectInvoke } from "./operations/invoke-direct.ts";
import { createRecords } from "./records-port.ts";
import type { Records } from "./records-port.ts";
import { Provisioning } from "./provisioning.ts";
import { Reservations } from "./reservations.ts";
import { settle } from "./store.ts";
import { serveUrl } from "./urls/serve.ts";

export { isFunctionUrl } from "./urls/url-host.ts";
export { SigningProfiles, VALIDITY_MONTHS_DEFAULT, signingProfilesDir } from "./signing/profiles.ts";
export type { SigningProfile } from "./signing/profiles.ts";
export { signPackage } from "./signing/sign-package.ts";
export { createInvokePorts } from "./invoke-ports.ts";
export type { LambdaDeps } from "./deps.ts";
export type { Records } from "./records-port.ts";
export type { Functions, FunctionCaller, SourceInvocation, SourceOutcome } from "./functions-port.ts";

export interface LambdaService {
  readonly service: Service;
  /** For services that call functions. */
  readonly functions: Functions;
  /** For what gives events of functions up. */
  readonly records: Records;
  /** Answers the URLs of GetFunction's Code.Location; false when the request is not for one. */
  codeRoute(request: IncomingMessage, response: ServerResponse): boolean;
  /** Answers requests to function URLs; false when the request is to none. @param admit The front door's. */
  urlRoute(request: IncomingMessage, response: ServerResponse, admit: Admission): boolean;
  /** Finishes what the last server left and begins to run queued events; called once everything is composed. */
  start(): Promise<void>;
  /** Runs no new events and waits at most `graceMs` for what runs. */
  stop(graceMs: number): Promise<void>;
}

/** Lambda over a database, a queue and blobs. */
export async function createLambda(deps: LambdaDeps): Promise<LambdaService> {
  const { clock, ids, log, database, blobs, queue } = deps;
  await database.migrate("lambda", migrations);
  const limits = { ...LIMITS_DEFAULT, ...deps.limits };
  const code = new CodeStore({ ...deps, cacheBytes: limits.codeCacheBytes });
  const catalogue = new Catalogue({ ...deps, code });
  const invoker = withInFlight(deps.invoker);
  catalogue.onSuperseded((key) => void invoker.retire(key));
  const deployments = new Deployments({ ...deps, invoker, code, catalogue });
  const reservations = new Reservations({ database, invoker });
  const provisioning = new Provisioning({ ...deps, invoker, catalogue });
  const locationSecret = await database.tx((tx) => settle(tx, "code-location-secret", ids.hex(64)));
  const eventMetrics = new EventMetrics(deps.metrics);
  const pace = new Pace();
  const lambda: Lambda = {
    ...deps,
    invoker,
    limits,
    code,
    catalogue,
    deployments,
    reservations,
    provisioning,
    events: createEventQueue({ database, queue, clock, eventMetrics, pace }),
    eventMetrics,
    locationSecret,
  };
  const deliveries = new Deliveries(lambda);
  const dispatcher = new Dispatcher({ ...lambda, deliveries, pace });
  let endReloading: (() => void) | undefined;
  const reload = () =>
    void Promise.all([reservations.load(), provisioning.load()]).catch((error: unknown) =>
      log.warn("The concurrency of functions could not be read anew", { error }),
    );
  return {
    service: {
      ...bindService("lambda", operationTable, lambda, authorization(lambda)),
      direct: createDirectInvoke(lambda),
    },
    functions: createFunctions(lambda),
    records: createRecords(lambda, deliveries),
    codeRoute: (request, response) =>
      answerCodeLocation(
        { blobs, objects: deps.objects, clock, log, secret: locationSecret },
        request,
        response,
      ),
    urlRoute: (request, response, admit) => serveUrl(lambda, request, response, admit),
    async start() {
      await code.sweep();
      await reservations.load();
      await deployments.resume();
      await provisioning.load();
      // Other servers may write to the same database; their changes are seen as late as those of functions are.
      if (database.engine !== "sqlite") endReloading = every(clock, SHARED_AGE_MS_MAX, reload);
      dispatcher.start();
      deliveries.start();
    },
    async stop(graceMs) {
      endReloading?.();
      await Promise.all([
        dispatcher.stop(graceMs),
        deliveries.stop(graceMs),
        deployments.stop(graceMs),
        provisioning.stop(),
      ]);
    },
  };
}
