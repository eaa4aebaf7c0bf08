/** The sign-in page: a password, and where to go who has none yet or forgot it. */
import { signInByPassword } from "../auth/password-sign-in.ts";
import { recoversAlone } from "../users/deliver.ts";
import { answerQuestion, doorOf, next, readPages } from "./challenge-page.ts";
import type { AuthorizeRequest } from "./authorize.ts";
import type { Hosted, HostedAnswer } from "./exchange.ts";
import { confirmLater, maySignUp } from "./join.ts";
import { linkTo, orAgain, ownPage, requireOwnForm } from "./own-form.ts";
import { newPasswordPage } from "./recover.ts";

export async function showLogin(hosted: Hosted): Promise<HostedAnswer> {
  return passwordPage(await readPages(hosted), { username: hosted.request.query.get("login_hint") ?? "" });
}

function passwordPage(
  asked: AuthorizeRequest,
  { username, error }: { readonly username: string; readonly error?: string },
): HostedAnswer {
  return ownPage(asked, {
    title: "Sign in",
    error,
    forms: [
      {
        path: "/login",
        button: "Sign in",
        fields: [
          { name: "username", label: "Username", type: "text", value: username },
          { name: "password", label: "Password", type: "password" },
        ],
      },
    ],
    links: [
      ...(recoversAlone(asked.pool) ? [linkTo(asked, "/forgotPassword", "Forgot your password?")] : []),
      ...(maySignUp(asked.pool) ? [linkTo(asked, "/signup", "Sign up")] : []),
    ],
  });
}

/** POST /login: a password, or the answer to what was asked after it. */
export async function takeLogin(hosted: Hosted): Promise<HostedAnswer> {
  const asked = await readPages(hosted);
  requireOwnForm(hosted);
  const { form } = hosted.request;
  const username = form.get("username") ?? "";
  return orAgain(
    async () => {
      if (form.has("challenge")) return answerQuestion(asked);
      return next(asked, await signInByPassword(doorOf(asked), username, form.get("password") ?? ""));
    },
    (error) => {
      // Of these the page knows what comes next.
      if (error.code === "UserNotConfirmedException") return confirmLater(asked, username, error.message);
      if (error.code === "PasswordResetRequiredException")
        return newPasswordPage(asked, username, { error: error.message });
      return passwordPage(asked, { username, error: error.message });
    },
  );
}
