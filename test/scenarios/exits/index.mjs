/** Exits in its handler, or a little after its answer. */
let n = 0;

export const handler = async ({ when }) => {
  if (when === "in the handler") process.exit(7);
  if (when === "after the response") setTimeout(() => process.exit(3), 5);
  return ++n;
};
