/** Fails before it has a handler. */
throw new TypeError("not today");
