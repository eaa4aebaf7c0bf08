/** Exits before it has a handler. */
process.exit(5);
