/** Triggers of signing up and of messages: what the function is told, what it may say, and what follows from its failures. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AdminCreateUserCommand,
  AdminGetUserCommand,
  AdminUpdateUserAttributesCommand,
  ConfirmForgotPasswordCommand,
  ConfirmSignUpCommand,
  ForgotPasswordCommand,
  GetUserAttributeVerificationCodeCommand,
  ResendConfirmationCodeCommand,
  SignUpCommand,
  UpdateUserPoolCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type { CognitoIdentityProviderClient } from "@aws-sdk/client-cognito-identity-provider";
import {
  AddPermissionCommand,
  PutFunctionConcurrencyCommand,
  RemovePermissionCommand,
} from "@aws-sdk/client-lambda";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { FUNCTION, Password, allTriggers, startTriggers } from "../harness/user-pool-triggers.ts";
import type { TriggerSetting } from "../harness/user-pool-triggers.ts";
import { LOOSE, makePool, readMessages, refusal } from "../harness/user-pools.ts";

const clock = new MovableClock();
const says = (what: object) => ({ say: JSON.stringify(what) });

let setting: TriggerSetting;
let client: CognitoIdentityProviderClient;
before(async () => {
  setting = await startTriggers(clock);
  client = setting.client;
});
after(() => setting.stop());

test("what a request does not say is not in the event, and an e-mail address that is a name is told as one", async () => {
  const { client } = setting;
  const pool = await makePool(client, {
    UsernameAttributes: ["email"],
    AutoVerifiedAttributes: ["email"],
    LambdaConfig: allTriggers,
  });
  const Username = "eva@example.com";
  const { id: UserPoolId, clientId: ClientId } = pool;
  await client.send(new SignUpCommand({ ClientId, Username, Password }));
  const UserAttributes = [
    { Name: "email", Value: "max@example.com" },
    { Name: "email_verified", Value: "true" },
  ];
  const { User } = await client.send(
    new AdminCreateUserCommand({
      UserPoolId,
      Username: "max@example.com",
      UserAttributes,
      MessageAction: "SUPPRESS",
    }),
  );
  assert.deepEqual(
    User?.Attributes?.map(({ Name }) => Name),
    ["sub", "email", "email_verified"],
  );
  const bare = await client.send(new AdminCreateUserCommand({ UserPoolId, Username: "una@example.com" }));
  assert.deepEqual(
    bare.User?.Attributes?.map(({ Name }) => Name),
    ["sub", "email"],
  );
  const events = await setting.seen();
  const [sign, word, made] = events.map(({ request }) => request);
  assert.deepEqual(sign, { userAttributes: { email: Username }, validationData: null });
  const { userAttributes, ...rest } = word ?? {};
  assert.equal((userAttributes as Record<string, string>)["cognito:email_alias"], Username);
  const codeParameter = "{####}";
  assert.deepEqual(rest, { codeParameter, linkParameter: "{##Click Here##}", usernameParameter: null });
  assert.deepEqual(made, {
    userAttributes: { email: "max@example.com", email_verified: "true" },
    validationData: null,
  });
});

test("SignUp, ConfirmSignUp and the first sign-in: PreSignUp, CustomMessage, PostConfirmation, PreAuthentication, PostAuthentication, PreTokenGeneration", async () => {
  const pool = await setting.triggered();
  const custom = { response: { emailMessage: "Dear, {####}!", emailSubject: "Hello" } };
  await setting.signUp(pool, "ada", { CustomMessage_SignUp: JSON.stringify(custom) });
  const [message] = await setting.messages(pool);
  assert.deepEqual([message?.subject, message?.message], ["Hello", `Dear, ${message?.code}!`]);
  const [before, word] = await setting.seen();
  assert.ok(before && word);
  const { callerContext, ...event } = before;
  assert.match(callerContext.awsSdkVersion, /^aws-sdk-(js-\d|unknown)/);
  assert.equal(callerContext.clientId, pool.clientId);
  assert.deepEqual(event, {
    version: "1",
    region: "us-east-1",
    userPoolId: pool.id,
    userName: "ada",
    triggerSource: "PreSignUp_SignUp",
    request: {
      userAttributes: { email: "ada@example.com" },
      validationData: { invited: "yes" },
      clientMetadata: { CustomMessage_SignUp: JSON.stringify(custom) },
    },
    response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
  });
  assert.equal(word.triggerSource, "CustomMessage_SignUp");
  assert.equal(word.request["codeParameter"], "{####}");
  assert.ok(!JSON.stringify(word).includes(message?.code ?? "?"), "the function is not told the code");
  await client.send(
    new ConfirmSignUpCommand({
      ClientId: pool.clientId,
      Username: "ada",
      ConfirmationCode: message?.code,
    }),
  );
  await setting.signIn(pool, "ada", { hello: "there" });
  const rest = await setting.seen();
  assert.deepEqual(
    rest.map(({ triggerSource }) => triggerSource),
    [
      "PostConfirmation_ConfirmSignUp",
      "PreAuthentication_Authentication",
      "PostAuthentication_Authentication",
      "TokenGeneration_Authentication",
    ],
  );
  const attributes = rest[0]?.request["userAttributes"] as Record<string, string>;
  assert.equal(attributes["cognito:user_status"], "CONFIRMED");
  assert.equal(attributes["email_verified"], "true");
  assert.deepEqual(rest[1]?.request["validationData"], { hello: "there" });
  assert.equal(rest[2]?.request["newDeviceUsed"], false);
  assert.deepEqual(rest[3]?.request["groupConfiguration"], {
    groupsToOverride: [],
    iamRolesToOverride: [],
    preferredRole: null,
  });
});

test("PreSignUp confirms and verifies, or refuses with its own words", async () => {
  const pool = await setting.triggered();
  const made = await setting.signUp(pool, "bea", {
    PreSignUp_SignUp: JSON.stringify({ response: { autoConfirmUser: true, autoVerifyEmail: true } }),
  });
  assert.equal(made.UserConfirmed, true);
  assert.deepEqual(await setting.sources(), ["PreSignUp_SignUp", "PostConfirmation_ConfirmSignUp"]);
  assert.equal(
    await refusal(setting.signUp(pool, "cat", says({ error: "Cannot register user" }))),
    "UserLambdaValidationException: PreSignUp failed with error Cannot register user.",
  );
  const unknown = client.send(new AdminGetUserCommand({ UserPoolId: pool.id, Username: "cat" }));
  assert.match(await refusal(unknown), /^UserNotFoundException/);
  const raw = (value: unknown) => refusal(setting.signUp(pool, "cat", says({ raw: value })));
  assert.equal(await raw(null), "InvalidLambdaResponseException: Unrecognizable lambda output");
  assert.equal(await raw("text"), "InvalidLambdaResponseException: Unrecognizable lambda output");
  assert.match(await raw({ response: { autoConfirmUser: "yes" } }), /^InvalidLambdaResponseException/);
  await setting.seen();
});

test("what users are sent is worded for each occasion, and confirmed passwords are told", async () => {
  const pool = await setting.triggered();
  const { clientId: ClientId, id: UserPoolId } = pool;
  const Username = "dan";
  await setting.signUp(pool, Username);
  await client.send(new ResendConfirmationCodeCommand({ ClientId, Username }));
  const ConfirmationCode = await setting.code(pool, Username);
  await client.send(new ConfirmSignUpCommand({ ClientId, Username, ConfirmationCode }));
  await client.send(new ForgotPasswordCommand({ ClientId, Username }));
  await client.send(
    new ConfirmForgotPasswordCommand({
      ClientId,
      Username,
      ConfirmationCode: await setting.code(pool, Username),
      Password: "An0ther!",
    }),
  );
  const { AuthenticationResult } = await setting.signIn(pool, Username, {}, "An0ther!");
  const AccessToken = AuthenticationResult?.AccessToken;
  await client.send(new GetUserAttributeVerificationCodeCommand({ AccessToken, AttributeName: "email" }));
  await client.send(
    new AdminUpdateUserAttributesCommand({
      UserPoolId,
      Username,
      UserAttributes: [{ Name: "email", Value: "new@example.com" }],
    }),
  );
  const invitation = { response: { emailMessage: "{username}: {####}" } };
  await client.send(
    new AdminCreateUserCommand({
      UserPoolId,
      Username: "guest",
      UserAttributes: [{ Name: "email", Value: "guest@example.com" }],
      ClientMetadata: { CustomMessage_AdminCreateUser: JSON.stringify(invitation) },
    }),
  );
  const [invited] = await readMessages(setting.server.client(), UserPoolId, "guest");
  assert.equal(invited?.message, `guest: ${invited?.code}`);
  const events = await setting.seen();
  assert.deepEqual(
    events
      .map(({ triggerSource }) => triggerSource)
      .filter((source) => /Message|Confirm|PreSign/.test(source)),
    [
      "PreSignUp_SignUp",
      "CustomMessage_SignUp",
      "CustomMessage_ResendCode",
      "PostConfirmation_ConfirmSignUp",
      "CustomMessage_ForgotPassword",
      "PostConfirmation_ConfirmForgotPassword",
      "CustomMessage_VerifyUserAttribute",
      "CustomMessage_UpdateUserAttribute",
      "PreSignUp_AdminCreateUser",
      "CustomMessage_AdminCreateUser",
    ],
  );
  const admin = events.find(({ triggerSource }) => triggerSource === "PreSignUp_AdminCreateUser");
  assert.equal(admin?.callerContext.clientId, "CLIENT_ID_NOT_APPLICABLE");
});

test("a function that may not be called, is gone, throttled or too slow: UnexpectedLambdaException, after three tries where they help", async () => {
  const pool = await setting.triggered({ PreSignUp: FUNCTION });
  const failed = (why: string) =>
    `UnexpectedLambdaException: PreSignUp invocation failed due to error ${why}.`;
  await setting.lambda.send(
    new PutFunctionConcurrencyCommand({ FunctionName: "trigger", ReservedConcurrentExecutions: 0 }),
  );
  assert.equal(await refusal(setting.signUp(pool, "eve")), failed("TooManyRequestsException"));
  await setting.lambda.send(
    new PutFunctionConcurrencyCommand({ FunctionName: "trigger", ReservedConcurrentExecutions: 20 }),
  );
  const slow = refusal(setting.signUp(pool, "eve", says({ waitMs: 1_500 })));
  // Each of the three tries is given up after five seconds of the server's clock.
  for (let at = 0; at < 3; at++) {
    await sleep(150);
    await clock.advance(5_000);
  }
  assert.equal(await slow, failed("Socket timeout while invoking Lambda function"));
  const missing = { PreSignUp: `${FUNCTION}-missing` };
  await client.send(new UpdateUserPoolCommand({ UserPoolId: pool.id, ...LOOSE, LambdaConfig: missing }));
  assert.equal(await refusal(setting.signUp(pool, "eve")), failed("ResourceNotFoundException"));
  await client.send(
    new UpdateUserPoolCommand({ UserPoolId: pool.id, ...LOOSE, LambdaConfig: { PreSignUp: FUNCTION } }),
  );
  await setting.lambda.send(new RemovePermissionCommand({ FunctionName: "trigger", StatementId: "pools" }));
  assert.equal(await refusal(setting.signUp(pool, "eve")), failed("AccessDeniedException"));
  const permission = { FunctionName: "trigger", StatementId: "pools", Action: "lambda:InvokeFunction" };
  const Principal = "cognito-idp.amazonaws.com";
  const SourceArn = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/other";
  await setting.lambda.send(new AddPermissionCommand({ ...permission, Principal, SourceArn }));
  assert.equal(await refusal(setting.signUp(pool, "eve")), failed("AccessDeniedException"), "another pool's");
  await setting.lambda.send(new AddPermissionCommand({ ...permission, StatementId: "all", Principal }));
  assert.equal((await setting.signUp(pool, "eve")).UserConfirmed, false);
  // What the slow function still does is over.
  await sleep(1_500);
  await setting.seen();
});
