/** What keeps a mapping from reaching its broker before anything was sent there: a file, a secret, a permission. Told as it is. */
export class AccessError extends Error {}
