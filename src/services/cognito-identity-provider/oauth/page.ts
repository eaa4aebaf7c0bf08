/** The sign-in pages, which are plain. */
import type { HostedAnswer } from "./exchange.ts";

const STYLE =
  "body{font:16px sans-serif;max-width:22rem;margin:4rem auto;padding:0 1rem}label,input,button{display:block;width:100%;" +
  "box-sizing:border-box;margin:.3rem 0;font:inherit}input,button{padding:.5rem}.error{color:#a00}";

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: "text" | "password" | "hidden";
  readonly value?: string;
}

/** A page with one form, which is sent to `action`. */
export function formPage(
  title: string,
  action: string,
  fields: readonly Field[],
  more: {
    readonly error?: string | undefined;
    readonly button: string;
    readonly cookies?: readonly string[];
  },
): HostedAnswer {
  const inputs = fields.map(({ name, label, type, value = "" }) => {
    const input = `<input type="${type}" name="${escaped(name)}" value="${escaped(value)}"`;
    return type === "hidden" ? `${input}>` : `<label>${escaped(label)} ${input} required></label>`;
  });
  const error = more.error === undefined ? "" : `<p class="error" role="alert">${escaped(more.error)}</p>`;
  const form = `<form method="post" action="${escaped(action)}">${inputs.join("")}<button>${escaped(more.button)}</button></form>`;
  return page(more.error === undefined ? 200 : 400, title, error + form, more.cookies);
}

/** A page that says something. */
export function textPage(status: number, title: string, text: string): HostedAnswer {
  return page(status, title, `<p>${escaped(text)}</p>`);
}

function page(status: number, title: string, content: string, cookies: readonly string[] = []): HostedAnswer {
  return {
    status,
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

function escaped(text: string): string {
  const names: Record<string, string> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "#39" };
  return text.replace(/[&<>"']/g, (character) => `&${names[character]};`);
}
