/** Thrown where a request's bytes do not have the types the model asks for; each protocol words it with its own code. */
export class MalformedInput extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MalformedInput";
  }
}

/** Thrown where a URL holds percent signs that encode nothing; S3 has a code of its own for it. */
export class MalformedUrl extends MalformedInput {
  constructor() {
    super("The URL is not properly encoded");
    this.name = "MalformedUrl";
  }
}
