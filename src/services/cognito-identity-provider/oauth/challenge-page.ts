/** What the pages ask after the password: another one, a code of an authenticator or by SMS, which of both, or to set one up. */
import { AwsError } from "../../../aws/errors.ts";
import type { Door, Outcome } from "../auth/door.ts";
import { respond } from "../auth/respond.ts";
import { associateSoftwareToken, verifySoftwareToken } from "../operations/mfa.ts";
import { askingOf } from "../triggers/call.ts";
import { grantNew, readAuthorize } from "./authorize.ts";
import type { AuthorizeRequest } from "./authorize.ts";
import { OAuthError } from "./exchange.ts";
import type { Hosted, HostedAnswer } from "./exchange.ts";
import { hidden, ownPage, proofOf } from "./own-form.ts";
import type { Field, Link } from "./page.ts";

interface Question {
  readonly title: string;
  readonly field: Field;
}

const CODE: Field = { name: "SOFTWARE_TOKEN_MFA_CODE", label: "Code", type: "text" };
const QUESTIONS: Readonly<Record<string, Question>> = {
  SOFTWARE_TOKEN_MFA: { title: "Enter the code of your authenticator", field: CODE },
  NEW_PASSWORD_REQUIRED: {
    title: "Choose a new password",
    field: { name: "NEW_PASSWORD", label: "New password", type: "password" },
  },
  SMS_MFA: {
    title: "Enter the code that was sent to your phone",
    field: { name: "SMS_MFA_CODE", label: "Code", type: "text" },
  },
  MFA_SETUP: { title: "Set up an authenticator", field: CODE },
};
/** What a button says that chooses a factor. */
const FACTORS: Readonly<Record<string, string>> = {
  SMS_MFA: "Send a code to your phone",
  SOFTWARE_TOKEN_MFA: "Use your authenticator",
};
/** What goes with a question from page to page, so that who mistypes is asked the same again. */
const KEPT = ["challenge", "session", "username", "missing", "secret", "destination", "factors"];
/** Of AWS's errors those after which the same question is asked again. */
const AGAIN = new Set([
  "CodeMismatchException",
  "InvalidPasswordException",
  "PasswordHistoryPolicyViolationException",
  "EnableSoftwareTokenMFAException",
]);

/**
 * What the pages ask only of clients that have them.
 * @throws OAuthError, RedirectError
 */
export async function readPages(hosted: Hosted): Promise<AuthorizeRequest> {
  const asked = await readAuthorize(hosted);
  const { SupportedIdentityProviders: providers = [] } = asked.client.settings;
  if (!providers.includes("COGNITO"))
    throw new OAuthError(
      "invalid_request",
      "Login pages unavailable: the client's SupportedIdentityProviders must have COGNITO.",
    );
  return asked;
}

export function doorOf({ userPools, pool, client, request }: AuthorizeRequest): Door {
  return { userPools, pool, client, asking: askingOf(request, undefined, client.clientId) };
}

/** Where a step of a sign-in leads: back to the application, or to the next question. */
export async function next(asked: AuthorizeRequest, outcome: Outcome): Promise<HostedAnswer> {
  if (outcome.kind === "signed-in") return grantNew(asked, outcome.user);
  const { name, session, parameters } = outcome;
  const required = JSON.parse(parameters["requiredAttributes"] ?? "[]") as string[];
  const kept = new URLSearchParams({
    challenge: name,
    session,
    username: parameters["USER_ID_FOR_SRP"] ?? "",
    missing: required.join(" "),
  });
  const factors = JSON.parse(parameters["MFAS_CAN_CHOOSE"] ?? "[]") as string[];
  kept.set("factors", factors.join(" "));
  kept.set("destination", parameters["CODE_DELIVERY_DESTINATION"] ?? "");
  if (name === "MFA_SETUP") {
    if (!asked.pool.settings.softwareTokenMfa)
      throw new OAuthError(
        "access_denied",
        "The user pool requires a code by SMS, and your account has no phone number: ask an administrator to add it.",
      );
    const made = await associateSoftwareToken(asked.userPools, { Session: session }, asked.request);
    kept.set("session", made.Session ?? "");
    kept.set("secret", made.SecretCode ?? "");
  }
  return questionPage(asked, kept);
}

/** Takes the answer to a question. */
export async function answerQuestion(asked: AuthorizeRequest): Promise<HostedAnswer> {
  const { form } = asked.request;
  try {
    return await next(asked, await answered(asked, form));
  } catch (error) {
    if (error instanceof AwsError && AGAIN.has(error.code)) return questionPage(asked, form, error.message);
    throw error;
  }
}

async function answered(asked: AuthorizeRequest, form: URLSearchParams): Promise<Outcome> {
  const { userPools, request, client } = asked;
  const challenge = form.get("challenge") ?? "";
  const username = form.get("username") ?? "";
  let session = form.get("session") ?? undefined;
  if (challenge === "MFA_SETUP") {
    const UserCode = form.get(CODE.name) ?? "";
    session = (await verifySoftwareToken(userPools, { Session: session, UserCode }, request)).Session;
  }
  const given = [...form].filter(([name]) =>
    /^(SOFTWARE_TOKEN_MFA_CODE|SMS_MFA_CODE|ANSWER|NEW_PASSWORD|userAttributes\..+)$/.test(name),
  );
  const SECRET_HASH = proofOf(client, username);
  const responses = {
    ...Object.fromEntries(given),
    USERNAME: username,
    ...(SECRET_HASH !== undefined && { SECRET_HASH }),
  };
  return respond(doorOf(asked), challenge, session, responses);
}

function questionPage(asked: AuthorizeRequest, kept: URLSearchParams, error?: string): HostedAnswer {
  if (kept.get("challenge") === "SELECT_MFA_TYPE") return factorsPage(asked, kept, error);
  const question = QUESTIONS[kept.get("challenge") ?? ""];
  if (!question)
    throw new OAuthError("invalid_request", `The page does not ask for ${kept.get("challenge")}.`);
  const missing = (kept.get("missing") ?? "").split(" ").filter(Boolean);
  const attributes = missing.map((name): Field => ({
    name,
    label: name.replace("userAttributes.", ""),
    type: "text",
  }));
  const fields = [...KEPT.map((name) => hidden(name, kept.get(name) ?? "")), question.field, ...attributes];
  const secret = kept.get("secret") ?? "";
  const destination = kept.get("destination") ?? "";
  return ownPage(asked, {
    title: question.title,
    error,
    ...(destination !== "" && { notice: `It was sent to ${destination}.` }),
    ...(secret !== "" && {
      notice: "Give your authenticator this key, then enter the code that it shows.",
      verbatim: secret,
      links: [authenticatorLink(asked, kept.get("username") ?? "", secret)],
    }),
    forms: [{ path: "/login", button: "Continue", fields }],
  });
}

/** Which of their factors the user wants to be asked for. */
function factorsPage(asked: AuthorizeRequest, kept: URLSearchParams, error?: string): HostedAnswer {
  const factors = (kept.get("factors") ?? "").split(" ").filter((name) => name in FACTORS);
  return ownPage(asked, {
    title: "Choose how to prove that it is you",
    error,
    forms: factors.map((name) => ({
      path: "/login",
      button: FACTORS[name] ?? name,
      fields: [...KEPT.map((one) => hidden(one, kept.get(one) ?? "")), hidden("ANSWER", name)],
    })),
  });
}

/** @see https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
function authenticatorLink({ pool }: Hosted, username: string, secret: string): Link {
  const label = `${encodeURIComponent(pool.name)}:${encodeURIComponent(username)}`;
  const query = new URLSearchParams({ secret, issuer: pool.name });
  return {
    href: `otpauth://totp/${label}?${query.toString()}`,
    text: "Open an authenticator on this device",
  };
}
