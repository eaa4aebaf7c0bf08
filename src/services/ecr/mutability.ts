/** Whether a tag of a repository may be moved to another image. */

/** @param mutability One of ECR's four settings. @param exclusions Patterns of tags for which the two with exclusions are turned round. */
export function isImmutable(mutability: string, exclusions: readonly string[], tag: string): boolean {
  const isExcluded = mutability.endsWith("_WITH_EXCLUSION") && exclusions.some((one) => tagMatches(one, tag));
  return mutability.startsWith("IMMUTABLE") !== isExcluded;
}

/** Whether a tag matches a pattern, in which a star stands for any characters. */
export function tagMatches(pattern: string, tag: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === tag;
  const last = rest.pop() ?? "";
  if (tag.length < first.length + last.length || !tag.startsWith(first) || !tag.endsWith(last)) return false;
  let from = first.length;
  for (const piece of rest) {
    const at = tag.indexOf(piece, from);
    if (at < 0) return false;
    from = at + piece.length;
  }
  return from <= tag.length - last.length;
}
