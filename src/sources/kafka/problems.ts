/** What LastProcessingResult says of failures between Lambent and a cluster. https://docs.aws.amazon.com/lambda/latest/dg/with-kafka-troubleshoot.html */
import { AccessError } from "../access/access-error.ts";
import { UNTRUSTED_SERVER } from "../access/trust.ts";

const AUTHORIZATION = new Set([
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
]);
/** The cluster refused this side's certificate, or the want of one. */
const UNTRUSTED_CLIENT =
  /ALERT_(BAD_CERTIFICATE|CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|HANDSHAKE_FAILURE)/;
/** A certificate or key that cannot be read. */
const UNREADABLE_KEY = /^ERR_OSSL_|KEY_VALUES_MISMATCH|NO_START_LINE|BAD_DECRYPT/;

/** @param error Of the library, of TLS or TCP, or of a settings file. */
export function problemOf(error: unknown): string {
  if (error instanceof AccessError) return `PROBLEM: ${error.message}`;
  const all = [...chain(error)];
  const codes = all.map(({ code = "" }) => code);
  const has = (what: (text: string) => boolean) => codes.some(what);
  if (all.some(({ apiId = "" }) => AUTHORIZATION.has(apiId)))
    return "PROBLEM: Cluster failed to authorize Lambda.";
  if (has((code) => UNTRUSTED_SERVER.test(code))) return "PROBLEM: Lambda failed to authenticate server.";
  if (has((code) => UNTRUSTED_CLIENT.test(code))) return "PROBLEM: Server failed to authenticate Lambda.";
  if (has((code) => UNREADABLE_KEY.test(code)))
    return "PROBLEM: Provided certificate or private key is invalid.";
  if (has((code) => code === "PLT_KFK_AUTHENTICATION")) return "PROBLEM: SASL authentication failed.";
  return `PROBLEM: Connection error. ${reason(all)}`;
}

interface Failure {
  readonly message: string;
  readonly code?: string;
  /** The library's, of an answer of the broker's. */
  readonly apiId?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** The error, its causes, and those that it gathers: the deepest last. */
function* chain(error: unknown, depth = 0): Generator<Failure> {
  if (!(error instanceof Error) || depth > 8) return;
  const failure = error as Failure;
  yield failure;
  for (const inner of failure.errors ?? []) yield* chain(inner, depth + 1);
  yield* chain(failure.cause, depth + 1);
}

/** The deepest message says what happened; those above it only that something did. */
function reason(all: readonly Failure[]): string {
  const deepest = all.findLast(({ message }) => message !== "");
  const text = deepest?.message ?? "The cluster cannot be reached";
  return /[.!]$/.test(text) ? text : `${text}.`;
}
