/** Where the SDK's client and our codec may differ, each with the reason; a difference not listed here fails the test. */

export interface Exception {
  readonly service?: string;
  readonly protocol?: string;
  readonly operation?: string;
  readonly side: "input" | "output" | "error";
  /** The whole path of the difference, or its end after a dot. */
  readonly path: string;
  readonly reason: string;
}

/** Operations that a client signs for a service of another name, which Lambent refuses by that name. */
export const signedElsewhere: Readonly<Record<string, readonly string[]>> = {
  s3: ["ListDirectoryBuckets", "WriteGetObjectResponse"],
};

export const exceptions: readonly Exception[] = [
  {
    service: "s3",
    side: "input",
    path: "ChecksumAlgorithm",
    reason: "the client picks an algorithm itself where the operation needs a checksum",
  },
  {
    service: "s3",
    side: "input",
    path: "ContentLength",
    reason: "the client sends the length of the body that it has",
  },
  {
    service: "s3",
    side: "output",
    path: "ExpiresString",
    reason: "the client makes it of the Expires header",
  },
  {
    service: "lambda",
    operation: "InvokeWithResponseStream",
    side: "output",
    path: "ResponseStreamContentType",
    reason: "bound to the response's Content-Type, which must say that it is an event stream",
  },
  {
    service: "sqs",
    protocol: "awsQuery",
    operation: "ReceiveMessage",
    side: "input",
    path: "AttributeNames.0",
    reason:
      "the model gives AttributeNames and MessageSystemAttributeNames the same name on the query protocol",
  },
  {
    service: "sqs",
    protocol: "awsQuery",
    operation: "ReceiveMessage",
    side: "input",
    path: "AttributeNames.1",
    reason: "as for AttributeNames.0",
  },
  ...["name", "isInstance"].map((path): Exception => ({
    service: "cloudwatch",
    operation: "DashboardNotFoundError",
    side: "error",
    path,
    reason: "it shares the code ResourceNotFound with another shape, which the client takes",
  })),
];
