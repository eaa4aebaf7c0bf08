/**
 * Templates of input transformers: text with `<variables>`. In JSON a variable that stands alone becomes a JSON value, a text with its quotes;
 * within quotes its text is inserted, an object or list without its quotes.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
import { numberText } from "../../../aws/event-pattern/index.ts";

export interface Variable {
  readonly name: string;
  readonly isQuoted: boolean;
}

/** Literal texts with the variables between them: one text more than variables. */
export interface Template {
  readonly texts: readonly string[];
  readonly variables: readonly Variable[];
}

const VARIABLE = /<([A-Za-z0-9_.-]+)>/y;

export function parseTemplate(template: string): Template {
  const texts: string[] = [];
  const variables: Variable[] = [];
  let isQuoted = false;
  let from = 0;
  for (let at = 0; at < template.length; at++) {
    const character = template[at];
    if (character === "\\" && isQuoted) at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === "<") {
      VARIABLE.lastIndex = at;
      const match = VARIABLE.exec(template);
      if (!match) continue;
      texts.push(template.slice(from, at));
      variables.push({ name: match[1] ?? "", isQuoted });
      from = VARIABLE.lastIndex;
      at = from - 1;
    }
  }
  texts.push(template.slice(from));
  return { texts, variables };
}

/** What is wrong with a template. */
export function templateFault({ texts, variables }: Template): string | undefined {
  return inputFault(fill(texts, variables, ({ isQuoted }) => (isQuoted ? "x" : "null")));
}

/** What is wrong with what a template makes, as JSON is told wrong: it must be JSON, or texts in quotes, each on a line. */
export function inputFault(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return lines.length > 0 && lines.every(isText) ? undefined : (error as Error).message;
  }
}

/**
 * The text with the variables' values; what has none leaves nothing within quotes, and an empty text as a value.
 * @param valueOf A value as `parseJson` reads it; or JSON that is to be taken as it is.
 */
export function render(
  { texts, variables }: Template,
  valueOf: (name: string) => { readonly value: unknown } | { readonly json: string },
): string {
  return fill(texts, variables, ({ name, isQuoted }) => {
    const found = valueOf(name);
    if ("json" in found) return found.json;
    if (!isQuoted) return JSON.stringify(found.value ?? (found.value === null ? null : ""));
    return withinQuotes(found.value);
  });
}

function fill(
  texts: readonly string[],
  variables: readonly Variable[],
  valueOf: (variable: Variable) => string,
): string {
  return texts.reduce((all, text, at) => {
    const variable = variables[at - 1];
    return all + (variable ? valueOf(variable) : "") + text;
  });
}

function withinQuotes(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value === "string") return JSON.stringify(value).slice(1, -1);
  if (value === null || typeof value === "boolean") return String(value);
  return numberText(value) ?? JSON.stringify(value).replaceAll('"', "");
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isText(line: string): boolean {
  try {
    return typeof JSON.parse(line) === "string";
  } catch {
    return false;
  }
}
