/** Answers of the distribution API, and its error documents. */
import { AwsError } from "../../../aws/errors.ts";

export interface RegistryAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes */
type ErrorCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DENIED"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "PAGINATION_NUMBER_INVALID"
  | "SIZE_INVALID"
  | "TAG_INVALID"
  | "TOOMANYREQUESTS"
  | "UNAUTHORIZED"
  | "UNKNOWN"
  | "UNSUPPORTED";

/** What is wrong with a request, as the specification has it. */
export class RegistryError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.headers = headers;
  }
}

/** How the API's errors are told here. */
const CODES: Readonly<Record<string, readonly [ErrorCode, number]>> = {
  AccessDeniedException: ["DENIED", 403],
  ImageDigestDoesNotMatchException: ["DIGEST_INVALID", 400],
  ImageNotFoundException: ["MANIFEST_UNKNOWN", 404],
  ImageTagAlreadyExistsException: ["TAG_INVALID", 400],
  InvalidLayerException: ["DIGEST_INVALID", 400],
  InvalidParameterException: ["DIGEST_INVALID", 400],
  LayersNotFoundException: ["MANIFEST_BLOB_UNKNOWN", 400],
  LimitExceededException: ["TOOMANYREQUESTS", 429],
  ReferencedImagesNotFoundException: ["MANIFEST_BLOB_UNKNOWN", 400],
  RepositoryNotFoundException: ["NAME_UNKNOWN", 404],
  UploadNotFoundException: ["BLOB_UPLOAD_UNKNOWN", 404],
  UnrecognizedClientException: ["UNAUTHORIZED", 401],
  MissingAuthenticationTokenException: ["UNAUTHORIZED", 401],
  ExpiredTokenException: ["DENIED", 403],
};

/** Undefined for what is no refusal but a fault of ours. */
export function refusal(error: unknown): RegistryError | undefined {
  if (error instanceof RegistryError) return error;
  if (!(error instanceof AwsError)) return undefined;
  if (error.status === 413) return new RegistryError("SIZE_INVALID", 413, error.message);
  const [code, status] = CODES[error.code] ?? ["UNKNOWN", error.status ?? 400];
  return new RegistryError(code, status, error.message);
}

export function errorAnswer({ code, status, message, headers }: RegistryError): RegistryAnswer {
  return json(status, { errors: [{ code, message, detail: {} }] }, headers);
}

export function json(
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): RegistryAnswer {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

/** An answer that says everything in its headers. */
export function empty(status: number, headers: Readonly<Record<string, string>>): RegistryAnswer {
  return { status, headers };
}
