/** Counts the words of a text. */
export async function handler({ text }) {
  const counts = {};
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) counts[word] = (counts[word] ?? 0) + 1;
  const sorted = Object.entries(counts).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return { language: `Node.js ${process.versions.node}`, words: Object.fromEntries(sorted) };
}
