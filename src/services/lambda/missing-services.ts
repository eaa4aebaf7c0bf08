/** Services that AWS sends the records and dead letters of events to, and that this server does not have. */

/** By the service in their ARNs. */
const MISSING: Readonly<Record<string, string>> = {
  sns: "Amazon SNS",
};

/** The name of the service that an ARN is of, where this server does not have it. */
export function missingService(arn: string): string | undefined {
  return MISSING[arn.split(":")[2] ?? ""];
}
