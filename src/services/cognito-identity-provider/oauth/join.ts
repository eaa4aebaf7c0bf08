/** The pages of people who are new: sign-up, and the code that confirms it. */
import { notAuthorized } from "../errors.ts";
import { afterPassword, preAuthenticate, requireAble } from "../auth/completion.ts";
import { giveTicket, takeTicket } from "../auth/tickets.ts";
import { confirmSignUp, resendConfirmationCode, signUp } from "../operations/sign-up.ts";
import type { Pool } from "../store/pools.ts";
import { getUser } from "../store/users.ts";
import type { User } from "../users/user.ts";
import { findUser } from "../users/username.ts";
import { PAGE_MS } from "./authorize.ts";
import type { AuthorizeRequest } from "./authorize.ts";
import { doorOf, next, readPages } from "./challenge-page.ts";
import type { Hosted, HostedAnswer } from "./exchange.ts";
import { hidden, linkTo, orAgain, ownPage, proofOf, requireOwnForm } from "./own-form.ts";
import type { Field } from "./page.ts";

const ATTRIBUTE = "userAttributes.";
const LABELS: Readonly<Record<string, string>> = { email: "Email address", phone_number: "Phone number" };
const TYPES: Readonly<Record<string, Field["type"]>> = { email: "email", phone_number: "tel" };

export function maySignUp({ settings }: Pool): boolean {
  return settings.AdminCreateUserConfig?.AllowAdminCreateUserOnly !== true;
}

/** GET /signup */
export async function showSignUp(hosted: Hosted): Promise<HostedAnswer> {
  const asked = await readPages(hosted);
  if (!maySignUp(asked.pool)) throw notAuthorized("SignUp is not permitted for this user pool");
  return signUpPage(asked);
}

/** What the form asks: how the user is called, what the pool requires, and what it verifies or lets users sign in by. */
function signUpFields({ pool, request: { form } }: AuthorizeRequest): Field[] {
  const { UsernameAttributes: names = [], AliasAttributes: aliases = [], schema } = pool.settings;
  const [only] = names;
  const label = only === undefined ? "Username" : names.map((name) => LABELS[name] ?? name).join(" or ");
  const type = names.length === 1 && only !== undefined ? (TYPES[only] ?? "text") : "text";
  const asksFor = new Set<string>([...(pool.settings.AutoVerifiedAttributes ?? []), ...aliases]);
  const attributes = schema.filter(
    ({ Name, Required }) =>
      Name !== "sub" && Name !== only && (Required === true || (names.length === 0 && asksFor.has(Name))),
  );
  return [
    { name: "username", label, type, value: form.get("username") ?? "" },
    ...attributes.map(({ Name, Required }): Field => ({
      name: ATTRIBUTE + Name,
      label: LABELS[Name] ?? Name,
      type: TYPES[Name] ?? "text",
      value: form.get(ATTRIBUTE + Name) ?? "",
      optional: Required !== true,
    })),
    { name: "password", label: "Password", type: "password" },
  ];
}

function signUpPage(asked: AuthorizeRequest, error?: string): HostedAnswer {
  return ownPage(asked, {
    title: "Sign up",
    error,
    forms: [{ path: "/signup", button: "Sign up", fields: signUpFields(asked) }],
    links: [linkTo(asked, "/login", "Already have an account? Sign in")],
  });
}

/** POST /signup */
export async function takeSignUp(hosted: Hosted): Promise<HostedAnswer> {
  const asked = await readPages(hosted);
  requireOwnForm(hosted);
  const { userPools, client, request } = asked;
  const { form } = request;
  const Username = form.get("username") ?? "";
  const UserAttributes = [...form]
    .filter(([name, value]) => name.startsWith(ATTRIBUTE) && value !== "")
    .map(([name, Value]) => ({ Name: name.slice(ATTRIBUTE.length), Value }));
  const input = {
    ClientId: client.clientId,
    Username,
    Password: form.get("password") ?? "",
    UserAttributes,
    SecretHash: proofOf(client, Username),
  };
  return orAgain(
    async () => {
      const { UserConfirmed, CodeDeliveryDetails: sent } = await signUp(userPools, input, request);
      const user = await findUser(userPools.database, asked.pool, Username);
      if (UserConfirmed === true && user) return enter(asked, user);
      if (!sent) return waitPage(asked);
      return confirmLater(asked, Username, undefined, `A code was sent to ${sent.Destination}.`);
    },
    (error) => signUpPage(asked, error.message),
  );
}

/** Signs in who has given their password on the page before. */
async function enter(asked: AuthorizeRequest, user: User): Promise<HostedAnswer> {
  const door = doorOf(asked);
  requireAble(user);
  await preAuthenticate(door, user, user.username);
  return next(asked, await afterPassword(door, user));
}

function waitPage(asked: AuthorizeRequest): HostedAnswer {
  return ownPage(asked, {
    title: "Thank you",
    notice: "An administrator has to confirm your account before you can sign in.",
    forms: [],
    links: [linkTo(asked, "/login", "Sign in")],
  });
}

/** Asks somebody for the code who has just given their password: once they are confirmed they need not give it again. */
export async function confirmLater(
  asked: AuthorizeRequest,
  username: string,
  error?: string,
  notice?: string,
): Promise<HostedAnswer> {
  const { userPools, pool, client } = asked;
  const user = await findUser(userPools.database, pool, username);
  const ticket = { kind: "joined", poolId: pool.poolId, clientId: client.clientId, state: {} } as const;
  const session = user ? await giveTicket(userPools, { ...ticket, key: user.key }, PAGE_MS) : "";
  return confirmPage(asked, { username, session, error, notice });
}

function confirmPage(
  asked: AuthorizeRequest,
  about: {
    readonly username: string;
    readonly session: string;
    readonly error?: string | undefined;
    readonly notice?: string | undefined;
  },
): HostedAnswer {
  const { username, session, error, notice } = about;
  const kept = [hidden("username", username), hidden("session", session)];
  const code: Field = { name: "code", label: "Code", type: "text" };
  return ownPage(asked, {
    title: "Confirm your account",
    error,
    notice,
    forms: [
      { path: "/confirmUser", button: "Confirm", fields: [...kept, code] },
      { path: "/resendcode", button: "Send another code", fields: kept },
    ],
  });
}

const keptOf = ({ request: { form } }: Hosted) => ({
  username: form.get("username") ?? "",
  session: form.get("session") ?? "",
});

/** POST /confirmUser: the code, and with it the sign-in of who has given their password before. */
export async function takeConfirmation(hosted: Hosted): Promise<HostedAnswer> {
  const asked = await readPages(hosted);
  requireOwnForm(hosted);
  const { userPools, pool, client, request } = asked;
  const kept = keptOf(hosted);
  const input = {
    ClientId: client.clientId,
    Username: kept.username,
    ConfirmationCode: request.form.get("code") ?? "",
    SecretHash: proofOf(client, kept.username),
  };
  return orAgain(
    async () => {
      await confirmSignUp(userPools, input, request);
      const ticket = await takeTicket(userPools, "joined", kept.session);
      const user = ticket && (await getUser(userPools.database, pool.poolId, ticket.key));
      const isTheirs = ticket?.poolId === pool.poolId && ticket.clientId === client.clientId;
      // The code may have been another user's than the ticket.
      if (user?.status === "CONFIRMED" && isTheirs) return enter(asked, user);
      return ownPage(asked, {
        title: "Your account is confirmed",
        forms: [],
        links: [linkTo(asked, "/login", "Sign in")],
      });
    },
    (error) => confirmPage(asked, { ...kept, error: error.message }),
  );
}

/** POST /resendcode */
export async function takeResend(hosted: Hosted): Promise<HostedAnswer> {
  const asked = await readPages(hosted);
  requireOwnForm(hosted);
  const { userPools, client, request } = asked;
  const kept = keptOf(hosted);
  const input = {
    ClientId: client.clientId,
    Username: kept.username,
    SecretHash: proofOf(client, kept.username),
  };
  return orAgain(
    async () => {
      const { CodeDeliveryDetails: sent } = await resendConfirmationCode(userPools, input, request);
      return confirmPage(asked, { ...kept, notice: `A code was sent to ${sent?.Destination}.` });
    },
    (error) => confirmPage(asked, { ...kept, error: error.message }),
  );
}
