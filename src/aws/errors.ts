/** The one error an operation throws; its status and wire form come from the service's model. */
export class AwsError extends Error {
  /** The shape's name as AWS spells it: `ResourceNotFoundException`, `NoSuchBucket`. */
  readonly code: string;
  /** Further members of the modelled error shape. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Only for codes that the model does not know (front-door errors such as `AccessDenied`). */
  readonly status: number | undefined;

  constructor(code: string, message: string, members: Record<string, unknown> = {}, status?: number) {
    super(message);
    this.name = code;
    this.code = code;
    this.members = members;
    this.status = status;
  }
}

/** A member or value of an implemented operation that Lambent does not implement: 501, naming it. */
export function notImplemented(what: string): AwsError {
  return new AwsError("NotImplemented", `Lambent does not implement ${what}`, {}, 501);
}
