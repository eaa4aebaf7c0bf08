/** Domains: the sign-in page and the OAuth endpoints, as a browser and an application use them. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import {
  AdminCreateUserCommand,
  CreateResourceServerCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolDomainCommand,
  DeleteUserPoolCommand,
  DeleteUserPoolDomainCommand,
  DescribeUserPoolDomainCommand,
  GetUserCommand,
  UpdateUserPoolCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type {
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommandInput,
} from "@aws-sdk/client-cognito-identity-provider";
import { AddPermissionCommand } from "@aws-sdk/client-lambda";
import { JwtVerifier } from "aws-jwt-verify";
import { deployFunction } from "../harness/functions.ts";
import {
  CALLBACK,
  Password,
  asked,
  browser,
  codeOf,
  exchange,
  hidden,
  makeSite,
  signIn,
} from "../harness/user-pool-sites.ts";
import { LOOSE, claims, refusal, startUserPools } from "../harness/user-pools.ts";
import type { UserPoolsSetting } from "../harness/user-pools.ts";

let setting: UserPoolsSetting;
let client: CognitoIdentityProviderClient;
before(async () => {
  setting = await startUserPools();
  client = setting.client;
});
after(() => setting.stop());

const site = (own: Partial<CreateUserPoolClientCommandInput> = {}) => makeSite(setting, own);

test("CreateUserPoolDomain, DescribeUserPoolDomain, DeleteUserPoolDomain: one a pool, and one pool a domain", async () => {
  const { id: UserPoolId, domain: Domain } = await site();
  const { DomainDescription } = await client.send(new DescribeUserPoolDomainCommand({ Domain }));
  assert.deepEqual(
    [DomainDescription?.UserPoolId, DomainDescription?.Status, DomainDescription?.AWSAccountId],
    [UserPoolId, "ACTIVE", "000000000000"],
  );
  const create = (name: string, more = {}) =>
    refusal(client.send(new CreateUserPoolDomainCommand({ Domain: name, UserPoolId, ...more })));
  assert.match(await create(Domain), /already associated/);
  assert.match(await create("another"), /already has the domain/);
  assert.match(await create("my-cognito"), /reserved word: cognito/);
  assert.match(await create("x", { ManagedLoginVersion: 2 }), /^NotImplemented: .*ManagedLoginVersion 2/);
  assert.match(await refusal(client.send(new DeleteUserPoolCommand({ UserPoolId }))), /domain configured/);
  await client.send(new DeleteUserPoolDomainCommand({ Domain, UserPoolId }));
  const gone = await client.send(new DescribeUserPoolDomainCommand({ Domain }));
  assert.deepEqual(gone.DomainDescription, {});
  await client.send(new DeleteUserPoolCommand({ UserPoolId }));
});

test("a code with PKCE: the page, the tokens, userInfo, a page that knows the user, and the logout", async () => {
  const pool = await site();
  await setting.user(pool, "ada", Password, "ada@example.com");
  const visit = browser(pool);
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const query = asked(pool, { code_challenge: challenge, code_challenge_method: "S256", nonce: "n1" });
  const refused = await signIn(visit, query, "ada", "wrong");
  assert.equal(refused.status, 400);
  assert.match(refused.body, /Incorrect username or password/);
  const { location } = await signIn(visit, query, "ada");
  assert.ok(location.startsWith(`${CALLBACK}?code=`), location);
  assert.equal(new URL(location).searchParams.get("state"), "s1");
  const grant = { grant_type: "authorization_code", client_id: pool.clientId, redirect_uri: CALLBACK };
  const tokens = await exchange(visit, { ...grant, code: codeOf(location), code_verifier: verifier });
  assert.equal(tokens.status, 200);
  const issuer = String(claims(tokens.id_token)["iss"]);
  const check = JwtVerifier.create({
    issuer,
    audience: pool.clientId,
    jwksUri: `${issuer}/.well-known/jwks.json`,
  });
  const jwks = await fetch(`${setting.server.endpoint}/${pool.id}/.well-known/jwks.json`);
  check.cacheJwks((await jwks.json()) as Parameters<typeof check.cacheJwks>[0]);
  const id = await check.verify(tokens.id_token ?? "");
  assert.deepEqual([id["nonce"], id["email"], id["email_verified"]], ["n1", "ada@example.com", true]);
  const { scope, version } = claims(tokens.access_token);
  assert.deepEqual([scope, version], ["openid email", 2]);
  const hash = createHash("sha256")
    .update(tokens.access_token ?? "")
    .digest();
  assert.equal(id["at_hash"], hash.subarray(0, 16).toString("base64url"));
  const bearer = { authorization: `Bearer ${tokens.access_token}` };
  const info = JSON.parse((await visit("/oauth2/userInfo", { headers: bearer })).body) as object;
  assert.deepEqual(info, { sub: id.sub, email: "ada@example.com", email_verified: "true", username: "ada" });
  assert.match(
    await refusal(client.send(new GetUserCommand({ AccessToken: tokens.access_token }))),
    /does not have required scopes/,
  );
  assert.equal((await visit("/oauth2/userInfo")).status, 401);
  const again = await exchange(visit, { ...grant, code: codeOf(location), code_verifier: verifier });
  assert.deepEqual([again.status, again.error], [400, "invalid_grant"]);
  const at = await visit(`/oauth2/authorize?${asked(pool, { prompt: "none" })}`);
  assert.ok(codeOf(at.location), "the page knows the user");
  const lost = await exchange(visit, { ...grant, code: codeOf(at.location), redirect_uri: "https://other" });
  assert.equal(lost.error, "invalid_grant");
  const refresh = {
    grant_type: "refresh_token",
    client_id: pool.clientId,
    refresh_token: tokens.refresh_token ?? "",
  };
  const renewed = await exchange(visit, refresh);
  assert.deepEqual([renewed.status, renewed.refresh_token], [200, undefined]);
  const form = { client_id: pool.clientId, token: tokens.refresh_token ?? "" };
  const revoked = await visit("/oauth2/revoke", { form });
  assert.deepEqual([revoked.status, revoked.body], [200, ""]);
  assert.equal((await exchange(visit, refresh)).error, "invalid_grant");
  const bye = encodeURIComponent("https://app.example.com/bye");
  const out = await visit(`/logout?client_id=${pool.clientId}&logout_uri=${bye}`);
  assert.equal(out.location, "https://app.example.com/bye");
  const gone = await visit(`/oauth2/authorize?${asked(pool, { prompt: "none" })}`);
  assert.match(gone.location, /error=login_required/);
});

test("a wrong verifier gets no tokens, and a form from elsewhere does not sign in", async () => {
  const pool = await site();
  await setting.user(pool, "bob", Password);
  const visit = browser(pool);
  const challenge = createHash("sha256").update("right").digest("base64url");
  const query = asked(pool, { code_challenge: challenge, code_challenge_method: "S256" });
  const { location } = await signIn(visit, query, "bob");
  const grant = { grant_type: "authorization_code", client_id: pool.clientId, redirect_uri: CALLBACK };
  const tokens = await exchange(visit, { ...grant, code: codeOf(location), code_verifier: "wrong" });
  assert.equal(tokens.error, "invalid_grant");
  const forged = await visit(`/login?${query}`, {
    form: { username: "bob", password: Password, _csrf: "guess" },
  });
  assert.deepEqual([forged.status, forged.location], [400, ""]);
});

test("the implicit flow tells tokens behind the hash; a new password is asked on the page", async () => {
  const pool = await site({ GenerateSecret: true });
  await client.send(
    new AdminCreateUserCommand({
      UserPoolId: pool.id,
      Username: "cat",
      TemporaryPassword: Password,
      MessageAction: "SUPPRESS",
    }),
  );
  const visit = browser(pool);
  const query = asked(pool, { response_type: "token" });
  const first = await signIn(visit, query, "cat");
  assert.match(first.body, /Choose a new password/);
  const weak = await visit(`/login?${query}`, { form: { ...hidden(first.body), NEW_PASSWORD: "x" } });
  assert.match(weak.body, /Password/);
  const { location } = await visit(`/login?${query}`, {
    form: { ...hidden(weak.body), NEW_PASSWORD: "N3w-one" },
  });
  const told = new URLSearchParams(new URL(location).hash.slice(1));
  assert.equal(claims(told.get("id_token") ?? "")["cognito:username"], "cat");
  assert.deepEqual(
    [told.get("state"), told.get("expires_in"), told.has("refresh_token")],
    ["s1", "3600", false],
  );
});

test("client_credentials: a machine with a secret, by Basic or in the form, within its scopes", async () => {
  const pool = await site();
  await client.send(
    new CreateResourceServerCommand({
      UserPoolId: pool.id,
      Identifier: "orders",
      Name: "orders",
      Scopes: [
        { ScopeName: "read", ScopeDescription: "r" },
        { ScopeName: "write", ScopeDescription: "w" },
      ],
    }),
  );
  const { UserPoolClient: machine } = await client.send(
    new CreateUserPoolClientCommand({
      UserPoolId: pool.id,
      ClientName: "machine",
      GenerateSecret: true,
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ["client_credentials"],
      AllowedOAuthScopes: ["orders/read", "orders/write"],
    }),
  );
  const { ClientId = "", ClientSecret = "" } = machine ?? {};
  const visit = browser(pool);
  const grant = { grant_type: "client_credentials" };
  const basic = `Basic ${Buffer.from(`${ClientId}:${ClientSecret}`).toString("base64")}`;
  const tokens = await exchange(visit, { ...grant, scope: "orders/read" }, { authorization: basic });
  const { sub, scope, token_use: use } = claims(tokens.access_token);
  assert.deepEqual([sub, scope, use], [ClientId, "orders/read", "access"]);
  assert.deepEqual([tokens.id_token, tokens.refresh_token], [undefined, undefined]);
  const posted = { ...grant, client_id: ClientId, client_secret: ClientSecret };
  assert.equal(claims((await exchange(visit, posted)).access_token)["scope"], "orders/read orders/write");
  const error = async (form: Record<string, string>) => (await exchange(visit, form)).error;
  assert.equal(await error({ ...posted, client_secret: "wrong" }), "invalid_client");
  assert.equal(await error({ ...posted, scope: "orders/delete" }), "invalid_scope");
  assert.equal(await error({ ...grant, client_id: pool.clientId }), "unauthorized_client");
  assert.equal(await error({ ...posted, grant_type: "password" }), "unsupported_grant_type");
});

test("what an application may not ask is told where it may be told, and pages that are not there say so", async () => {
  const pool = await site({ AllowedOAuthFlows: ["code"] });
  const visit = browser(pool);
  const at = async (more: Record<string, string>) => visit(`/oauth2/authorize?${asked(pool, more)}`);
  const elsewhere = await at({ redirect_uri: "https://evil.example.com" });
  assert.deepEqual([elsewhere.status, elsewhere.location], [400, ""]);
  assert.equal((await at({ client_id: "none" })).status, 400);
  const error = async (more: Record<string, string>) => {
    const { searchParams, hash } = new URL((await at(more)).location);
    return searchParams.get("error") ?? new URLSearchParams(hash.slice(1)).get("error");
  };
  assert.equal(await error({ response_type: "token" }), "unauthorized_client");
  assert.equal(await error({ response_type: "magic" }), "unsupported_response_type");
  assert.equal(await error({ scope: "openid phone" }), "invalid_scope");
  assert.equal(await error({ identity_provider: "Google" }), "invalid_request");
  assert.equal(await error({ code_challenge: "x", code_challenge_method: "plain" }), "invalid_request");
  assert.equal((await visit("/saml2/idpresponse")).status, 501);
  assert.equal((await visit("/nowhere")).status, 404);
  assert.equal((await browser({ ...pool, host: "nobody.auth.us-east-1.localhost" })("/login")).status, 404);
  const escaped = await visit(`/login?${asked(pool, { login_hint: '"><script>' })}`);
  assert.ok(!escaped.body.includes("<script>"));
  assert.match(String(escaped.headers["content-security-policy"]), /default-src 'none'/);
});

test("PreTokenGeneration V3_0 adds to the tokens of the page and of machines, and is told their source", async () => {
  const code = `export async function handler(event) {
    const { triggerSource, version, request, userName } = event;
    const { scopes, clientMetadata } = request;
    const told = JSON.stringify({ triggerSource, version, scopes, userName, clientMetadata });
    const accessTokenGeneration = { claimsToAddOrOverride: { told }, scopesToAdd: ["extra"] };
    return { ...event, response: { claimsAndScopeOverrideDetails: { accessTokenGeneration } } };
  }`;
  const lambda = await deployFunction(setting.server.client(), "tokens", { "index.mjs": code });
  const Principal = "cognito-idp.amazonaws.com";
  const permission = { StatementId: "pools", Action: "lambda:InvokeFunction", Principal };
  await lambda.send(new AddPermissionCommand({ FunctionName: "tokens", ...permission }));
  lambda.destroy();
  const pool = await site();
  const { id: UserPoolId } = pool;
  const LambdaArn = "arn:aws:lambda:us-east-1:000000000000:function:tokens";
  const LambdaConfig = { PreTokenGenerationConfig: { LambdaArn, LambdaVersion: "V3_0" } } as const;
  await client.send(new UpdateUserPoolCommand({ UserPoolId, ...LOOSE, LambdaConfig }));
  await setting.user(pool, "deb", Password);
  const visit = browser(pool);
  const { location } = await signIn(visit, asked(pool, { response_type: "token" }), "deb");
  const toldOf = (token: string | null | undefined) =>
    JSON.parse(String(claims(token ?? "")["told"])) as Record<string, unknown>;
  const page = new URLSearchParams(new URL(location).hash.slice(1)).get("access_token");
  assert.deepEqual(toldOf(page), {
    triggerSource: "TokenGeneration_HostedAuth",
    version: "3",
    scopes: ["openid", "email"],
    userName: "deb",
  });
  const Scopes = [{ ScopeName: "go", ScopeDescription: "go" }];
  const server = { UserPoolId, Identifier: "jobs", Name: "jobs", Scopes };
  await client.send(new CreateResourceServerCommand(server));
  const { UserPoolClient: machine } = await client.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: "machine",
      GenerateSecret: true,
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ["client_credentials"],
      AllowedOAuthScopes: ["jobs/go"],
    }),
  );
  const tokens = await exchange(visit, {
    grant_type: "client_credentials",
    client_id: machine?.ClientId ?? "",
    client_secret: machine?.ClientSecret ?? "",
    aws_client_metadata: JSON.stringify({ job: "nightly" }),
  });
  assert.deepEqual(toldOf(tokens.access_token), {
    triggerSource: "TokenGeneration_ClientCredentials",
    version: "3",
    scopes: ["jobs/go"],
    userName: machine?.ClientId,
    clientMetadata: { job: "nightly" },
  });
  const odd = await exchange(visit, {
    grant_type: "client_credentials",
    client_id: machine?.ClientId ?? "",
    client_secret: machine?.ClientSecret ?? "",
    aws_client_metadata: "[1]",
  });
  assert.equal(odd.error, "invalid_request");
  assert.equal(claims(tokens.access_token)["scope"], "jobs/go extra");
});
