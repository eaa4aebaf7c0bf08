/** Why an image cannot be had, in kinds that the API tells apart. */

export type ImageProblem =
  /** The registry has no such repository, tag or content. */
  | "missing"
  /** The registry does not let us read it. */
  | "denied"
  /** A kind of manifest, configuration or layer that Lambda does not run. */
  | "unsupported"
  /** What came is not what was promised, or may not be unpacked. */
  | "invalid"
  /** The registry cannot be reached, or fails. */
  | "unreachable";

export class ImageError extends Error {
  readonly problem: ImageProblem;

  constructor(problem: ImageProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ImageError";
    this.problem = problem;
  }
}
