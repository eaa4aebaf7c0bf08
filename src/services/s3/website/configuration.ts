/** Website configurations: which S3 takes, in its words. */
import type { Input } from "../../../aws/service.ts";
import { invalidArgument, invalidRequest, s3Error } from "../errors.ts";
import { ROUTING_RULES_MAX } from "../limits.ts";
import type { Client } from "../operations/client.ts";

/** As it was given, as it is stored (JSON), and as it is answered. */
export type Website = NonNullable<Input<Client, "PutBucketWebsite">["WebsiteConfiguration"]>;
export type RoutingRule = NonNullable<Website["RoutingRules"]>[number];

/** @throws MalformedXML, InvalidArgument, InvalidRequest */
export function checkWebsite(website: Website | undefined): Website {
  if (!website) throw s3Error("MalformedXML");
  const { RedirectAllRequestsTo: all, IndexDocument: index, ErrorDocument: error } = website;
  const rules = website.RoutingRules ?? [];
  if (all) {
    if (index || error || rules.length > 0)
      throw invalidRequest(
        "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
      );
    if (!all.HostName) throw s3Error("MalformedXML");
    checkProtocol(all.Protocol);
    return website;
  }
  if (!index)
    throw invalidArgument(
      "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
      "IndexDocument",
      null,
    );
  if (!index.Suffix || index.Suffix.includes("/"))
    throw invalidArgument("The IndexDocument Suffix is not well formed", "IndexDocument", index.Suffix ?? "");
  if (error && !error.Key)
    throw invalidArgument("The ErrorDocument Key is not well formed", "ErrorDocument", "");
  if (rules.length > ROUTING_RULES_MAX)
    throw invalidRequest(
      `${rules.length} routing rules provided, the number of routing rules in a website configuration is limited to ${ROUTING_RULES_MAX}.`,
    );
  for (const rule of rules) checkRule(rule);
  return website;
}

function checkRule({ Condition: condition, Redirect: redirect }: RoutingRule): void {
  if (condition) {
    const { HttpErrorCodeReturnedEquals: code, KeyPrefixEquals: prefix } = condition;
    if (code === undefined && prefix === undefined)
      throw invalidRequest(
        "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.",
      );
    if (code !== undefined && !/^[45]\d\d$/.test(code))
      throw invalidRequest(
        `The provided HTTP error code (${code}) is not valid. Valid codes are 4XX or 5XX.`,
      );
  }
  if (!redirect || Object.values(redirect).every((one) => one === undefined)) throw s3Error("MalformedXML");
  if (redirect.ReplaceKeyWith !== undefined && redirect.ReplaceKeyPrefixWith !== undefined)
    throw invalidRequest("You can only define ReplaceKeyPrefix or ReplaceKey but not both.");
  const status = redirect.HttpRedirectCode;
  if (status !== undefined && (!/^3\d\d$/.test(status) || status === "300"))
    throw invalidRequest(
      `The provided HTTP redirect code (${status}) is not valid. Valid codes are 3XX except 300.`,
    );
  checkProtocol(redirect.Protocol);
}

function checkProtocol(protocol: string | undefined): void {
  if (protocol !== undefined && protocol !== "http" && protocol !== "https")
    throw invalidRequest(
      "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.",
    );
}

/** @throws InvalidRedirectLocation for an x-amz-website-redirect-location that leads nowhere */
export function checkRedirectLocation(location: string): string {
  if (!/^(\/|https?:\/\/)/.test(location)) throw s3Error("InvalidRedirectLocation");
  return location;
}
