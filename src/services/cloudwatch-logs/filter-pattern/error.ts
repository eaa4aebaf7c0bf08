/** The error of every part of the filter pattern language. */

/** A text that is no filter pattern. */
export class FilterPatternError extends Error {
  constructor(message = "Invalid filter pattern") {
    super(message);
    this.name = "FilterPatternError";
  }
}
