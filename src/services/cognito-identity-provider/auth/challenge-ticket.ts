/** The ticket of a challenge: looked at first, so that who mistypes may try again, and taken once it is answered. */
import { expiredSession, invalidParameter, invalidSession } from "../errors.ts";
import type { ChallengeState, ChallengeTicket, Door } from "./door.ts";
import { readTicket, takeTicket } from "./tickets.ts";

export interface ClaimedTicket {
  /** @throws AwsError for one that is none, has ended, or is of another client or challenge */
  look(): Promise<{ readonly ticket: ChallengeTicket }>;
  /** @throws AwsError where somebody has taken it meanwhile */
  take(): Promise<void>;
}

export function claimTicket(
  { userPools, client, pool }: Pick<Door, "userPools" | "client" | "pool">,
  name: string,
  given: string | undefined,
): ClaimedTicket {
  const secret = given ?? "";
  return {
    async look() {
      if (secret === "") throw invalidParameter("Missing required parameter Session");
      const ticket = await readTicket<ChallengeState>(userPools, "challenge", secret);
      if (!ticket) throw expiredSession();
      if (ticket.clientId !== client.clientId || ticket.poolId !== pool.poolId) throw invalidSession();
      if (ticket.state.name !== name) throw invalidSession();
      return { ticket };
    },
    async take() {
      if (!(await takeTicket(userPools, "challenge", secret))) throw invalidSession();
    },
  };
}
