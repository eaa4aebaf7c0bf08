/** The sign-in page: a password, then what more the user is asked. */
import { randomBytes } from "node:crypto";
import { AwsError } from "../../../aws/errors.ts";
import type { Door, Outcome } from "../auth/door.ts";
import { signInByPassword } from "../auth/password-sign-in.ts";
import { respond } from "../auth/respond.ts";
import { sameText } from "../auth/srp.ts";
import { secretHash } from "../clients/secret-hash.ts";
import { askingOf } from "../triggers/call.ts";
import { PAGE_MS, grantNew, readAuthorize } from "./authorize.ts";
import type { AuthorizeRequest } from "./authorize.ts";
import { OAuthError, cookie, cookieOf } from "./exchange.ts";
import type { Hosted, HostedAnswer } from "./exchange.ts";
import { formPage, textPage } from "./page.ts";
import type { Field } from "./page.ts";

/** The form has the same text as the cookie, which no page elsewhere can read or set. */
const CSRF_COOKIE = "XSRF-TOKEN";
const CSRF_BYTES = 18;
const TITLE = "Sign in";

export async function showLogin(hosted: Hosted): Promise<HostedAnswer> {
  const asked = await readAuthorize(hosted);
  const { SupportedIdentityProviders: providers = [] } = asked.client.settings;
  if (!providers.includes("COGNITO"))
    return textPage(
      400,
      "Login pages unavailable",
      "The client has no identity provider: its SupportedIdentityProviders must have COGNITO.",
    );
  return passwordPage(hosted, hosted.request.query.get("login_hint") ?? "");
}

function passwordPage(hosted: Hosted, username: string, error?: string): HostedAnswer {
  return show(hosted, TITLE, error, "Sign in", [
    { name: "username", label: "Username", type: "text", value: username },
    { name: "password", label: "Password", type: "password" },
  ]);
}

function show(
  { request }: Hosted,
  title: string,
  error: string | undefined,
  button: string,
  fields: readonly Field[],
): HostedAnswer {
  const csrf = cookieOf(request, CSRF_COOKIE) ?? randomBytes(CSRF_BYTES).toString("base64url");
  const hidden: Field = { name: "_csrf", label: "", type: "hidden", value: csrf };
  const action = `/login?${request.query.toString()}`;
  const cookies = [cookie(CSRF_COOKIE, csrf, PAGE_MS)];
  return formPage(title, action, [hidden, ...fields], { error, button, cookies });
}

/** POST /login: a password, or the answer to what was asked after it. */
export async function takeLogin(hosted: Hosted): Promise<HostedAnswer> {
  const asked = await readAuthorize(hosted);
  const { form } = hosted.request;
  const csrf = cookieOf(hosted.request, CSRF_COOKIE) ?? "";
  if (csrf === "" || !sameText(csrf, form.get("_csrf") ?? ""))
    throw new OAuthError("invalid_request", "The form is not from this page: open it again.");
  const { userPools, pool, client } = asked;
  const asking = askingOf(hosted.request, {}, client.clientId);
  const door: Door = { userPools, pool, client, asking };
  try {
    const outcome = form.has("challenge")
      ? await answerChallenge(door, form)
      : await signInByPassword(door, form.get("username") ?? "", form.get("password") ?? "");
    return await next(asked, outcome);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const again = error.code === "CodeMismatchException" || error.code === "InvalidPasswordException";
    if (again && form.has("challenge")) return challengePage(hosted, form, error.message);
    return passwordPage(hosted, form.get("username") ?? "", error.message);
  }
}

/** What the page asks is kept in it, so that who mistypes is asked the same again. */
const ANSWERS: Readonly<Record<string, { readonly title: string; readonly fields: readonly Field[] }>> = {
  SOFTWARE_TOKEN_MFA: {
    title: "Enter the code of your authenticator",
    fields: [{ name: "SOFTWARE_TOKEN_MFA_CODE", label: "Code", type: "text" }],
  },
  NEW_PASSWORD_REQUIRED: {
    title: "Choose a new password",
    fields: [{ name: "NEW_PASSWORD", label: "New password", type: "password" }],
  },
};

function challengePage(hosted: Hosted, kept: URLSearchParams, error?: string): HostedAnswer {
  const challenge = kept.get("challenge") ?? "";
  const asked = ANSWERS[challenge];
  if (!asked)
    return textPage(
      501,
      "Not here",
      `This page does not ask for ${challenge}: the user has to set it up by the API first.`,
    );
  const keep = ["challenge", "session", "username", "missing"].map((name): Field => ({
    name,
    label: "",
    type: "hidden",
    value: kept.get(name) ?? "",
  }));
  const missing = (kept.get("missing") ?? "").split(" ").filter(Boolean);
  const attributes = missing.map((name): Field => ({
    name,
    label: name.replace("userAttributes.", ""),
    type: "text",
  }));
  return show(hosted, asked.title, error, "Continue", [...keep, ...asked.fields, ...attributes]);
}

async function next(asked: AuthorizeRequest, outcome: Outcome): Promise<HostedAnswer> {
  if (outcome.kind === "signed-in") return grantNew(asked, outcome.user);
  const { name, session, parameters } = outcome;
  const required = JSON.parse(parameters["requiredAttributes"] ?? "[]") as string[];
  const kept = new URLSearchParams({
    challenge: name,
    session,
    username: parameters["USER_ID_FOR_SRP"] ?? "",
    missing: required.join(" "),
  });
  return challengePage(asked, kept);
}

function answerChallenge(door: Door, form: URLSearchParams): Promise<Outcome> {
  const { client } = door;
  const username = form.get("username") ?? "";
  const [secret] = client.secrets;
  const given = [...form].filter(([name]) =>
    /^(SOFTWARE_TOKEN_MFA_CODE|NEW_PASSWORD|userAttributes\..+)$/.test(name),
  );
  const responses: Record<string, string> = {
    ...Object.fromEntries(given),
    USERNAME: username,
    // The page is the pool's own, and speaks for the client.
    ...(secret && { SECRET_HASH: secretHash(secret.value, username, client.clientId) }),
  };
  return respond(door, form.get("challenge") ?? "", form.get("session") ?? undefined, responses);
}
