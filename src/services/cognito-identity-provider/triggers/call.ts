/** Calls a pool's triggers: synchronously, for at most five seconds, and three times where a call could not be made. */
import { AwsError } from "../../../aws/errors.ts";
import type { RequestContext } from "../../../aws/service.ts";
import type { UserPools } from "../deps.ts";
import { TRIGGER_MS_MAX, TRIGGER_TRIES_MAX } from "../limits.ts";
import { poolArn } from "../names.ts";
import type { TriggerName } from "../pools/triggers-config.ts";
import type { TriggerOutcome } from "../ports.ts";
import type { Pool } from "../store/pools.ts";
import type { User } from "../users/user.ts";

/** What triggers are told of a request. */
export interface Asking {
  readonly sdkVersion: string;
  /** Absent from events where the request has none. */
  readonly clientMetadata: Readonly<Record<string, string>> | undefined;
  /** What a request gives to be looked at before anything is done. */
  readonly validationData?: Readonly<Record<string, string>> | undefined;
  /** Absent for what administrators do. */
  readonly clientId?: string;
}

export interface TriggerCall {
  readonly trigger: TriggerName;
  /** `PreSignUp_SignUp` */
  readonly source: string;
  readonly username: string;
  readonly request: Readonly<Record<string, unknown>>;
  /** What the function may fill. */
  readonly response: Readonly<Record<string, unknown>>;
  /** Of the event. */
  readonly version?: string;
}

export type TriggerResponse = Readonly<Record<string, unknown>>;

/** A call that did not answer in time. */
const TIMED_OUT = Symbol("timed out");
const NO_CLIENT = "CLIENT_ID_NOT_APPLICABLE";

export function askingOf(
  { headers }: Pick<RequestContext, "headers">,
  clientMetadata?: Readonly<Record<string, string>>,
  clientId?: string,
): Asking {
  const sdkVersion = sdkOf(headers["user-agent"]);
  return { sdkVersion, clientMetadata, ...(clientId !== undefined && { clientId }) };
}

function sdkOf(userAgent = ""): string {
  const [, language, version] = /^aws-sdk-(\w+)\/(\d[\w.]*)/.exec(userAgent) ?? [];
  return language && version ? `aws-sdk-${language}-${version}` : "aws-sdk-unknown-unknown";
}

/** A user's attributes as triggers are told them; where users sign in by e-mail address, that it is a name of theirs too. */
export function eventAttributes(
  { settings }: Pick<Pool, "settings">,
  { sub, status, attributes }: User,
): Record<string, string> {
  const { email } = attributes;
  const isName = email !== undefined && settings.UsernameAttributes?.includes("email") === true;
  return {
    sub,
    ...(isName && { "cognito:email_alias": email }),
    "cognito:user_status": status,
    ...attributes,
  };
}

/**
 * The response of the function that a pool has for a trigger; undefined where it has none.
 * @throws AwsError UserLambdaValidationException for the function's own error, UnexpectedLambdaException where it could not be run,
 * InvalidLambdaResponseException for an answer that is none
 */
export async function callTrigger(
  userPools: UserPools,
  pool: Pool,
  asking: Asking,
  { trigger, source, username, request, response, version = "1" }: TriggerCall,
): Promise<TriggerResponse | undefined> {
  const functionArn = pool.settings.triggers[trigger];
  if (functionArn === undefined) return undefined;
  const event = {
    version,
    region: pool.region,
    userPoolId: pool.poolId,
    userName: username,
    callerContext: { awsSdkVersion: asking.sdkVersion, clientId: asking.clientId ?? NO_CLIENT },
    triggerSource: source,
    request,
    response,
  };
  const payload = Buffer.from(JSON.stringify(event));
  const outcome = await invoke(userPools, pool, trigger, functionArn, payload);
  if (outcome.kind === "function-error")
    throw new AwsError(
      "UserLambdaValidationException",
      `${trigger} failed with error ${errorText(outcome.payload)}.`,
    );
  return readResponse(outcome.payload);
}

type Answered = Extract<TriggerOutcome, { payload: Buffer }>;

async function invoke(
  userPools: UserPools,
  pool: Pool,
  trigger: TriggerName,
  functionArn: string,
  payload: Buffer,
): Promise<Answered> {
  const { functions, log } = userPools;
  const failed = (why: string) => {
    log.warn("A trigger of a user pool could not be run", { trigger, functionArn, pool: pool.poolId, why });
    return new AwsError("UnexpectedLambdaException", `${trigger} invocation failed due to error ${why}.`);
  };
  const may = await functions.check(functionArn, poolArn(pool), pool.account);
  if (may === "missing") throw failed("ResourceNotFoundException");
  if (may === "denied") throw failed("AccessDeniedException");
  let why = "";
  for (let tries = 0; tries < TRIGGER_TRIES_MAX; tries++) {
    const outcome = await withinTime(userPools, functions.invoke(functionArn, payload));
    if (outcome === TIMED_OUT) why = "Socket timeout while invoking Lambda function";
    else if (outcome.kind === "throttled") why = "TooManyRequestsException";
    else if (outcome.kind === "failed") why = outcome.code;
    else return outcome;
  }
  throw failed(why);
}

async function withinTime(
  { clock }: Pick<UserPools, "clock">,
  outcome: Promise<TriggerOutcome>,
): Promise<TriggerOutcome | typeof TIMED_OUT> {
  const { promise: late, resolve } = Promise.withResolvers<typeof TIMED_OUT>();
  const cancel = clock.after(TRIGGER_MS_MAX, () => resolve(TIMED_OUT));
  try {
    return await Promise.race([outcome, late]);
  } finally {
    cancel();
  }
}

function errorText(payload: Buffer): string {
  try {
    const { errorMessage } = JSON.parse(payload.toString()) as { errorMessage?: unknown };
    if (typeof errorMessage === "string") return errorMessage;
  } catch {
    // A runtime that ends badly may leave anything.
  }
  return payload.toString();
}

function readResponse(payload: Buffer): TriggerResponse {
  let event: unknown;
  try {
    event = JSON.parse(payload.toString());
  } catch {
    throw invalidResponse("Invalid lambda function output : Invalid JSON");
  }
  if (!isRecord(event) || !isRecord(event["response"])) throw invalidResponse("Unrecognizable lambda output");
  return event["response"];
}

export function invalidResponse(message: string): AwsError {
  return new AwsError("InvalidLambdaResponseException", message);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member of a response that is true or false; what is left out is false. @throws AwsError for anything else */
export function flagOf(response: TriggerResponse | undefined, name: string): boolean {
  const value = response?.[name] ?? false;
  if (typeof value !== "boolean")
    throw invalidResponse(`Invalid lambda function output : ${name} is no boolean`);
  return value;
}

/** A member of a response that is a text; undefined where it is left out. @throws AwsError for anything else */
export function textOf(response: TriggerResponse | undefined, name: string): string | undefined {
  const value = response?.[name] ?? undefined;
  if (value !== undefined && typeof value !== "string")
    throw invalidResponse(`Invalid lambda function output : ${name} is no string`);
  return value;
}

/** A member of a response whose values are texts; empty where it is left out. @throws AwsError for anything else */
export function textsOf(response: TriggerResponse | undefined, name: string): Record<string, string> {
  const value = response?.[name] ?? {};
  if (!isRecord(value) || Object.values(value).some((one) => typeof one !== "string"))
    throw invalidResponse(`Invalid lambda function output : ${name} is no map of strings`);
  return value as Record<string, string>;
}
