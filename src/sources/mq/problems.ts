/** What LastProcessingResult says of failures between Lambent and a message broker. */
import { AccessError } from "../access/access-error.ts";
import { UNTRUSTED_SERVER } from "../access/trust.ts";

/** The broker's answers to a wrong user or password: RabbitMQ's, and ActiveMQ's. */
const UNAUTHENTICATED =
  /ACCESS_REFUSED|ACCESS-REFUSED|unauthorized-access|User name \[.*\] or password is invalid|authentication/i;
const UNAUTHORIZED = /access to (queue|vhost|exchange) .* refused|is not authorized to/i;
const MISSING_QUEUE = /NOT[_-]FOUND - no queue|was deleted/i;

export function problemOf(error: unknown): string {
  if (error instanceof AccessError) return `PROBLEM: ${error.message}`;
  const {
    message = "",
    code,
    condition,
  } = (error ?? {}) as {
    message?: string;
    code?: string | number;
    condition?: string;
  };
  const all = `${message} ${code ?? ""} ${condition ?? ""}`;
  if (UNAUTHORIZED.test(all)) return "PROBLEM: Broker failed to authorize Lambda.";
  if (UNAUTHENTICATED.test(all)) return "PROBLEM: Broker failed to authenticate Lambda.";
  if (UNTRUSTED_SERVER.test(all))
    return `PROBLEM: Connection error. The broker's certificate is not trusted: ${code}. Where an authority of your own signed it, the file of brokers names that as "ca".`;
  if (MISSING_QUEUE.test(all)) return `PROBLEM: Queue not found. ${sentence(message)}`;
  return `PROBLEM: Connection error. ${sentence(message || String(code ?? "The broker cannot be reached"))}`;
}

function sentence(text: string): string {
  return /[.!]$/.test(text) ? text : `${text}.`;
}
