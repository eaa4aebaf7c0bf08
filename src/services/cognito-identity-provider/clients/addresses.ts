/** The addresses to which a client's users are sent back. */
import { invalidParameter } from "../errors.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Absolute, without a fragment, and by HTTP only to this machine; an app's own scheme will do.
 * @throws AwsError InvalidParameterException
 * @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html (CallbackURLs)
 */
export function checkAddresses(what: string, addresses: readonly string[] = []): void {
  for (const address of addresses) {
    if (!URL.canParse(address))
      throw invalidParameter(`${address} cannot be used in ${what}: it must be an absolute URI.`);
    const { protocol, hostname } = new URL(address);
    if (address.includes("#"))
      throw invalidParameter(`${address} cannot be used in ${what}: it must not have a fragment.`);
    if (protocol === "http:" && !LOOPBACK.has(hostname))
      throw invalidParameter(`${address} cannot use the HTTP protocol.`);
  }
}
