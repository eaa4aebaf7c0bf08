/** What is wrong with an event pattern, in a sentence. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}
