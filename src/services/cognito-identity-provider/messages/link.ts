/** The link by which a sign-up is confirmed, where the pool wants that and no code. */
import { AwsError } from "../../../aws/errors.ts";
import type { UserPools } from "../deps.ts";
import { domainOfPool } from "../store/oauth.ts";
import type { CodePurpose } from "../store/codes.ts";
import type { Pool } from "../store/pools.ts";
import type { Asking } from "../triggers/call.ts";
import type { User } from "../users/user.ts";
import type { Destination } from "./message.ts";

/**
 * Undefined where the code itself is sent.
 * @throws AwsError CodeDeliveryFailureException for a pool without pages for the link to lead to
 */
export async function confirmationLink(
  { database, pages }: Pick<UserPools, "database" | "pages">,
  pool: Pool,
  { username }: User,
  { clientId }: Asking,
  { purpose, to, code }: { readonly purpose: CodePurpose; readonly to: Destination; readonly code: string },
): Promise<string | undefined> {
  const { DefaultEmailOption: option } = pool.settings.VerificationMessageTemplate ?? {};
  if (option !== "CONFIRM_WITH_LINK" || purpose !== "sign-up" || to.attribute !== "email") return undefined;
  if ((await domainOfPool(database, pool.poolId)) === undefined)
    throw new AwsError(
      "CodeDeliveryFailureException",
      `A link to confirm needs a domain: CreateUserPoolDomain gives user pool ${pool.poolId} one.`,
    );
  const query = new URLSearchParams({
    client_id: clientId ?? "",
    user_name: username,
    confirmation_code: code,
  });
  return `${pages}/${pool.poolId}/confirmUser?${query.toString()}`;
}
