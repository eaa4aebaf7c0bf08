/** One sign-in under way: for whom it is, what it is at, and what came of a step. */
import type { UserPools } from "../deps.ts";
import type { PoolClient } from "../store/clients.ts";
import type { Pool } from "../store/pools.ts";
import { getUser } from "../store/users.ts";
import type { Asking } from "../triggers/call.ts";
import type { TokenSource } from "../triggers/pre-token.ts";
import { sessionMs } from "../clients/settings.ts";
import type { User } from "../users/user.ts";
import type { SrpExchange, Verifier } from "./srp.ts";
import { giveTicket } from "./tickets.ts";
import type { GiveOptions, Ticket } from "./tickets.ts";

/** What a sign-in is through: a client of a pool. */
export interface Door {
  readonly userPools: UserPools;
  readonly pool: Pool;
  readonly client: PoolClient;
  readonly asking: Asking;
  /** The key of the device that the request says it is from. */
  readonly device?: string | undefined;
}

/** What a custom challenge has come to. */
export interface CustomState {
  readonly username: string;
  readonly rounds: readonly Round[];
  readonly srpA?: string;
  readonly privateParameters?: Readonly<Record<string, string>>;
  readonly metadata?: string;
}

export interface Round {
  readonly challengeName: string;
  readonly challengeResult: boolean;
  readonly challengeMetadata?: string;
}

/** What is asked of a user next, as it is kept until they answer. */
export type ChallengeState =
  | {
      readonly name: "PASSWORD_VERIFIER";
      readonly username: string;
      readonly exchange: SrpExchange;
      /** Of users who are not there: nobody has the password of one. */
      readonly verifier?: Verifier;
      readonly custom?: CustomState;
    }
  | { readonly name: "SELECT_CHALLENGE" | "PASSWORD"; readonly username: string }
  | { readonly name: "NEW_PASSWORD_REQUIRED" }
  | { readonly name: "SOFTWARE_TOKEN_MFA" | "SELECT_MFA_TYPE"; readonly source: TokenSource }
  | {
      readonly name: "SMS_MFA";
      readonly source: TokenSource;
      readonly code: string;
      /** The number that it was sent to. */
      readonly phone: string;
    }
  | {
      readonly name: "MFA_SETUP";
      readonly source: TokenSource;
      readonly secret?: string;
      readonly isVerified?: boolean;
    }
  | { readonly name: "CUSTOM_CHALLENGE"; readonly custom: CustomState }
  | { readonly name: "DEVICE_SRP_AUTH"; readonly deviceKey: string }
  | {
      readonly name: "DEVICE_PASSWORD_VERIFIER";
      readonly deviceKey: string;
      readonly exchange: SrpExchange;
    };

export type ChallengeTicket = Ticket<ChallengeState>;

/** What a step leads to: another challenge, or somebody who is signed in. */
export type Outcome =
  | {
      readonly kind: "challenge";
      readonly name: ChallengeState["name"];
      /** To come back with. */
      readonly session: string;
      readonly parameters: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "signed-in";
      readonly user: User;
      readonly source: TokenSource;
      /** The key of the device, once it has proved itself. */
      readonly device?: string;
    };

/**
 * Asks for something, and waits for the answer as long as the client's sessions live.
 * @param options.again The session of the challenge before, where the answer to this one may come by it.
 */
export async function challenge(
  { userPools, pool, client }: Door,
  user: User | undefined,
  state: ChallengeState,
  parameters: Readonly<Record<string, string>>,
  options?: GiveOptions,
): Promise<Outcome> {
  const ticket = {
    kind: "challenge" as const,
    poolId: pool.poolId,
    clientId: client.clientId,
    key: user?.key ?? "",
    state,
  };
  const session = await giveTicket(userPools, ticket, sessionMs(client.settings), options);
  return { kind: "challenge", name: state.name, session, parameters };
}

type ProofState = Extract<ChallengeState, { name: "PASSWORD_VERIFIER" | "DEVICE_PASSWORD_VERIFIER" }>;

/** Asks for a proof by SRP; the session is the block that the proof is made over. @param salt Hexadecimal. */
export async function askProof(
  door: Door,
  user: User | undefined,
  state: ProofState,
  salt: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const outcome = await challenge(door, user, state, parameters);
  if (outcome.kind !== "challenge") return outcome;
  const SECRET_BLOCK = Buffer.from(outcome.session, "base64url").toString("base64");
  return { ...outcome, parameters: { SALT: salt, SECRET_BLOCK, SRP_B: state.exchange.b, ...parameters } };
}

/** The user of a ticket; undefined for one who was not there, or is gone. */
export async function userOfTicket(
  { userPools, pool }: Pick<Door, "userPools" | "pool">,
  { key }: Pick<ChallengeTicket, "key">,
): Promise<User | undefined> {
  return key === "" ? undefined : getUser(userPools.database, pool.poolId, key);
}
