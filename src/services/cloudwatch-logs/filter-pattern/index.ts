/** CloudWatch Logs' filter pattern language: terms, JSON and space-delimited; pure. */
import { readJsonPattern } from "./json.ts";
import { FilterPatternError } from "./error.ts";
import { Scanner } from "./scanner.ts";
import { readSpaceDelimitedPattern } from "./space-delimited.ts";
import { readTerms } from "./terms.ts";

export { FilterPatternError };

/** Whether an event's message matches. */
export type FilterPattern = (message: string) => boolean;

/**
 * Compiles a pattern; the empty one matches everything.
 * @throws FilterPatternError with a text for the caller
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function compileFilterPattern(text: string): FilterPattern {
  const scanner = new Scanner(text);
  if (scanner.done) return () => true;
  scanner.at = 0;
  scanner.space();
  const first = text[scanner.at];
  if (first === "{") return readJsonPattern(scanner);
  return first === "[" ? readSpaceDelimitedPattern(scanner) : readTerms(scanner);
}
