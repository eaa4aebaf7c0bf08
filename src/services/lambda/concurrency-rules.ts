/** What functions of an account may claim of its concurrency. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
import { invalidParameter } from "./errors.ts";
import { UNRESERVED_CONCURRENCY_MIN } from "./limits.ts";

/** What a claim is held against. */
export interface Claims {
  /** The account's concurrent executions. */
  readonly limit: number;
  /** What all functions of the account claim, this one included. */
  readonly claimed: number;
  /** What this function has reserved; undefined when that is nothing of its own. */
  readonly reserved: number | undefined;
  /** What this function has provisioned over its versions and aliases. */
  readonly provisioned: number;
}

/** @throws InvalidParameterValueException in AWS's words. */
export function checkReservation(wanted: number, claims: Claims): void {
  if (wanted < claims.provisioned)
    throw invalidParameter(
      `ReservedConcurrentExecutions ${wanted} should not be lower than function's total provisioned concurrency [${claims.provisioned}].`,
    );
  if (wanted > (claims.reserved ?? claims.provisioned))
    checkUnreserved("ReservedConcurrentExecutions", wanted, claims);
}

/** @param wanted Over all versions and aliases of the function. @throws InvalidParameterValueException in AWS's words. */
export function checkProvisioned(wanted: number, claims: Claims): void {
  if (claims.reserved === undefined) {
    if (wanted > claims.provisioned) checkUnreserved("ConcurrentExecutions", wanted, claims);
  } else if (wanted > claims.reserved)
    throw invalidParameter(
      "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
    );
}

/** Functions without a reservation keep something, however small the account is. */
function checkUnreserved(member: string, wanted: number, claims: Claims): void {
  const { limit, claimed, reserved, provisioned } = claims;
  const least = Math.min(UNRESERVED_CONCURRENCY_MIN, limit);
  if (limit - (claimed - (reserved ?? provisioned) + wanted) < least)
    throw invalidParameter(
      `Specified ${member} for function decreases account's UnreservedConcurrentExecution below its minimum value of [${least}].`,
    );
}
