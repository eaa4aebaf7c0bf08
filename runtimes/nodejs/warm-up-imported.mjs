/** Stands for a function's module while a process warms up. */
export const handler = async (event) => event;
