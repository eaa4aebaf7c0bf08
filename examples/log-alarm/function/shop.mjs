/** Sells things, and says in its log how that went: one JSON object a line. */
export const handler = async ({ order, amount }) => {
  const level = amount > 0 ? "info" : "error";
  const message = amount > 0 ? "sold" : `order ${order} has the amount ${amount}`;
  console.log(JSON.stringify({ level, order, message }));
  return { sold: amount > 0 };
};
