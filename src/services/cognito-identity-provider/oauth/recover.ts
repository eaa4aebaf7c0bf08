/** The pages of people who forgot their password. */
import { confirmForgotPassword, forgotPassword } from "../operations/passwords.ts";
import type { AuthorizeRequest } from "./authorize.ts";
import { readPages } from "./challenge-page.ts";
import type { Hosted, HostedAnswer } from "./exchange.ts";
import { hidden, linkTo, orAgain, ownPage, proofOf, requireOwnForm } from "./own-form.ts";

/** GET /forgotPassword */
export async function showForgotten(hosted: Hosted): Promise<HostedAnswer> {
  return forgottenPage(await readPages(hosted), { username: "" });
}

function forgottenPage(
  asked: AuthorizeRequest,
  { username, error }: { readonly username: string; readonly error?: string },
): HostedAnswer {
  return ownPage(asked, {
    title: "Forgot your password?",
    error,
    notice: "Enter your username, and a code is sent to you.",
    forms: [
      {
        path: "/forgotPassword",
        button: "Reset my password",
        fields: [{ name: "username", label: "Username", type: "text", value: username }],
      },
    ],
    links: [linkTo(asked, "/login", "Sign in")],
  });
}

/** POST /forgotPassword */
export async function takeForgotten(hosted: Hosted): Promise<HostedAnswer> {
  const asked = await readPages(hosted);
  requireOwnForm(hosted);
  const { userPools, client, request } = asked;
  const username = request.form.get("username") ?? "";
  const SecretHash = proofOf(client, username);
  const input = { ClientId: client.clientId, Username: username, SecretHash };
  return orAgain(
    async () => {
      const { CodeDeliveryDetails: sent } = await forgotPassword(userPools, input, request);
      return newPasswordPage(asked, username, { notice: `A code was sent to ${sent?.Destination}.` });
    },
    (error) => forgottenPage(asked, { username, error: error.message }),
  );
}

/** Asks for the code and another password. */
export function newPasswordPage(
  asked: AuthorizeRequest,
  username: string,
  said: { readonly error?: string; readonly notice?: string },
): HostedAnswer {
  return ownPage(asked, {
    title: "Choose a new password",
    ...said,
    forms: [
      {
        path: "/confirmForgotPassword",
        button: "Change password",
        fields: [
          hidden("username", username),
          { name: "code", label: "Code", type: "text" },
          { name: "password", label: "New password", type: "password" },
        ],
      },
    ],
    links: [linkTo(asked, "/forgotPassword", "Send another code")],
  });
}

/** POST /confirmForgotPassword */
export async function takeNewPassword(hosted: Hosted): Promise<HostedAnswer> {
  const asked = await readPages(hosted);
  requireOwnForm(hosted);
  const { userPools, client, request } = asked;
  const { form } = request;
  const Username = form.get("username") ?? "";
  const input = {
    ClientId: client.clientId,
    Username,
    ConfirmationCode: form.get("code") ?? "",
    Password: form.get("password") ?? "",
    SecretHash: proofOf(client, Username),
  };
  return orAgain(
    async () => {
      await confirmForgotPassword(userPools, input, request);
      return ownPage(asked, {
        title: "Your password is changed",
        forms: [],
        links: [linkTo(asked, "/login", "Sign in")],
      });
    },
    (error) => newPasswordPage(asked, Username, { error: error.message }),
  );
}
