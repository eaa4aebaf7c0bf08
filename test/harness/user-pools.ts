/** A server with a client of user pools, pools to try, and what their users would have been sent. */
import { createHmac } from "node:crypto";
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  CognitoIdentityProviderServiceException,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type {
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
} from "@aws-sdk/client-cognito-identity-provider";
import { signRequest } from "../../src/aws/index.ts";
import type { StartInput } from "../../src/index.ts";
import { systemClock } from "../../src/kit/clock.ts";
import type { Clock } from "../../src/kit/clock.ts";
import { startServer } from "./server.ts";
import type { ClientOptions, TestServer } from "./server.ts";

export interface SentMessage {
  readonly medium: string;
  readonly destination: string;
  readonly username: string;
  readonly reason: string;
  readonly subject?: string;
  readonly message: string;
  readonly code: string;
  readonly replyTo?: string;
}

export interface TestPool {
  readonly id: string;
  readonly clientId: string;
  readonly secret: string | undefined;
}

/** A clock that can be put forward at once: what is due in between happens later, as after a sleep of the machine. */
export class LeapClock implements Clock {
  #ahead = 0;

  now(): number {
    return systemClock.now() + this.#ahead;
  }

  after(ms: number, action: () => void): () => void {
    return systemClock.after(ms, action);
  }

  leap(ms: number): void {
    this.#ahead += ms;
  }
}

export interface UserPoolsSetting {
  readonly server: TestServer;
  readonly client: CognitoIdentityProviderClient;
  readonly clock: LeapClock;
  pool(
    settings?: Partial<CreateUserPoolCommandInput>,
    client?: Partial<CreateUserPoolClientCommandInput>,
  ): Promise<TestPool>;
  /** Makes a confirmed user. */
  user(pool: TestPool, username: string, password: string, email?: string): Promise<void>;
  /** What the pool's users would have been sent, the newest first. */
  messages(pool: TestPool, username?: string): Promise<SentMessage[]>;
  /** The code of the newest message to a user. */
  code(pool: TestPool, username: string): Promise<string>;
  stop(): Promise<void>;
}

/** A policy that takes `Passw0rd!` and simpler ones. */
export const LOOSE = { Policies: { PasswordPolicy: { MinimumLength: 6 } } };

export const ALL_FLOWS = [
  "ALLOW_USER_PASSWORD_AUTH",
  "ALLOW_USER_SRP_AUTH",
  "ALLOW_CUSTOM_AUTH",
  "ALLOW_ADMIN_USER_PASSWORD_AUTH",
  "ALLOW_REFRESH_TOKEN_AUTH",
] as const;

export async function startUserPools(config: StartInput = {}): Promise<UserPoolsSetting> {
  const clock = new LeapClock();
  const server = await startServer({ sandbox: "process", logLevel: "error", clock, ...config });
  const client = new CognitoIdentityProviderClient(server.client());
  return {
    server,
    client,
    clock,
    pool: (settings, own) => makePool(client, settings, own),
    async user(pool, Username, Password, email) {
      const UserPoolId = pool.id;
      const UserAttributes = email
        ? [
            { Name: "email", Value: email },
            { Name: "email_verified", Value: "true" },
          ]
        : [];
      await client.send(
        new AdminCreateUserCommand({ UserPoolId, Username, UserAttributes, MessageAction: "SUPPRESS" }),
      );
      await client.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password, Permanent: true }));
    },
    messages: (pool, username) => readMessages(server.client(), pool.id, username),
    async code(pool, username) {
      const [newest] = await readMessages(server.client(), pool.id, username);
      return newest?.code ?? "";
    },
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

export async function makePool(
  client: CognitoIdentityProviderClient,
  settings: Partial<CreateUserPoolCommandInput> = {},
  own: Partial<CreateUserPoolClientCommandInput> = {},
): Promise<TestPool> {
  const { UserPool } = await client.send(
    new CreateUserPoolCommand({ PoolName: "people", ...LOOSE, ...settings }),
  );
  const id = UserPool?.Id ?? "";
  const { UserPoolClient } = await client.send(
    new CreateUserPoolClientCommand({
      UserPoolId: id,
      ClientName: "app",
      ExplicitAuthFlows: [...ALL_FLOWS],
      ...own,
    }),
  );
  return { id, clientId: UserPoolClient?.ClientId ?? "", secret: UserPoolClient?.ClientSecret };
}

/** As the command line reads them. */
export async function readMessages(
  { endpoint, credentials, region }: ClientOptions,
  poolId: string,
  username?: string,
): Promise<SentMessage[]> {
  const query = username === undefined ? "" : `?username=${encodeURIComponent(username)}`;
  const url = new URL(`/_lambent/user-pools/${poolId}/messages${query}`, endpoint);
  const headers = signRequest(
    { method: "GET", url, headers: { host: url.host }, body: new Uint8Array() },
    { ...credentials, sessionToken: undefined, region, service: "cognito-idp", date: new Date() },
  );
  const response = await fetch(url, { headers });
  const body = (await response.json()) as { messages?: SentMessage[] };
  if (!body.messages) throw new Error(`${response.status}: ${JSON.stringify(body)}`);
  return body.messages;
}

export function secretHash({ secret = "", clientId }: TestPool, username: string): string {
  return createHmac("sha256", secret)
    .update(username + clientId)
    .digest("base64");
}

/** `Code: message` of the error a request ends with. */
export async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    if (error instanceof CognitoIdentityProviderServiceException) return `${error.name}: ${error.message}`;
    throw error;
  }
  return "(accepted)";
}

/** The claims of a token, unverified. */
export function claims(token = ""): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<
    string,
    unknown
  >;
}
