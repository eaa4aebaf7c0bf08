/** Wildcards and variables of the policy language, and ARN comparison. */

/** Request context: keys in lower case (`aws:sourceip`), values as the policy language compares them. */
export type ContextValues = Readonly<Record<string, string | readonly string[]>>;

/** Stand-ins for unescaped `*` and `?`, so that text put in by variables never acts as a wildcard. */
const MANY = "\uE000";
const ONE = "\uE001";

/**
 * Replaces variables and marks wildcards. Undefined where a variable has no single value: the element then matches nothing.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function preparePattern(
  pattern: string,
  context: ContextValues,
  options: { readonly wildcards: boolean; readonly variables: boolean },
): string | undefined {
  const marked = (text: string) =>
    options.wildcards ? text.replaceAll("*", MANY).replaceAll("?", ONE) : text;
  if (!options.variables || !pattern.includes("${")) return marked(pattern);
  let prepared = "";
  let from = 0;
  for (const match of pattern.matchAll(/\$\{([^}]*)\}/g)) {
    const value = variableValue(match[1] ?? "", context);
    if (value === undefined) return undefined;
    prepared += marked(pattern.slice(from, match.index)) + value;
    from = match.index + match[0].length;
  }
  return prepared + marked(pattern.slice(from));
}

function variableValue(inside: string, context: ContextValues): string | undefined {
  if (inside === "*" || inside === "?" || inside === "$") return inside;
  const match = /^\s*([^,\s]+)\s*(?:,\s*'([^']*)'\s*)?$/.exec(inside);
  if (!match) return undefined;
  const value = context[(match[1] ?? "").toLowerCase()];
  return typeof value === "string" ? value : match[2];
}

/** Matches text against a pattern prepared by {@link preparePattern}, in linear space and without backtracking blow-up. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (t < text.length) {
    const c = pattern[p];
    if (c === MANY) {
      starAt = p++;
      resumeAt = t;
    } else if (p < pattern.length && (c === ONE || c === text[t])) {
      p++;
      t++;
    } else if (starAt >= 0) {
      p = starAt + 1;
      t = ++resumeAt;
    } else return false;
  }
  while (pattern[p] === MANY) p++;
  return p === pattern.length;
}

/** ArnLike: the six parts are compared one by one, so that a wildcard never crosses a colon of the first five. */
export function arnMatches(pattern: string, arn: string): boolean {
  const wanted = splitArn(pattern);
  const given = splitArn(arn);
  if (!given) return false;
  if (!wanted) return pattern === MANY;
  return wanted.every((part, index) => globMatches(part, given[index] ?? ""));
}

function splitArn(text: string): string[] | undefined {
  const parts = text.split(":");
  return parts.length < 6 ? undefined : [...parts.slice(0, 5), parts.slice(5).join(":")];
}
