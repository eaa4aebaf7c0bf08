/** rpcv2Cbor, and the older CBOR form of awsJson 1.1 that Kinesis clients in Java use. */
import { AwsError } from "../errors.ts";
import { createCborCodec } from "./cbor.ts";
import { createJsonRpc } from "./json-rpc.ts";
import type { Protocol, WireResponse } from "./protocol.ts";

/** Same as awsJson 1.1, with timestamps in milliseconds where rpcv2Cbor has seconds. */
export const cbor11: Protocol = createJsonRpc("application/x-amz-cbor-1.1", createCborCodec("milliseconds"));

const rpc = createJsonRpc("application/cbor", createCborCodec("seconds"));

/** awsJson's shapes under rpcv2Cbor's headers. */
export const rpcCbor: Protocol = {
  ...rpc,
  writeOutput(output) {
    const response = named(rpc.writeOutput(output));
    if (output.operation.output) return response;
    delete response.headers["content-type"];
    return { ...response, body: undefined };
  },
  writeError: (error) => named(rpc.writeError(error)),
  unknownOperation: (name) =>
    new AwsError("UnknownOperationException", `The operation ${name} is not known`, {}, 404),
};

function named(response: WireResponse): WireResponse {
  response.headers["smithy-protocol"] = "rpc-v2-cbor";
  return response;
}
