/** STS: who calls, and temporary credentials that are real. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import type { Credentials } from "@aws-sdk/client-sts";
import { startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";

let server: TestServer;
let iam: IAMClient;
let sts: STSClient;
before(async () => {
  server = await startServer();
  iam = new IAMClient(server.client());
  sts = new STSClient(server.client());
});
after(async () => {
  iam.destroy();
  sts.destroy();
  await server.stop();
});

const ACCOUNT = "000000000000";
const fails = (work: Promise<unknown>, name: string, message: string | RegExp) =>
  assert.rejects(work, { name, message });

async function makeRole(RoleName: string, Principal: object, more: object = {}): Promise<string> {
  const made = await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal, Action: "sts:AssumeRole", ...more }],
      }),
    }),
  );
  return made.Role?.Arn ?? "";
}

/** A client that signs with given credentials. */
function as(credentials: Partial<Credentials> | undefined, endpoint = server.client()): STSClient {
  return new STSClient({
    ...endpoint,
    credentials: {
      accessKeyId: credentials?.AccessKeyId ?? "",
      secretAccessKey: credentials?.SecretAccessKey ?? "",
      ...(credentials?.SessionToken !== undefined && { sessionToken: credentials.SessionToken }),
    },
  });
}

async function makeUser(UserName: string): Promise<STSClient> {
  await iam.send(new CreateUserCommand({ UserName }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return as(AccessKey);
}

test("GetCallerIdentity answers the account's root, a user, and an assumed role", async () => {
  const root = await sts.send(new GetCallerIdentityCommand({}));
  assert.equal(root.Arn, `arn:aws:iam::${ACCOUNT}:root`);
  assert.equal(root.Account, ACCOUNT);
  const other = new STSClient(server.client({ account: "111122223333" }));
  assert.equal((await other.send(new GetCallerIdentityCommand({}))).Account, "111122223333");
  const user = await makeUser("ann");
  const asUser = await user.send(new GetCallerIdentityCommand({}));
  assert.equal(asUser.Arn, `arn:aws:iam::${ACCOUNT}:user/ann`);
  assert.match(asUser.UserId ?? "", /^AIDA/);
  const RoleArn = await makeRole("seen", { AWS: ACCOUNT });
  const { Credentials, AssumedRoleUser } = await sts.send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: "me" }),
  );
  const role = as(Credentials);
  const asRole = await role.send(new GetCallerIdentityCommand({}));
  assert.equal(asRole.Arn, `arn:aws:sts::${ACCOUNT}:assumed-role/seen/me`);
  assert.equal(asRole.UserId, AssumedRoleUser?.AssumedRoleId);
  for (const client of [other, user, role]) client.destroy();
});

test("AssumeRole gives credentials for as long as was asked, an hour by default", async () => {
  const RoleArn = await makeRole("timed", { AWS: ACCOUNT });
  const assume = (DurationSeconds?: number) =>
    sts.send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: "me", ...(DurationSeconds && { DurationSeconds }) }),
    );
  const { Credentials, PackedPolicySize } = await assume();
  assert.match(Credentials?.AccessKeyId ?? "", /^ASIA[A-Z2-7]{16}$/);
  const left = (Credentials?.Expiration?.getTime() ?? 0) - Date.now();
  assert.ok(left > 3_500_000 && left <= 3_601_000, `${left} ms`);
  assert.equal(PackedPolicySize, undefined);
  assert.ok(((await assume(900)).Credentials?.Expiration?.getTime() ?? 0) - Date.now() < 901_000);
  await fails(
    assume(3_601),
    "ValidationError",
    "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
  );
  await fails(assume(899), "ValidationError", /durationSeconds.*greater than or equal to 900/);
});

test("AssumeRole keeps to the trust policy", async () => {
  const denied = (RoleArn: string) =>
    fails(
      sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "me" })),
      "AccessDenied",
      `User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`,
    );
  await denied(`arn:aws:iam::${ACCOUNT}:role/ghost`);
  await denied(await makeRole("for-lambda", { Service: "lambda.amazonaws.com" }));
  const guarded = await makeRole(
    "guarded",
    { AWS: "111122223333" },
    {
      Condition: { StringEquals: { "sts:ExternalId": "secret" } },
    },
  );
  const other = new STSClient(server.client({ account: "111122223333" }));
  const assume = (ExternalId: string) =>
    other.send(new AssumeRoleCommand({ RoleArn: guarded, RoleSessionName: "me", ExternalId }));
  await fails(assume("wrong"), "AccessDenied", /is not authorized to perform: sts:AssumeRole/);
  assert.ok((await assume("secret")).Credentials);
  other.destroy();
});

test("AssumeRole asks a user's own policies where the trust policy names the account only", async () => {
  const user = await makeUser("delegate");
  const byAccount = await makeRole("by-account", { AWS: `arn:aws:iam::${ACCOUNT}:root` });
  const byName = await makeRole("by-name", { AWS: `arn:aws:iam::${ACCOUNT}:user/delegate` });
  const assume = (RoleArn: string) => user.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "me" }));
  assert.ok((await assume(byName)).Credentials);
  await fails(assume(byAccount), "AccessDenied", /user\/delegate is not authorized/);
  await iam.send(
    new AttachUserPolicyCommand({
      UserName: "delegate",
      PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
    }),
  );
  assert.ok((await assume(byAccount)).Credentials);
  await iam.send(
    new PutUserPolicyCommand({
      UserName: "delegate",
      PolicyName: "never",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Deny", Action: "sts:AssumeRole", Resource: byName }],
      }),
    }),
  );
  await fails(assume(byName), "AccessDenied", /user\/delegate is not authorized/);
  user.destroy();
});

test("AssumeRole limits a chained session to an hour, and ends sessions with their role", async () => {
  const first = await makeRole("chain", { AWS: ACCOUNT });
  await iam.send(
    new CreateRoleCommand({
      RoleName: "chained",
      MaxSessionDuration: 43_200,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { AWS: first }, Action: "sts:AssumeRole" }],
      }),
    }),
  );
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: first, RoleSessionName: "me" }));
  const chain = as(Credentials);
  const assume = (DurationSeconds: number) =>
    chain.send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/chained`,
        RoleSessionName: "me",
        DurationSeconds,
      }),
    );
  await fails(assume(7_200), "ValidationError", /1 hour session limit for roles assumed by role chaining/);
  assert.ok((await assume(3_600)).Credentials);
  await iam.send(new DeleteRoleCommand({ RoleName: "chain" }));
  // With authentication off an unknown key is the account's root.
  assert.equal((await chain.send(new GetCallerIdentityCommand({}))).Arn, `arn:aws:iam::${ACCOUNT}:root`);
  chain.destroy();
});

test("AssumeRole checks session policies and refuses what it does not do, by name", async () => {
  const RoleArn = await makeRole("scoped", { AWS: ACCOUNT });
  const assume = (more: object) =>
    sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "me", ...more }));
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }],
  });
  const arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
  assert.ok(((await assume({ Policy, PolicyArns: [{ arn }] })).PackedPolicySize ?? 0) > 0);
  await fails(
    assume({ Policy: Policy.replace("s3:GetObject", `s3:${"x".repeat(2_048)}`) }),
    "PackedPolicyTooLargeException",
    /^Packed policy consumes \d+% of allotted space/,
  );
  await fails(assume({ Policy: "{}" }), "MalformedPolicyDocumentException", "Syntax errors in policy.");
  await fails(
    assume({ PolicyArns: [{ arn: `${arn}Not` }] }),
    "ValidationError",
    /does not exist or is not attachable/,
  );
  await fails(assume({ Tags: [{ Key: "a", Value: "b" }] }), "NotImplemented", /session Tags/);
  await fails(assume({ SourceIdentity: "someone" }), "NotImplemented", /SourceIdentity/);
  await fails(assume({ SerialNumber: "123456789", TokenCode: "123456" }), "NotImplemented", /multi-factor/);
});

test("GetSessionToken gives a user's credentials, and GetAccessKeyInfo knows their account", async () => {
  const user = await makeUser("session");
  const { Credentials } = await user.send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
  const session = as(Credentials);
  const who = await session.send(new GetCallerIdentityCommand({}));
  assert.equal(who.Arn, `arn:aws:iam::${ACCOUNT}:user/session`);
  await fails(
    session.send(new GetSessionTokenCommand({})),
    "AccessDenied",
    "Cannot call GetSessionToken with session credentials",
  );
  const info = await sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: Credentials?.AccessKeyId }));
  assert.equal(info.Account, ACCOUNT);
  await fails(
    sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: "AKIAAAAAAAAAAAAAAAAA" })),
    "ValidationError",
    /Invalid Access Key ID/,
  );
  user.destroy();
  session.destroy();
});

test("AssumeRoleWithWebIdentity is refused by name", async () => {
  await fails(
    sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/web`,
        RoleSessionName: "me",
        WebIdentityToken: "token",
      }),
    ),
    "NotImplemented",
    /AssumeRoleWithWebIdentity/,
  );
});

test("AssumeRole's credentials are verified with authentication on, and survive a restart", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-sts-"));
  try {
    const Credentials = await lastingCredentials(dataDir);
    const second = await startServer({ dataDir, auth: "on" });
    try {
      const identify = async (credentials: Partial<Credentials> | undefined) => {
        const client = as(credentials, second.client());
        try {
          return await client.send(new GetCallerIdentityCommand({}));
        } finally {
          client.destroy();
        }
      };
      assert.equal((await identify(Credentials)).Arn, `arn:aws:sts::${ACCOUNT}:assumed-role/lasting/me`);
      await fails(identify({ ...Credentials, SessionToken: "bm90IGl0" }), "InvalidClientTokenId", /./);
      await fails(identify({ ...Credentials, SecretAccessKey: "wrong" }), "SignatureDoesNotMatch", /./);
    } finally {
      await second.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

/** Opens a session of a new role on a server of its own, which is stopped again. */
async function lastingCredentials(dataDir: string): Promise<Partial<Credentials> | undefined> {
  const first = await startServer({ dataDir, auth: "off" });
  const admin = new IAMClient(first.client());
  const caller = new STSClient(first.client());
  try {
    const { Role } = await admin.send(
      new CreateRoleCommand({
        RoleName: "lasting",
        AssumeRolePolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "sts:AssumeRole" }],
        }),
      }),
    );
    const assumed = await caller.send(new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: "me" }));
    return assumed.Credentials;
  } finally {
    admin.destroy();
    caller.destroy();
    await first.stop();
  }
}
