/** Answers a string of the size it is told. */
export const handler = async ({ size }) => "x".repeat(size);
