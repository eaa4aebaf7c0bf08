/** GET /confirmUser: the link of a message, which confirms a sign-up. */
import { confirmSignUp } from "../operations/sign-up.ts";
import { getClient } from "../store/clients.ts";
import { OAuthError } from "./exchange.ts";
import type { Hosted, HostedAnswer } from "./exchange.ts";
import { proofOf } from "./own-form.ts";
import { textPage } from "./page.ts";

/** @throws OAuthError for a link to another pool's client, AwsError for a code that is none */
export async function followLink({ userPools, pool, request }: Hosted): Promise<HostedAnswer> {
  const { query } = request;
  const client = await getClient(userPools.database, query.get("client_id") ?? "");
  if (client?.poolId !== pool.poolId) throw new OAuthError("invalid_request", "The link names no client.");
  const Username = query.get("user_name") ?? "";
  const input = {
    ClientId: client.clientId,
    Username,
    ConfirmationCode: query.get("confirmation_code") ?? "",
    SecretHash: proofOf(client, Username),
  };
  await confirmSignUp(userPools, input, request);
  return textPage(200, "Confirmed", "Your registration has been confirmed.");
}
