/** Whether a request comes from this machine. */
import type { IncomingMessage } from "node:http";

/** A proxy on this machine that hands on requests of others says so. */
export function isLocal({ socket, headers }: IncomingMessage): boolean {
  const { remoteAddress = "" } = socket;
  const isHandedOn = headers["x-forwarded-for"] !== undefined || headers.forwarded !== undefined;
  return !isHandedOn && (remoteAddress === "::1" || /^(::ffff:)?127\./.test(remoteAddress));
}
