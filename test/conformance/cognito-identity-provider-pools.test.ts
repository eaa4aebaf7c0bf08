/** User pools themselves: their settings, clients, groups, tags and resource servers, and what is refused by name. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AddCustomAttributesCommand,
  AddUserPoolClientSecretCommand,
  AdminAddUserToGroupCommand,
  AdminListGroupsForUserCommand,
  AdminRemoveUserFromGroupCommand,
  CognitoIdentityProviderClient,
  CreateGroupCommand,
  CreateIdentityProviderCommand,
  CreateResourceServerCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  DeleteGroupCommand,
  DeleteResourceServerCommand,
  DeleteUserPoolClientCommand,
  DeleteUserPoolClientSecretCommand,
  DeleteUserPoolCommand,
  DescribeResourceServerCommand,
  DescribeUserPoolClientCommand,
  DescribeUserPoolCommand,
  GetGroupCommand,
  GetUserPoolMfaConfigCommand,
  ListWebAuthnCredentialsCommand,
  ListGroupsCommand,
  ListResourceServersCommand,
  ListTagsForResourceCommand,
  ListUserPoolClientSecretsCommand,
  ListUserPoolClientsCommand,
  ListUserPoolsCommand,
  ListUsersInGroupCommand,
  SetUserPoolMfaConfigCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateGroupCommand,
  UpdateResourceServerCommand,
  UpdateUserPoolClientCommand,
  UpdateUserPoolCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type {
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
} from "@aws-sdk/client-cognito-identity-provider";
import { refusal, startUserPools } from "../harness/user-pools.ts";
import type { UserPoolsSetting } from "../harness/user-pools.ts";

let setting: UserPoolsSetting;
let client: CognitoIdentityProviderClient;
before(async () => {
  setting = await startUserPools();
  client = setting.client;
});
after(() => setting.stop());

const creation = (input: Partial<CreateUserPoolCommandInput>) =>
  refusal(client.send(new CreateUserPoolCommand({ PoolName: "p", ...input })));

test("CreateUserPool and DescribeUserPool tell AWS's defaults, ListUserPools goes by pages, another account sees nothing", async () => {
  const { UserPool: made } = await client.send(new CreateUserPoolCommand({ PoolName: "first" }));
  assert.match(made?.Id ?? "", /^us-east-1_[0-9A-Za-z]{9}$/);
  assert.equal(made?.Arn, `arn:aws:cognito-idp:us-east-1:000000000000:userpool/${made?.Id}`);
  const { UserPool: found } = await client.send(new DescribeUserPoolCommand({ UserPoolId: made?.Id }));
  assert.deepEqual(found, made);
  assert.deepEqual(found?.Policies?.PasswordPolicy, {
    MinimumLength: 8,
    RequireUppercase: true,
    RequireLowercase: true,
    RequireNumbers: true,
    RequireSymbols: true,
    TemporaryPasswordValidityDays: 7,
  });
  assert.equal(found?.MfaConfiguration, "OFF");
  assert.equal(found?.DeletionProtection, "INACTIVE");
  assert.equal(found?.SchemaAttributes?.length, 20);
  assert.equal(found?.EstimatedNumberOfUsers, 0);
  await client.send(new CreateUserPoolCommand({ PoolName: "second" }));
  const one = await client.send(new ListUserPoolsCommand({ MaxResults: 1 }));
  const rest = await client.send(new ListUserPoolsCommand({ MaxResults: 60, NextToken: one.NextToken }));
  const names = [...(one.UserPools ?? []), ...(rest.UserPools ?? [])].map(({ Name }) => Name);
  assert.deepEqual(new Set(names), new Set(["first", "second"]));
  assert.equal(rest.NextToken, undefined);
  const other = new CognitoIdentityProviderClient(setting.server.client({ account: "111111111111" }));
  assert.deepEqual((await other.send(new ListUserPoolsCommand({ MaxResults: 9 }))).UserPools, []);
  assert.equal(
    await refusal(other.send(new DescribeUserPoolCommand({ UserPoolId: made?.Id }))),
    `ResourceNotFoundException: User pool ${made?.Id} does not exist.`,
  );
});

test("UpdateUserPool resets what it does not name, keeps the schema; DeleteUserPool heeds the protection", async () => {
  const pool = await setting.pool({
    UsernameAttributes: ["email"],
    AutoVerifiedAttributes: ["email"],
    DeletionProtection: "ACTIVE",
    EmailVerificationSubject: "Hello",
    Schema: [{ Name: "team", AttributeDataType: "String", Mutable: true }],
  });
  const UserPoolId = pool.id;
  assert.match(
    await refusal(client.send(new DeleteUserPoolCommand({ UserPoolId }))),
    /^InvalidParameterException: The user pool cannot be deleted because deletion protection is activated/,
  );
  await client.send(new UpdateUserPoolCommand({ UserPoolId, PoolName: "renamed" }));
  const { UserPool } = await client.send(new DescribeUserPoolCommand({ UserPoolId }));
  assert.equal(UserPool?.Name, "renamed");
  assert.equal(UserPool?.EmailVerificationSubject, undefined);
  assert.deepEqual(UserPool?.UsernameAttributes, ["email"]);
  assert.ok(UserPool?.SchemaAttributes?.some(({ Name }) => Name === "custom:team"));
  await client.send(new DeleteUserPoolCommand({ UserPoolId }));
  assert.match(await refusal(client.send(new DescribeUserPoolCommand({ UserPoolId }))), /does not exist/);
});

test("AddCustomAttributes adds to the schema, once each", async () => {
  const { id: UserPoolId } = await setting.pool();
  const add = (Name: string, more = {}) =>
    client.send(
      new AddCustomAttributesCommand({
        UserPoolId,
        CustomAttributes: [{ Name, AttributeDataType: "Number", ...more }],
      }),
    );
  await add("age", { NumberAttributeConstraints: { MinValue: "1", MaxValue: "150" } });
  await add("note", { DeveloperOnlyAttribute: true, AttributeDataType: "String" });
  const { UserPool } = await client.send(new DescribeUserPoolCommand({ UserPoolId }));
  const names = UserPool?.SchemaAttributes?.map(({ Name }) => Name) ?? [];
  assert.deepEqual(names.slice(-2), ["custom:age", "dev:custom:note"]);
  assert.match(await refusal(add("age")), /Existing attribute already has name custom:age/);
  assert.match(await refusal(add("x", { Required: true })), /Required custom attributes are not supported/);
});

test("what would not be done is refused by name", async () => {
  const arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
  const cases: [Partial<CreateUserPoolCommandInput>, RegExp][] = [
    [{ UserPoolTier: "PLUS" }, /UserPoolTier PLUS/],
    [{ UserPoolAddOns: { AdvancedSecurityMode: "AUDIT" } }, /AdvancedSecurityMode/],
    [{ EmailConfiguration: { EmailSendingAccount: "DEVELOPER" } }, /DEVELOPER/],
    [{ LambdaConfig: { KMSKeyID: "arn:aws:kms:us-east-1:000000000000:key/k" } }, /KMSKeyID/],
    [{ LambdaConfig: { CustomEmailSender: { LambdaVersion: "V1_0", LambdaArn: arn } } }, /CustomEmailSender/],
    [{ LambdaConfig: { CustomSMSSender: { LambdaVersion: "V1_0", LambdaArn: arn } } }, /CustomSMSSender/],
    [{ LambdaConfig: { InboundFederation: { LambdaVersion: "V1_0", LambdaArn: arn } } }, /InboundFederation/],
  ];
  for (const [input, what] of cases) {
    const said = await creation(input);
    assert.match(said, /^NotImplemented: Lambent does not implement/);
    assert.match(said, what);
  }
  assert.match(
    await refusal(client.send(new ListWebAuthnCredentialsCommand({ AccessToken: "x" }))),
    /^NotImplemented: .*ListWebAuthnCredentials/,
  );
  const provider = {
    UserPoolId: "us-east-1_x",
    ProviderName: "G",
    ProviderType: "Google",
    ProviderDetails: {},
  } as const;
  assert.match(
    await refusal(client.send(new CreateIdentityProviderCommand(provider))),
    /^NotImplemented: .*CreateIdentityProvider/,
  );
});

test("settings that cannot be are refused in AWS's words", async () => {
  assert.match(
    await creation({ AliasAttributes: ["email"], UsernameAttributes: ["email"] }),
    /^InvalidParameterException: Only one of the aliasAttributes or usernameAttributes/,
  );
  assert.match(
    await creation({ MfaConfiguration: "ON" }),
    /^InvalidParameterException: SMS configuration and Auto verification/,
  );
  assert.match(
    await creation({ LambdaConfig: { PreSignUp: "arn:aws:lambda:eu-west-1:000000000000:function:f" } }),
    /must be in the user pool's region/,
  );
  assert.match(
    await creation({
      AccountRecoverySetting: {
        RecoveryMechanisms: [
          { Name: "admin_only", Priority: 1 },
          { Name: "verified_email", Priority: 2 },
        ],
      },
    }),
    /admin_only/,
  );
  assert.match(await creation({ PoolName: "no/slash" }), /^InvalidParameterException: 1 validation error/);
});

test("GetUserPoolMfaConfig and SetUserPoolMfaConfig: TOTP alone", async () => {
  const { id: UserPoolId } = await setting.pool();
  const set = (input: object) => client.send(new SetUserPoolMfaConfigCommand({ UserPoolId, ...input }));
  const plain = ({ MfaConfiguration, SoftwareTokenMfaConfiguration }: Awaited<ReturnType<typeof set>>) => ({
    MfaConfiguration,
    SoftwareTokenMfaConfiguration,
  });
  const wanted = { MfaConfiguration: "OPTIONAL", SoftwareTokenMfaConfiguration: { Enabled: true } };
  assert.deepEqual(plain(await set(wanted)), wanted);
  assert.deepEqual(plain(await client.send(new GetUserPoolMfaConfigCommand({ UserPoolId }))), wanted);
  assert.match(await refusal(set({ EmailMfaConfiguration: {} })), /^NotImplemented: .*EmailMfa/);
  assert.match(await refusal(set({ MfaConfiguration: "ON" })), /^InvalidParameterException/);
});

test("TagResource, UntagResource and ListTagsForResource", async () => {
  const { id } = await setting.pool({ UserPoolTags: { team: "a" } });
  const ResourceArn = `arn:aws:cognito-idp:us-east-1:000000000000:userpool/${id}`;
  await client.send(new TagResourceCommand({ ResourceArn, Tags: { stage: "test" } }));
  await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ["team"] }));
  const { Tags } = await client.send(new ListTagsForResourceCommand({ ResourceArn }));
  assert.deepEqual(Tags, { stage: "test" });
  const tooMany = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`k${at}`, "v"]));
  assert.match(
    await refusal(client.send(new TagResourceCommand({ ResourceArn, Tags: tooMany }))),
    /^UserPoolTaggingException/,
  );
});

test("CreateUserPoolClient, DescribeUserPoolClient, UpdateUserPoolClient, ListUserPoolClients, DeleteUserPoolClient", async () => {
  const { id: UserPoolId, clientId: ClientId } = await setting.pool({}, { ExplicitAuthFlows: undefined });
  const { UserPoolClient: plain } = await client.send(
    new DescribeUserPoolClientCommand({ UserPoolId, ClientId }),
  );
  assert.equal(plain?.ClientSecret, undefined);
  assert.equal(plain?.RefreshTokenValidity, 30);
  assert.deepEqual(plain?.ExplicitAuthFlows, [
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_CUSTOM_AUTH",
  ]);
  const update = {
    UserPoolId,
    ClientId,
    ClientName: "web",
    AccessTokenValidity: 5,
    TokenValidityUnits: { AccessToken: "minutes" },
  } as const;
  await client.send(new UpdateUserPoolClientCommand(update));
  const made = await client.send(
    new CreateUserPoolClientCommand({ UserPoolId, ClientName: "server", GenerateSecret: true }),
  );
  assert.match(made.UserPoolClient?.ClientSecret ?? "", /^[a-z0-9]{51}$/);
  const { UserPoolClients = [] } = await client.send(new ListUserPoolClientsCommand({ UserPoolId }));
  assert.deepEqual(new Set(UserPoolClients.map(({ ClientName }) => ClientName)), new Set(["server", "web"]));
  const refused = (input: Partial<CreateUserPoolClientCommandInput>) =>
    refusal(client.send(new CreateUserPoolClientCommand({ UserPoolId, ClientName: "x", ...input })));
  assert.match(
    await refused({ AccessTokenValidity: 25 }),
    /^InvalidParameterException: Invalid range for token/,
  );
  assert.match(await refused({ ReadAttributes: ["custom:no"] }), /Invalid read attributes/);
  const invalid = "InvalidParameterException: ";
  const callback = (url: string) => refused({ CallbackURLs: [url] });
  assert.equal(
    await callback("http://a.example"),
    `${invalid}http://a.example cannot use the HTTP protocol.`,
  );
  assert.match(await callback("https://a.example/#x"), /must not have a fragment/);
  assert.match(await refused({ LogoutURLs: ["out"] }), /LogoutURLs: it must be an absolute URI/);
  assert.equal(
    await refused({ AllowedOAuthFlows: ["client_credentials"] }),
    "InvalidOAuthFlowException: client_credentials flow can not be selected if client does not have a client secret.",
  );
  const good = ["http://localhost:3000/cb", "http://127.0.0.1/cb", "com.example.app://back"];
  assert.equal(await refused({ CallbackURLs: good }), "(accepted)");
  assert.match(await refused({ SupportedIdentityProviders: ["Google"] }), /^NotImplemented: .*federation/);
  assert.match(
    await refused({ ExplicitAuthFlows: ["ALLOW_USER_SRP_AUTH", "ADMIN_NO_SRP_AUTH"] }),
    /^InvalidParameterException/,
  );
  await client.send(new DeleteUserPoolClientCommand({ UserPoolId, ClientId }));
  assert.equal(
    await refusal(client.send(new DescribeUserPoolClientCommand({ UserPoolId, ClientId }))),
    `ResourceNotFoundException: User pool client ${ClientId} does not exist.`,
  );
});

test("AddUserPoolClientSecret, ListUserPoolClientSecrets, DeleteUserPoolClientSecret: one secret replaces another", async () => {
  const { id: UserPoolId, clientId: ClientId } = await setting.pool({}, { GenerateSecret: true });
  const ids = { UserPoolId, ClientId };
  const { ClientSecretDescriptor: added } = await client.send(new AddUserPoolClientSecretCommand(ids));
  const list = async () => (await client.send(new ListUserPoolClientSecretsCommand(ids))).ClientSecrets ?? [];
  const [first, second] = await list();
  assert.equal(second?.ClientSecretId, added?.ClientSecretId);
  assert.match(
    await refusal(client.send(new AddUserPoolClientSecretCommand(ids))),
    /^LimitExceededException/,
  );
  const remove = (one: typeof first) =>
    client.send(new DeleteUserPoolClientSecretCommand({ ...ids, ClientSecretId: one?.ClientSecretId ?? "" }));
  await remove(first);
  assert.equal((await list()).length, 1);
  assert.match(await refusal(remove(second)), /last secret/);
});

test("CreateGroup, GetGroup, UpdateGroup, ListGroups, DeleteGroup; AdminAddUserToGroup, ListUsersInGroup, AdminListGroupsForUser, AdminRemoveUserFromGroup", async () => {
  const pool = await setting.pool();
  const UserPoolId = pool.id;
  await setting.user(pool, "ada", "Passw0rd!");
  for (const GroupName of ["admins", "editors"])
    await client.send(new CreateGroupCommand({ UserPoolId, GroupName, Precedence: 3 }));
  assert.match(
    await refusal(client.send(new CreateGroupCommand({ UserPoolId, GroupName: "admins" }))),
    /^GroupExistsException/,
  );
  await client.send(new UpdateGroupCommand({ UserPoolId, GroupName: "admins", Description: "all" }));
  const { Group } = await client.send(new GetGroupCommand({ UserPoolId, GroupName: "admins" }));
  assert.deepEqual([Group?.Description, Group?.Precedence], ["all", 3]);
  const one = await client.send(new ListGroupsCommand({ UserPoolId, Limit: 1 }));
  assert.deepEqual(
    one.Groups?.map(({ GroupName }) => GroupName),
    ["admins"],
  );
  const two = await client.send(new ListGroupsCommand({ UserPoolId, NextToken: one.NextToken }));
  assert.deepEqual(
    two.Groups?.map(({ GroupName }) => GroupName),
    ["editors"],
  );
  const who = { UserPoolId, Username: "ada" };
  for (const GroupName of ["admins", "editors", "admins"])
    await client.send(new AdminAddUserToGroupCommand({ ...who, GroupName }));
  const { Users } = await client.send(new ListUsersInGroupCommand({ UserPoolId, GroupName: "admins" }));
  assert.deepEqual(
    Users?.map(({ Username }) => Username),
    ["ada"],
  );
  await client.send(new AdminRemoveUserFromGroupCommand({ ...who, GroupName: "editors" }));
  const { Groups } = await client.send(new AdminListGroupsForUserCommand(who));
  assert.deepEqual(
    Groups?.map(({ GroupName }) => GroupName),
    ["admins"],
  );
  await client.send(new DeleteGroupCommand({ UserPoolId, GroupName: "admins" }));
  assert.deepEqual((await client.send(new AdminListGroupsForUserCommand(who))).Groups, []);
  assert.match(
    await refusal(client.send(new AdminAddUserToGroupCommand({ ...who, GroupName: "admins" }))),
    /^ResourceNotFoundException: Group not found/,
  );
});

test("CreateResourceServer, DescribeResourceServer, UpdateResourceServer, ListResourceServers, DeleteResourceServer", async () => {
  const { id: UserPoolId } = await setting.pool();
  const Identifier = "https://api.example.com";
  const server = (ScopeName: string) => ({
    UserPoolId,
    Identifier,
    Name: "api",
    Scopes: [{ ScopeName, ScopeDescription: "may" }],
  });
  await client.send(new CreateResourceServerCommand(server("read")));
  assert.match(await refusal(client.send(new CreateResourceServerCommand(server("read")))), /already exists/);
  const use = (scope: string) =>
    refusal(
      client.send(
        new CreateUserPoolClientCommand({
          UserPoolId,
          ClientName: "machine",
          GenerateSecret: true,
          AllowedOAuthFlows: ["client_credentials"],
          AllowedOAuthFlowsUserPoolClient: true,
          AllowedOAuthScopes: [scope],
        }),
      ),
    );
  assert.match(await use(`${Identifier}/write`), /^ScopeDoesNotExistException/);
  await client.send(new UpdateResourceServerCommand(server("write")));
  assert.equal(await use(`${Identifier}/write`), "(accepted)");
  const ids = { UserPoolId, Identifier };
  const { ResourceServer } = await client.send(new DescribeResourceServerCommand(ids));
  assert.deepEqual(ResourceServer?.Scopes, server("write").Scopes);
  const { ResourceServers = [] } = await client.send(new ListResourceServersCommand({ UserPoolId }));
  assert.equal(ResourceServers.length, 1);
  await client.send(new DeleteResourceServerCommand(ids));
  assert.match(
    await refusal(client.send(new DescribeResourceServerCommand(ids))),
    /^ResourceNotFoundException/,
  );
});
