/** Starts a whole server: bind first, so that the port is known and probes are answered, then compose, then open the door. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallerPresence, RequestHead } from "../aws/index.ts";
import { loadConfig } from "../config/index.ts";
import type { ConfigInput } from "../config/index.ts";
import type { Clock } from "../kit/clock.ts";
import { isHostedPage, isWellKnown } from "../services/cognito-identity-provider/index.ts";
import { isRegistryRequest } from "../services/ecr/index.ts";
import { isFunctionUrl } from "../services/lambda/index.ts";
import { isSubscriberVisit } from "../services/sns/index.ts";
import { isWebsite } from "../services/s3/index.ts";
import { createLog } from "../telemetry/log.ts";
import { foreignPage } from "./browser-guard.ts";
import { clockOf } from "./clock-file.ts";
import { compose } from "./compose.ts";
import type { Platform } from "./compose.ts";
import { answerOwnRoutes } from "./health.ts";
import { listen } from "./listen.ts";

export interface Running {
  /** `http://127.0.0.1:4566`; what AWS_ENDPOINT_URL is set to. */
  readonly endpoint: string;
  readonly dataDir: string;
  /** What this machine gives functions, one sentence for each thing that is missing. */
  readonly isolation: Platform["isolation"];
  /** With authentication on: where the root credentials of account 000000000000 lie. */
  readonly credentialsFile: string | undefined;
  /** Finishes what runs, within the configured bound, and leaves nothing behind. */
  stop(): Promise<void>;
}

/** The configuration, and what only a program can hand in. */
export interface StartInput extends ConfigInput {
  /** Time as the server sees it, retries and expiries included; a `MovableClock` lets it pass in a test. */
  readonly clock?: Clock | undefined;
}

/**
 * Starts Lambent in this process. With no `dataDir` the state lies in a temporary folder that `stop` removes;
 * with no `port` a free one is taken.
 * @throws ConfigError; an Error that names what is in the way (port in use, data directory owned by another server).
 */
export async function start({ clock: given, ...input }: StartInput = {}): Promise<Running> {
  const temporary = input.dataDir === undefined ? await mkdtemp(join(tmpdir(), "lambent-")) : undefined;
  const config = loadConfig({ port: 0, logLevel: "warn", ...input, dataDir: input.dataDir ?? temporary });
  const log = createLog(config.logLevel);
  const clock = given ?? (await clockOf(config, log));
  let platform: Platform | undefined;
  let stopping = false;
  const door = {
    handle(request: IncomingMessage, response: ServerResponse): void {
      // A page of whichever host may call a function's URL: that is what its CORS is for.
      if (platform?.urlRoute(request, response)) return;
      const page = config.auth === "off" ? foreignPage(request.headers) : undefined;
      if (page !== undefined) return refusePage(response, page);
      if (answerOwnRoutes(request, response, platform !== undefined && !stopping)) return;
      if (platform?.ownRoute(request, response)) return;
      if (platform) platform.frontDoor.handle(request, response);
      else response.writeHead(503, { "retry-after": "1" }).end("Lambent is starting\n");
    },
    answer(head: RequestHead, body: Buffer, caller: CallerPresence, sourceIp: string | undefined) {
      const { host } = head.headers;
      if (isFunctionUrl(host) || isWebsite(host) || isRegistryRequest(head.url, head.headers))
        return undefined;
      if (isSubscriberVisit(head.method, head.url, head.headers)) return undefined;
      if (isHostedPage(head.url, head.headers) || isWellKnown(head.method, head.url, head.headers))
        return undefined;
      return platform?.frontDoor.answer(head, body, caller, sourceIp);
    },
  };
  const listener = await listen(door, { host: config.host, port: config.port });
  const undo = async () => {
    await listener.close(0);
    if (temporary) await rm(temporary, { recursive: true, force: true });
  };
  try {
    platform = await compose(config, { port: listener.port, endpoint: listener.endpoint }, { clock, log });
  } catch (error) {
    await undo();
    throw error;
  }
  const running = platform;
  let stopped: Promise<void> | undefined;
  return {
    endpoint: listener.endpoint,
    dataDir: config.dataDir,
    isolation: running.isolation,
    credentialsFile: running.credentialsFile,
    stop() {
      stopping = true;
      stopped ??= (async () => {
        // The door stays open for the functions that still run; it closes after them.
        await running.stop(config.stopGraceMs);
        await listener.close(1_000);
        await running.close();
        if (temporary) await rm(temporary, { recursive: true, force: true });
      })();
      return stopped;
    },
  };
}

function refusePage(response: ServerResponse, page: string): void {
  response.writeHead(403, { "content-type": "text/plain" });
  response.end(
    `Lambent runs without authentication, so it does not serve web pages of ${page}. Start it with --auth on.\n`,
  );
}
