/** Who SNS is to the policies of what it delivers to. https://docs.aws.amazon.com/sns/latest/dg/sns-cross-region-delivery.html */
import type { Parcel } from "../../../aws/parcel.ts";

/** Regions that AWS's accounts have only when they ask for them: those that came after March 20, 2019. */
const OPT_IN_REGIONS: ReadonlySet<string> = new Set([
  "af-south-1",
  "ap-east-1",
  "ap-east-2",
  "ap-south-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ap-southeast-5",
  "ap-southeast-6",
  "ap-southeast-7",
  "ca-west-1",
  "eu-central-2",
  "eu-south-1",
  "eu-south-2",
  "il-central-1",
  "me-central-1",
  "me-south-1",
  "mx-central-1",
]);

/** The service principal of a topic that delivers to another region, or in its own. */
export function principalOf(
  topicRegion: string,
  targetRegion: string | undefined,
): Parcel["sender"]["service"] {
  const isAbroad = targetRegion !== undefined && targetRegion !== topicRegion;
  return isAbroad && OPT_IN_REGIONS.has(topicRegion)
    ? `sns.${topicRegion}.amazonaws.com`
    : "sns.amazonaws.com";
}
