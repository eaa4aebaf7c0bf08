/** The SDK's client, for the types of inputs and outputs. */

export type Client = typeof import("@aws-sdk/client-dynamodb");
