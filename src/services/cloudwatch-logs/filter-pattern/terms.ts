/** Patterns of terms: `ERROR "out of memory" -debug`, `?WARN ?ERROR`, `%regex%`. */
import { FilterPatternError } from "./error.ts";
import type { Scanner } from "./scanner.ts";

type TermTest = (message: string) => boolean;

/**
 * All plain terms must be in the message and no excluded one. Optional terms (`?`) count only where there are no
 * others; then one of them must be there. Terms are case-sensitive and match anywhere.
 */
export function readTerms(scanner: Scanner): TermTest {
  const [required, optional, excluded]: TermTest[][] = [[], [], []];
  while (!scanner.done) {
    const list = scanner.take("-") ? excluded : scanner.take("?") ? optional : required;
    list?.push(readTerm(scanner));
  }
  if (required?.length === 0 && excluded?.length === 0)
    return (message) => optional?.length === 0 || optional?.some((term) => term(message)) === true;
  return (message) =>
    required?.every((term) => term(message)) === true && !excluded?.some((term) => term(message));
}

function readTerm(scanner: Scanner): TermTest {
  const regex = scanner.regex();
  if (regex) return (message) => regex.test(message);
  const quoted = scanner.quoted();
  if (quoted !== undefined) {
    // Blank between quotation marks is AWS's way to write "everything".
    const everything = quoted.trim() === "";
    return (message) => everything || message.includes(quoted);
  }
  const word = scanner.match(/[^\s"%]+/y);
  if (word === undefined) throw new FilterPatternError();
  if (!/^[\p{L}\p{N}_]+$/u.test(word)) throw new FilterPatternError(`Invalid character(s) in term '${word}'`);
  return (message) => message.includes(word);
}
