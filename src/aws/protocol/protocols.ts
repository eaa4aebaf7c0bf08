/** The table of protocols. */
import type { WireProtocol } from "../model/format.ts";
import { createJsonRpc } from "./json-rpc.ts";
import type { Protocol } from "./protocol.ts";
import { query } from "./query.ts";
import { restJson } from "./rest-json.ts";
import { restXml } from "./rest-xml.ts";
import { cbor11, rpcCbor } from "./rpc-cbor.ts";

const protocols: Readonly<Record<WireProtocol, Protocol>> = {
  restJson1: restJson,
  restXml,
  awsJson1_0: createJsonRpc("application/x-amz-json-1.0"),
  awsJson1_1: createJsonRpc("application/x-amz-json-1.1"),
  awsQuery: query,
  rpcv2Cbor: rpcCbor,
};

export function protocolFor(target: { readonly protocol: WireProtocol; readonly cbor?: true }): Protocol {
  return target.cbor ? cbor11 : protocols[target.protocol];
}
