/** Wildcards of event patterns: `*` stands for any characters, `\*` for itself, `\\` for a backslash. */
import { PatternError } from "./error.ts";

/** Matched in time that grows with the text's length times the pattern's, whatever the pattern. */
export function compileWildcard(pattern: string): (text: string) => boolean {
  const parts = split(pattern);
  const [head = "", ...rest] = parts;
  const tail = rest.pop();
  if (tail === undefined) return (text) => text === head;
  return (text) => {
    if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail))
      return false;
    const end = text.length - tail.length;
    let at = head.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found === -1 || found + part.length > end) return false;
      at = found + part.length;
    }
    return at <= end;
  };
}

/** The texts between the stars. */
function split(pattern: string): string[] {
  const parts = [""];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string;
    if (character === "*") {
      if (pattern[at + 1] === "*") throw new PatternError(`Consecutive wildcard characters at pos ${at}`);
      parts.push("");
    } else if (character === "\\") {
      const next = pattern[++at];
      if (next !== "*" && next !== "\\") throw new PatternError(`Invalid escape character at pos ${at - 1}`);
      parts[parts.length - 1] += next;
    } else parts[parts.length - 1] += character;
  }
  return parts;
}
