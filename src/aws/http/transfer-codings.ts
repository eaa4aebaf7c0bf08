/** Undoes what lies around a request's body: gzip and aws-chunked. */
import type { WireRequest } from "./wire-request.ts";

export function undoTransferCodings(_request: WireRequest, _caller: object): void {}
