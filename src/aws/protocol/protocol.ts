/** What every wire protocol does: read an operation's input, write its output, write an error. */
import type { Readable } from "node:stream";
import type { AwsError } from "../errors.ts";
import type { ServiceMetadata } from "../model/format.ts";
import type { ErrorModel, OperationModel } from "../model/model.ts";
import type { Shape } from "../model/shape.ts";
import type { WireRequest } from "../http/wire-request.ts";
import type { MalformedInput } from "./malformed-input.ts";

/** A notation (JSON, CBOR, XML) in which values of a shape are written. */
export interface BodyCodec {
  /** @throws MalformedInput */
  read(shape: Shape, bytes: Buffer): unknown;
  write(shape: Shape, value: unknown): string | Uint8Array;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Text is sent as UTF-8; anything else than text and bytes is streamed. */
  readonly body: string | Uint8Array | Readable | AsyncIterable<Uint8Array> | undefined;
}

export interface ReadInput {
  readonly operation: OperationModel;
  readonly request: WireRequest;
  /** Decoded labels of a REST path. */
  readonly labels: Readonly<Record<string, string>>;
  /** Fields of the query protocol. */
  readonly form: readonly (readonly [string, string])[];
}

export interface WriteOutput {
  readonly metadata: ServiceMetadata;
  readonly operation: OperationModel;
  readonly output: Readonly<Record<string, unknown>>;
  readonly requestId: string;
  /** The model of an error, for exceptions inside an event stream. */
  readonly errorModel: (code: string) => ErrorModel | undefined;
  /** Called for what goes wrong in a stream after the status has been sent. */
  readonly onStreamError: (error: unknown) => void;
}

export interface WriteError {
  readonly metadata: ServiceMetadata;
  readonly error: AwsError;
  /** Undefined for a code that the service's model does not have. */
  readonly model: ErrorModel | undefined;
  readonly status: number;
  readonly fault: "client" | "server";
  readonly requestId: string;
}

export interface Protocol {
  /**
   * Reads the input, checked for its types only.
   * @throws MalformedInput
   */
  readInput(input: ReadInput): Promise<Record<string, unknown>>;
  writeOutput(output: WriteOutput): WireResponse;
  writeError(error: WriteError): WireResponse;
  /** The error that a request of the wrong types is answered with. */
  malformed(error: MalformedInput): AwsError;
  /** The error that an operation the service does not have is answered with. */
  unknownOperation(name: string): AwsError;
  /** The error that stands for a bug of ours. */
  internalError(): AwsError;
}
