/** Thrown where a request's bytes do not have the types the model asks for; each protocol words it with its own code. */
export class MalformedInput extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MalformedInput";
  }
}
