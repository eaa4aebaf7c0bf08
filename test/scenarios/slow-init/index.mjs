/** Takes a minute before it has a handler. */
await new Promise((resolve) => setTimeout(resolve, 60_000));
