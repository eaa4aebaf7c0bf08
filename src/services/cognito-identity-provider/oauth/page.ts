/** The pages, which are plain: forms, and what else there is to say. */
import type { HostedAnswer } from "./exchange.ts";

const STYLE =
  "body{font:16px sans-serif;max-width:22rem;margin:4rem auto;padding:0 1rem}label,input,button{display:block;width:100%;" +
  "box-sizing:border-box;margin:.3rem 0;font:inherit}input,button{padding:.5rem}.error{color:#a00}code{overflow-wrap:anywhere}";

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: "text" | "password" | "email" | "tel" | "hidden";
  readonly value?: string;
  /** Whether it may be left empty. */
  readonly optional?: boolean;
}

/** A form, which is sent to `action`. */
export interface Form {
  readonly action: string;
  readonly button: string;
  readonly fields: readonly Field[];
}

export interface Link {
  readonly href: string;
  readonly text: string;
}

export interface Page {
  readonly title: string;
  readonly error?: string | undefined;
  readonly notice?: string | undefined;
  /** What is to be copied, as it is. */
  readonly verbatim?: string | undefined;
  readonly forms?: readonly Form[];
  readonly links?: readonly Link[];
  readonly status?: number;
  readonly cookies?: readonly string[];
}

/** A page that says something. */
export function textPage(status: number, title: string, text: string): HostedAnswer {
  return showPage({ status, title, notice: text });
}

export function showPage(page: Page): HostedAnswer {
  const { title, error, notice, verbatim, forms = [], links = [], cookies = [] } = page;
  const content = [
    error === undefined ? "" : `<p class="error" role="alert">${escaped(error)}</p>`,
    notice === undefined ? "" : `<p>${escaped(notice)}</p>`,
    verbatim === undefined ? "" : `<p><code>${escaped(verbatim)}</code></p>`,
    ...forms.map(formOf),
    ...links.map(({ href, text }) => `<p><a href="${escaped(href)}">${escaped(text)}</a></p>`),
  ].join("");
  return {
    status: page.status ?? (error === undefined ? 200 : 400),
    headers: {
      "content-type": "text/html;charset=UTF-8",
      "cache-control": "no-store",
      // What is typed here goes nowhere else, and no other page shows this one as its own.
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "set-cookie": cookies,
    },
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${STYLE}</style><h1>${escaped(title)}</h1>${content}</html>`,
  };
}

function formOf({ action, button, fields }: Form): string {
  const inputs = fields.map(({ name, label, type, value = "", optional = false }) => {
    const input = `<input type="${type}" name="${escaped(name)}" value="${escaped(value)}"`;
    if (type === "hidden") return `${input}>`;
    return `<label>${escaped(label)} ${input}${optional ? "" : " required"}></label>`;
  });
  return `<form method="post" action="${escaped(action)}">${inputs.join("")}<button>${escaped(button)}</button></form>`;
}

function escaped(text: string): string {
  const names: Record<string, string> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "#39" };
  return text.replace(/[&<>"']/g, (character) => `&${names[character]};`);
}
