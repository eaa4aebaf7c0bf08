/** The SDK client that the types of the operations derive from; a type only. */
export type Client = typeof import("@aws-sdk/client-s3");

/** The output of an operation that answers with its status alone. */
export type Empty = Record<string, never>;
