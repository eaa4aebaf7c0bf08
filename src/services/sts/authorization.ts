/** What STS's requests need of the caller's policies. */
import { needsNothing, authorizationFrom } from "../../aws/service.ts";

type Client = typeof import("@aws-sdk/client-sts");

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html */
export const authorization = authorizationFrom<Client>({
  // The role's trust policy decides too, and may be enough by itself: the operation asks both.
  AssumeRole: needsNothing,
  GetAccessKeyInfo: () => [{ action: "sts:GetAccessKeyInfo", resource: "*" }],
  // No policy can take these away from a caller with valid credentials.
  GetCallerIdentity: needsNothing,
  GetSessionToken: needsNothing,
});
