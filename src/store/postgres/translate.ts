/** Turns the `?` parameters of a statement into PostgreSQL's `$1`, `$2`, …, leaving literals, names and comments alone. */

const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g;

export function numberParameters(text: string): string {
  let count = 0;
  return text.replace(TOKEN, (token) => (token === "?" ? `$${(count += 1)}` : token));
}
