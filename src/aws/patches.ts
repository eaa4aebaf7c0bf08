/** Where a service differs from its model, as data; each entry says why. */

/**
 * Outputs whose one member is the document element. Smithy's `s3UnwrappedXmlOutput` trait is not in the SDK's
 * schemas; without it boto3 and the AWS CLI read null.
 */
export const unwrappedOutputs: Readonly<Record<string, string>> = {
  GetBucketLocationOutput: "LocationConstraint",
};

/** Statuses of errors that the model leaves at the default of 400, by service and code. */
export const errorStatuses: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  // HeadBucket and HeadObject answer 404; the shape has no httpError trait.
  s3: { NotFound: 404 },
};
