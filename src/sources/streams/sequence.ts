/** Sequence numbers: whole numbers of up to 56 digits as text, which grow along a shard. */

/** Negative when `a` comes before `b`, 0 when they are the same. */
export function compareSequence(a: string, b: string): number {
  const [left, right] = [withoutZeros(a), withoutZeros(b)];
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** DynamoDB pads its own with zeros. */
function withoutZeros(text: string): string {
  let at = 0;
  while (at < text.length - 1 && text[at] === "0") at++;
  return at === 0 ? text : text.slice(at);
}
