/** Forms that only these pages can send: each has the same text as a cookie, which no page elsewhere can read or set. */
import { randomBytes } from "node:crypto";
import { AwsError } from "../../../aws/errors.ts";
import { sameText } from "../auth/srp.ts";
import { secretHash } from "../clients/secret-hash.ts";
import type { PoolClient } from "../store/clients.ts";
import { PAGE_MS } from "./authorize.ts";
import { OAuthError, cookie, cookieOf } from "./exchange.ts";
import type { Hosted, HostedAnswer } from "./exchange.ts";
import { showPage } from "./page.ts";
import type { Field, Link, Page } from "./page.ts";

const CSRF_COOKIE = "XSRF-TOKEN";
const CSRF_BYTES = 18;

/** A form of a page; what the application asked for goes with it from page to page. */
export interface OwnForm {
  /** `/login` */
  readonly path: string;
  readonly button: string;
  readonly fields: readonly Field[];
}

/** A page with forms of ours. */
export function ownPage(
  hosted: Hosted,
  { forms, ...page }: Omit<Page, "forms" | "cookies"> & { readonly forms: readonly OwnForm[] },
): HostedAnswer {
  const csrf = cookieOf(hosted.request, CSRF_COOKIE) ?? randomBytes(CSRF_BYTES).toString("base64url");
  return showPage({
    ...page,
    forms: forms.map(({ path, button, fields }) => ({
      action: addressOf(hosted, path),
      button,
      fields: [hidden("_csrf", csrf), ...fields],
    })),
    cookies: [cookie(hosted, CSRF_COOKIE, csrf, PAGE_MS)],
  });
}

/** Another page of the same sign-in. */
export function addressOf({ base, request }: Hosted, path: string): string {
  return `${base}${path}?${request.query.toString()}`;
}

export function linkTo(hosted: Hosted, path: string, text: string): Link {
  return { href: addressOf(hosted, path), text };
}

export function hidden(name: string, value: string): Field {
  return { name, label: "", type: "hidden", value };
}

/** @throws OAuthError for a form from elsewhere */
export function requireOwnForm({ request }: Hosted): void {
  const csrf = cookieOf(request, CSRF_COOKIE) ?? "";
  if (csrf === "" || !sameText(csrf, request.form.get("_csrf") ?? ""))
    throw new OAuthError("invalid_request", "The form is not from this page: open it again.");
}

/** What the page is, or with what it says where AWS's error ends it. */
export async function orAgain(
  work: () => Promise<HostedAnswer>,
  again: (error: AwsError) => HostedAnswer | Promise<HostedAnswer>,
): Promise<HostedAnswer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AwsError) return again(error);
    throw error;
  }
}

/** The page is the pool's own, and speaks for the client. */
export function proofOf({ secrets: [secret], clientId }: PoolClient, username: string): string | undefined {
  return secret && secretHash(secret.value, username, clientId);
}
