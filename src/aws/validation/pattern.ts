/** Java's regular expressions, as the models have them, in JavaScript; the whole value must match. */

const compiled = new Map<string, RegExp>();

/** Flags that Java writes into the pattern. */
const INLINE_FLAGS = /^\(\?([si]+)\)/;
const PRINTABLE = "[\\x20-\\x7E]";

/** @throws SyntaxError for a pattern that JavaScript cannot express; a test compiles them all. */
export function compilePattern(pattern: string): RegExp {
  let expression = compiled.get(pattern);
  if (!expression) {
    expression = compile(pattern);
    compiled.set(pattern, expression);
  }
  return expression;
}

function compile(pattern: string): RegExp {
  const flags = INLINE_FLAGS.exec(pattern)?.[1] ?? "";
  const source = pattern.replace(INLINE_FLAGS, "").replaceAll("\\p{Print}", PRINTABLE);
  const whole = `^(?:${source})$`;
  try {
    return new RegExp(whole, `${flags}u`);
  } catch {
    // Needless escapes, as in "\-", are an error with the u flag only.
    return new RegExp(whole, flags);
  }
}
