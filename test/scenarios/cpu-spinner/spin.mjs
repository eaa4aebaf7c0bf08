/** Counts up until a moment in time, and answers how far it came. */
export function spin(until) {
  let count = 0;
  while (Date.now() < until) for (let step = 0; step < 1_000; step++) count++;
  return count;
}
