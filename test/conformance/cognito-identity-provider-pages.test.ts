/** The pages of a domain beyond the password: signing up, confirming, forgotten passwords, second factors; at the pool's path too. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AdminCreateUserCommand,
  AdminGetUserCommand,
  AdminResetUserPasswordCommand,
  SetUserPoolMfaConfigCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type {
  CognitoIdentityProviderClient,
  CreateUserPoolCommandInput,
  SetUserPoolMfaConfigCommandInput,
} from "@aws-sdk/client-cognito-identity-provider";
import { totpCode } from "../../src/services/cognito-identity-provider/auth/totp.ts";
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
import type { Browser, Site } from "../harness/user-pool-sites.ts";
import { claims, refusal, startUserPools } from "../harness/user-pools.ts";
import type { UserPoolsSetting } from "../harness/user-pools.ts";

let setting: UserPoolsSetting;
let client: CognitoIdentityProviderClient;
before(async () => {
  setting = await startUserPools();
  client = setting.client;
});
after(() => setting.stop());

const byEmail: Partial<CreateUserPoolCommandInput> = {
  UsernameAttributes: ["email"],
  AutoVerifiedAttributes: ["email"],
};
const statusOf = async ({ id: UserPoolId }: Site, Username: string) =>
  (await client.send(new AdminGetUserCommand({ UserPoolId, Username }))).UserStatus;

/** Fills in the first form of a page. */
async function send(visit: Browser, page: { body: string }, fields: Record<string, string>) {
  const action = /<form method="post" action="([^"]+)"/.exec(page.body)?.[1]?.replaceAll("&amp;", "&");
  assert.ok(action, page.body);
  return visit(action, { form: { ...hidden(page.body), ...fields } });
}

test("sign-up on the page: what the pool requires, a code, and the way back to the application", async () => {
  const pool = await makeSite(
    setting,
    { GenerateSecret: true },
    {
      ...byEmail,
      Schema: [{ Name: "name", Required: true }],
    },
  );
  const visit = browser(pool);
  const query = asked(pool);
  const login = await visit(`/login?${query}`);
  assert.match(login.body, /href="\/signup\?[^"]*client_id/);
  const empty = await visit(`/signup?${query}`);
  assert.match(empty.body, /Email address <input type="email" name="username" value="" required>/);
  assert.match(empty.body, /name="userAttributes.name" value="" required/);
  const ada = { username: "ada@example.com", "userAttributes.name": "Ada", password: Password };
  const weak = await send(visit, empty, { ...ada, password: "x" });
  assert.equal(weak.status, 400);
  assert.match(weak.body, /Password not long enough/);
  assert.match(weak.body, /value="ada@example.com"/);
  const code = await send(visit, weak, ada);
  assert.match(code.body, /A code was sent to a\*\*\*@e\*\*\*/);
  const wrong = await send(visit, code, { code: "nonsense" });
  assert.match(wrong.body, /Invalid verification code provided/);
  // Who comes back another day and knows the password is asked for the code again.
  const later = await signIn(browser(pool), query, ada.username);
  assert.match(later.body, /User is not confirmed/);
  const again = await visit(`/resendcode?${query}`, { form: hidden(wrong.body) });
  assert.match(again.body, /A code was sent/);
  const back = await send(visit, again, { code: await setting.code(pool, ada.username) });
  assert.ok(back.location.startsWith(`${CALLBACK}?code=`), back.body);
  const basic = `Basic ${Buffer.from(`${pool.clientId}:${pool.secret}`).toString("base64")}`;
  const grant = { grant_type: "authorization_code", redirect_uri: CALLBACK, code: codeOf(back.location) };
  const { id_token: token } = await exchange(visit, grant, { authorization: basic });
  assert.deepEqual([claims(token)["email"], claims(token)["email_verified"]], [ada.username, true]);
  assert.equal(await statusOf(pool, ada.username), "CONFIRMED");
  const taken = await send(visit, await visit(`/signup?${query}`), ada);
  assert.match(taken.body, /already exists/);
});

test("another user's code does not sign in who has yet to be confirmed", async () => {
  const pool = await makeSite(setting, {}, { AutoVerifiedAttributes: ["email"] });
  const visit = browser(pool);
  const join = async (username: string) => {
    const page = await visit(`/signup?${asked(pool)}`);
    const fields = { username, "userAttributes.email": `${username}@example.com`, password: Password };
    return send(visit, page, fields);
  };
  const [eve, fay] = [await join("eve"), await join("fay")];
  const session = hidden(eve.body)["session"] ?? "";
  const swapped = await send(visit, fay, { session, code: await setting.code(pool, "fay") });
  assert.deepEqual([swapped.location, await statusOf(pool, "eve")], ["", "UNCONFIRMED"]);
  assert.match(swapped.body, /Your account is confirmed/);
});

test("a sign-up is confirmed by a link, where the pool says so and has a page for it to lead to", async () => {
  const settings: Partial<CreateUserPoolCommandInput> = {
    AutoVerifiedAttributes: ["email"],
    VerificationMessageTemplate: {
      DefaultEmailOption: "CONFIRM_WITH_LINK",
      EmailMessageByLink: "Dear user, {##this is the way##}.",
      EmailSubjectByLink: "The way in",
    },
  };
  const pool = await makeSite(setting, { GenerateSecret: true, AllowedOAuthFlows: ["code"] }, settings);
  const visit = browser(pool);
  const page = await visit(`/signup?${asked(pool)}`);
  const ada = { username: "ada", "userAttributes.email": "ada@example.com", password: Password };
  assert.match((await send(visit, page, ada)).body, /A code was sent/);
  const [message] = await setting.messages(pool, "ada");
  assert.equal(message?.subject, "The way in");
  const [, href = "", text] = /<a href="([^"]+)">(.*)<\/a>/.exec(message?.message ?? "") ?? [];
  assert.equal(text, "this is the way");
  const link = href.replaceAll("&amp;", "&");
  assert.ok(link.startsWith(`http://localhost:${new URL(pool.endpoint).port}/${pool.id}/confirmUser?`), link);
  const wrong = await fetch(link.replace(/code=\d+/, "code=000000"));
  assert.equal(wrong.status, 400);
  assert.match(await wrong.text(), /Invalid verification code/);
  const right = await fetch(link);
  assert.match(await right.text(), /Your registration has been confirmed/);
  assert.equal(await statusOf(pool, "ada"), "CONFIRMED");
  assert.equal((await fetch(link)).status, 400);
  const bare = await setting.pool(settings);
  const UserAttributes = [{ Name: "email", Value: "bob@example.com" }];
  const signUp = { ClientId: bare.clientId, Username: "bob", Password, UserAttributes };
  assert.match(
    await refusal(client.send(new SignUpCommand(signUp))),
    /^CodeDeliveryFailureException: .*domain/,
  );
});

test("a pool whose users administrators make has no sign-up page; forms from elsewhere change nothing", async () => {
  const AdminCreateUserConfig = { AllowAdminCreateUserOnly: true };
  const closed = await makeSite(setting, {}, { AdminCreateUserConfig });
  const visit = browser(closed);
  assert.ok(!(await visit(`/login?${asked(closed)}`)).body.includes("/signup"));
  assert.match((await visit(`/signup?${asked(closed)}`)).body, /SignUp is not permitted/);
  const open = await makeSite(setting);
  const form = { username: "eve", password: Password, code: "1", _csrf: "guess" };
  for (const path of [
    "/signup",
    "/confirmUser",
    "/resendcode",
    "/forgotPassword",
    "/confirmForgotPassword",
  ]) {
    const forged = await browser(open)(`${path}?${asked(open)}`, { form });
    assert.match(forged.body, /not from this page/, path);
  }
});

test("a forgotten password, and one that an administrator reset, at the pool's path on the server's host", async () => {
  const pool = await makeSite(setting, {}, { AutoVerifiedAttributes: ["email"] });
  await setting.user(pool, "bob", Password, "bob@example.com");
  const { endpoint } = pool;
  const visit = browser({ endpoint });
  const query = asked(pool);
  const sent = await visit(`/${pool.id}/oauth2/authorize?${query}`);
  assert.ok(sent.location.startsWith(`/${pool.id}/login?`));
  const login = await visit(sent.location);
  assert.match(String(login.headers["set-cookie"]), new RegExp(`Path=/${pool.id}/;`));
  const [, link = ""] = /href="([^"]*forgotPassword[^"]*)"/.exec(login.body) ?? [];
  const ask = await visit(link.replaceAll("&amp;", "&"));
  const nobody = await send(visit, ask, { username: "nobody" });
  assert.match(nobody.body, /User does not exist/);
  const page = await send(visit, ask, { username: "bob" });
  const wrong = await send(visit, page, { code: "000000", password: "N3w-one" });
  assert.match(wrong.body, /Invalid verification code/);
  const code = await setting.code(pool, "bob");
  const done = await send(visit, wrong, { code, password: "N3w-one" });
  assert.match(done.body, /Your password is changed/);
  const { location } = await send(visit, login, { username: "bob", password: "N3w-one" });
  assert.ok(location.startsWith(`${CALLBACK}?code=`));
  const known = await visit(`/${pool.id}/oauth2/authorize?${asked(pool, { prompt: "none" })}`);
  assert.ok(codeOf(known.location));
  await client.send(new AdminResetUserPasswordCommand({ UserPoolId: pool.id, Username: "bob" }));
  const reset = await send(visit, login, { username: "bob", password: "N3w-one" });
  assert.match(reset.body, /Password reset required/);
  const set = await send(visit, reset, { code: await setting.code(pool, "bob"), password: Password });
  assert.match(set.body, /Your password is changed/);
});

test("the discovery document names addresses that are there, and a pool without a domain has none", async () => {
  const pool = await makeSite(setting, { AllowedOAuthFlows: ["code"] });
  const { endpoint } = pool;
  const read = async (id: string) => {
    const found = await fetch(`${endpoint}/${id}/.well-known/openid-configuration`);
    return (await found.json()) as Record<string, string>;
  };
  const { authorization_endpoint: authorize, token_endpoint: token } = await read(pool.id);
  const first = await fetch(`${authorize}?${asked(pool)}`, { redirect: "manual" });
  assert.equal(first.status, 302);
  const refused = await fetch(token ?? "", {
    method: "POST",
    body: new URLSearchParams({ grant_type: "x" }),
  });
  assert.deepEqual(await refused.json(), {
    error: "unsupported_grant_type",
    error_description: "grant_type is x",
  });
  const bare = await setting.pool();
  assert.equal((await read(bare.id))["authorization_endpoint"], undefined);
  const none = await fetch(`${endpoint}/${bare.id}/login?${asked(bare)}`);
  assert.equal(none.status, 404);
  assert.match(await none.text(), /has no domain/);
});

test("a second factor on the page: set up where the pool requires it, asked for the next time", async () => {
  const pool = await makeSite(setting);
  const config: SetUserPoolMfaConfigCommandInput = { UserPoolId: pool.id, MfaConfiguration: "ON" };
  const SoftwareTokenMfaConfiguration = { Enabled: true };
  await client.send(new SetUserPoolMfaConfigCommand({ ...config, SoftwareTokenMfaConfiguration }));
  const { id: UserPoolId } = pool;
  await client.send(
    new AdminCreateUserCommand({
      UserPoolId,
      Username: "cat",
      TemporaryPassword: Password,
      MessageAction: "SUPPRESS",
    }),
  );
  const visit = browser(pool);
  const query = asked(pool);
  const first = await signIn(visit, query, "cat");
  const setUp = await send(visit, first, { NEW_PASSWORD: "N3w-one" });
  assert.match(setUp.body, /Set up an authenticator/);
  const { secret = "" } = hidden(setUp.body);
  assert.match(setUp.body, new RegExp(`otpauth://totp/people:cat\\?secret=${secret}`));
  const wrong = await send(visit, setUp, { SOFTWARE_TOKEN_MFA_CODE: "000000" });
  assert.match(wrong.body, /Code mismatch/);
  const code = () => totpCode(secret, setting.clock.now());
  const back = await send(visit, wrong, { SOFTWARE_TOKEN_MFA_CODE: code() });
  assert.ok(codeOf(back.location), back.body);
  const factors = await client.send(new AdminGetUserCommand({ UserPoolId, Username: "cat" }));
  assert.deepEqual(factors.UserMFASettingList, ["SOFTWARE_TOKEN_MFA"]);
  setting.clock.leap(60_000);
  const other = browser(pool);
  const asks = await signIn(other, query, "cat", "N3w-one");
  assert.match(asks.body, /Enter the code of your authenticator/);
  assert.ok(codeOf((await send(other, asks, { SOFTWARE_TOKEN_MFA_CODE: code() })).location));
});
