/** Where a new bucket goes: the LocationConstraint against the region that the request was signed for. */
import { s3Error } from "./errors.ts";

const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;

/** The old name of Ireland, which S3 still takes. */
const EU = "EU";

/**
 * @throws InvalidLocationConstraint for what is no region, IllegalLocationConstraintException where a regional
 * endpoint is asked for another region, or for none.
 */
export function regionOf(constraint: string, endpointRegion: string): string {
  if (constraint === "") {
    if (endpointRegion !== "us-east-1") throw s3Error("IllegalLocationConstraintException");
    return "us-east-1";
  }
  const region = constraint === EU ? "eu-west-1" : constraint;
  // us-east-1 is said by saying nothing.
  if (!REGION.test(region) || (region === "us-east-1" && endpointRegion === "us-east-1"))
    throw s3Error("InvalidLocationConstraint", { LocationConstraint: constraint });
  if (endpointRegion !== "us-east-1" && region !== endpointRegion)
    throw s3Error(
      "IllegalLocationConstraintException",
      {},
      `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    );
  return region;
}
