/** Aborts. */
export const handler = async () => process.abort();
