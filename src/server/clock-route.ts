/** `/_lambent/clock`: what time it is for a server, and with `--dev` how it is moved ahead. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Config } from "../config/index.ts";
import type { Clock } from "../kit/clock.ts";
import { InTurn } from "../kit/in-turn.ts";
import { MovableClock } from "../kit/movable-clock.ts";
import type { Database } from "../store/database.ts";
import type { DueRunner } from "../store/due-runner.ts";
import { untilIdle } from "../store/queue/outstanding.ts";
import type { Log } from "../telemetry/log.ts";
import { keepAhead } from "./clock-file.ts";
import { isLocal } from "./local-request.ts";

interface ClockRouteDeps {
  readonly clock: Clock;
  readonly config: Pick<Config, "dev" | "dataDir">;
  readonly log: Log;
  /** What comes due on the way; each at its own time. */
  readonly runners: readonly DueRunner[];
  readonly database: Database;
}

/** Longest way of one request, in milliseconds: 31 days. */
const ADVANCE_MS_MAX = 31 * 86_400_000;
/** On a longer way time leaps, by so much at most, in milliseconds: what comes every second would else be called millions of times. */
const LEAP_MS = 3_600_000;
/** How long one request waits for what runs, in milliseconds of the machine; then time goes on over it. */
const PATIENCE_MS = 10_000;
const BODY_BYTES_MAX = 1_024;

interface Refusal {
  readonly status: number;
  readonly message: string;
}

/**
 * Answers the route; its `handle` is false when a request is not for it. Only this machine moves a clock, and no page in a browser does: it could
 * not send this content type without asking first.
 */
export function createClockRoute(
  deps: ClockRouteDeps,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const turns = new InTurn();
  return (request, response) => {
    if (request.url?.split("?", 1)[0] !== "/_lambent/clock") return false;
    const { clock } = deps;
    const refusal = refusalOf(deps, request);
    if (refusal || !(clock instanceof MovableClock)) {
      answer(response, refusal?.status ?? 409, { message: refusal?.message ?? UNMOVABLE });
    } else if (request.method === "GET") answer(response, 200, shown(clock));
    else
      turns
        .run("clock", async () => {
          const ms = await readAdvance(request);
          if (ms === undefined) return answer(response, 400, { message: WRONG_BODY });
          await keepAhead(deps.config.dataDir, clock.aheadMs + ms);
          await advance(clock, deps, ms);
          answer(response, 200, shown(clock));
        })
        .catch((error: unknown) => {
          deps.log.error("The clock could not be moved", { error });
          answer(response, 500, { message: "the clock could not be moved; the server's log says why" });
        });
    return true;
  };
}

const UNMOVABLE = "the clock of this server does not move: start it with --dev";
const WRONG_BODY = `the body must be {"advance": MILLISECONDS}, at most ${ADVANCE_MS_MAX} (31 days)`;

function refusalOf({ config }: ClockRouteDeps, request: IncomingMessage): Refusal | undefined {
  if (!isLocal(request)) return { status: 403, message: "the clock answers to this machine only" };
  if (config.dev === "off") return { status: 409, message: UNMOVABLE };
  if (request.method === "GET") return undefined;
  if (request.method !== "POST") return { status: 405, message: "the clock takes GET and POST" };
  const isJson = request.headers["content-type"]?.split(";", 1)[0] === "application/json";
  if (!isJson) return { status: 415, message: "the body must be application/json" };
  return request.headers.origin === undefined
    ? undefined
    : { status: 403, message: "the clock does not answer to web pages" };
}

/** Moves from one thing that is due to the next, and lets each be done before time goes on. */
async function advance(clock: MovableClock, deps: ClockRouteDeps, ms: number): Promise<void> {
  const end = clock.now() + ms;
  const leaps = ms > LEAP_MS;
  let patienceMs = PATIENCE_MS;
  for (;;) {
    const [due, queue] = [await settle(deps.runners), await untilIdle({ ...deps, clock }, patienceMs)];
    patienceMs = queue.patienceMs;
    const next = Math.min(due, queue.next ?? Infinity);
    if (next > end) break;
    await move(clock, next, leaps);
  }
  await move(clock, end, leaps);
  await settle(deps.runners);
  await untilIdle({ ...deps, clock }, patienceMs);
}

/** @param leaps Whether time leaps, at most an hour at once. */
async function move(clock: MovableClock, end: number, leaps: boolean): Promise<void> {
  if (!leaps) return clock.advance(Math.max(0, end - clock.now()));
  while (clock.now() < end) await clock.leap(Math.min(LEAP_MS, end - clock.now()));
}

/** Does what is due. @returns when the next is, in epoch milliseconds; Infinity when nothing is. */
async function settle(runners: readonly DueRunner[]): Promise<number> {
  const times = await Promise.all(runners.map((runner) => runner.settle()));
  return Math.min(...times.map((at) => at ?? Infinity));
}

async function readAdvance(request: IncomingMessage): Promise<number | undefined> {
  let body = "";
  for await (const chunk of request) {
    body += (chunk as Buffer).toString("latin1");
    if (body.length > BODY_BYTES_MAX) return undefined;
  }
  try {
    const ms = (JSON.parse(body) as { advance?: unknown } | null)?.advance;
    return typeof ms === "number" && ms >= 0 && ms <= ADVANCE_MS_MAX ? ms : undefined;
  } catch {
    return undefined;
  }
}

function shown(clock: MovableClock) {
  return { now: new Date(clock.now()).toISOString(), aheadMs: Math.round(clock.aheadMs) };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
}
