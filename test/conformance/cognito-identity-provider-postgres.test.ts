/** User pools on PostgreSQL, by two servers that share it: what one keeps the other takes, and a challenge is answered once. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  CognitoIdentityProviderClient,
  ConfirmSignUpCommand,
  CreateGroupCommand,
  CreateUserPoolDomainCommand,
  DeleteUserPoolCommand,
  DeleteUserPoolDomainCommand,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  ListUsersCommand,
  ListUsersInGroupCommand,
  RespondToAuthChallengeCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import type { TestPostgres } from "../harness/postgres.ts";
import { startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";
import { claims, makePool, readMessages, refusal } from "../harness/user-pools.ts";
import type { TestPool } from "../harness/user-pools.ts";

const Password = "Passw0rd!";

describe("user pools on PostgreSQL", { skip: postgresMissing() }, () => {
  let postgres: TestPostgres;
  let servers: TestServer[] = [];
  let one: CognitoIdentityProviderClient;
  let two: CognitoIdentityProviderClient;
  before(async () => {
    postgres = await startPostgres();
    const config = {
      databaseUrl: await postgres.newDatabase(),
      sandbox: "process",
      logLevel: "error",
    } as const;
    servers = [await startServer(config), await startServer(config)];
    const clients = servers.map((server) => new CognitoIdentityProviderClient(server.client()));
    [one, two] = clients as [CognitoIdentityProviderClient, CognitoIdentityProviderClient];
  });
  after(async () => {
    for (const client of [one, two]) client?.destroy();
    for (const server of servers) await server.stop();
    await postgres?.stop();
  });

  const signIn = (client: CognitoIdentityProviderClient, { clientId }: TestPool, name: string) =>
    client.send(
      new InitiateAuthCommand({
        ClientId: clientId,
        AuthFlow: "USER_PASSWORD_AUTH",
        AuthParameters: { USERNAME: name, PASSWORD: Password },
      }),
    );

  test("a user signs up at one server, is confirmed at the other, and is signed out of both", async () => {
    const pool = await makePool(one, { AutoVerifiedAttributes: ["email"], AliasAttributes: ["email"] });
    const { id: UserPoolId, clientId: ClientId } = pool;
    const UserAttributes = [{ Name: "email", Value: "ada@example.com" }];
    await one.send(new SignUpCommand({ ClientId, Username: "ada", Password, UserAttributes }));
    const options = servers[1]?.client();
    assert.ok(options);
    const [message] = await readMessages(options, UserPoolId, "ada");
    const ConfirmationCode = message?.code;
    await two.send(new ConfirmSignUpCommand({ ClientId, Username: "ada", ConfirmationCode }));
    await one.send(new CreateGroupCommand({ UserPoolId, GroupName: "g", Precedence: 1 }));
    await two.send(new AdminAddUserToGroupCommand({ UserPoolId, GroupName: "g", Username: "ada" }));
    const { Users } = await one.send(new ListUsersInGroupCommand({ UserPoolId, GroupName: "g" }));
    assert.deepEqual(
      Users?.map(({ Username }) => Username),
      ["ada"],
    );
    // Both servers make the pool's first key at once, and one of the two is taken.
    const signed = await Promise.all([one, two].map((client) => signIn(client, pool, "ada@example.com")));
    const tokens = signed.map(({ AuthenticationResult }) => AuthenticationResult?.AccessToken ?? "");
    assert.deepEqual(claims(tokens[0])["cognito:groups"], ["g"]);
    for (const AccessToken of tokens)
      for (const client of [one, two])
        assert.equal((await client.send(new GetUserCommand({ AccessToken }))).Username, "ada");
    await one.send(new GlobalSignOutCommand({ AccessToken: tokens[0] }));
    for (const AccessToken of tokens)
      assert.match(await refusal(two.send(new GetUserCommand({ AccessToken }))), /revoked/);
    const Domain = "postgres";
    await one.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain }));
    await two.send(new DeleteUserPoolDomainCommand({ UserPoolId, Domain }));
    await two.send(new DeleteUserPoolCommand({ UserPoolId }));
    assert.match(await refusal(one.send(new ListUsersCommand({ UserPoolId }))), /does not exist/);
  });

  test("a challenge that both servers are answered is taken by one", async () => {
    const pool = await makePool(one);
    await one.send(
      new AdminCreateUserCommand({
        UserPoolId: pool.id,
        Username: "bob",
        TemporaryPassword: Password,
        MessageAction: "SUPPRESS",
      }),
    );
    const { Session } = await signIn(two, pool, "bob");
    const answers = await Promise.all(
      [one, two].map((client) =>
        refusal(
          client.send(
            new RespondToAuthChallengeCommand({
              ClientId: pool.clientId,
              ChallengeName: "NEW_PASSWORD_REQUIRED",
              Session,
              ChallengeResponses: { USERNAME: "bob", NEW_PASSWORD: "An0ther!" },
            }),
          ),
        ),
      ),
    );
    assert.equal(answers.filter((said) => said === "(accepted)").length, 1, answers.join("; "));
  });
});
