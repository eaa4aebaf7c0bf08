/** SDK clients whose network is the exchange. */
import { createRequire } from "node:module";
import { NormalizedSchema } from "@smithy/core/schema";
import type { AwsError } from "../../../src/aws/errors.ts";
import type { ServiceMetadata, WireProtocol } from "../../../src/aws/model/format.ts";
import { exchange } from "./exchange.ts";
import type { SdkRequest, Understood } from "./exchange.ts";

const require = createRequire(import.meta.url);

type Answer = (understood: Understood) => Record<string, unknown> | AwsError;

export interface Oracle {
  /** The client package's exports. */
  readonly exports: Readonly<Record<string, unknown>>;
  schema(operation: string): { readonly input: NormalizedSchema; readonly output: NormalizedSchema };
  errorSchema(name: string): NormalizedSchema;
  /** Sends the operation through the client; the answer function plays the server's operation. */
  send(operation: string, input: object, answer: Answer): Promise<Record<string, unknown>>;
}

const nothing: Answer = () => ({});

interface Client {
  send(command: object): Promise<Record<string, unknown>>;
}

/** A client for the service, speaking its own protocol or another that the service has. */
export function createOracle(metadata: ServiceMetadata, protocol: WireProtocol): Oracle {
  const exports = require(`@aws-sdk/client-${metadata.name}`) as Record<string, unknown>;
  let answer: Answer = nothing;
  const handler = {
    metadata: { handlerProtocol: "h1" },
    httpHandlerConfigs: () => ({}),
    updateHttpClientConfig() {},
    destroy() {},
    handle: async (request: SdkRequest) => ({ response: await exchange(request, (input) => answer(input)) }),
  };
  const client = createClient(exports, metadata, protocol, handler);
  return {
    exports,
    schema(operation) {
      const tuple = exports[`${operation}$`] as readonly [number, string, string, object, never, never];
      return { input: NormalizedSchema.of(tuple[4]), output: NormalizedSchema.of(tuple[5]) };
    },
    errorSchema: (name) => NormalizedSchema.of(exports[`${name}$`] as never),
    send(operation, input, give) {
      answer = give;
      const Command = exports[`${operation}Command`] as new (input: object) => object;
      return client.send(new Command(input));
    },
  };
}

function createClient(
  exports: Record<string, unknown>,
  metadata: ServiceMetadata,
  protocol: WireProtocol,
  requestHandler: object,
): Client {
  const name = Object.keys(exports).find((key) => key.endsWith("Client") && !key.startsWith("_")) ?? "";
  const Constructor = exports[name] as new (options: object) => Client;
  return new Constructor({
    region: "us-east-1",
    endpoint: "http://127.0.0.1:1",
    credentials: { accessKeyId: "AKID", secretAccessKey: "secret" },
    maxAttempts: 1,
    forcePathStyle: true,
    disableHostPrefix: true,
    md5: false,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    endpointDiscoveryEnabled: false,
    accountIdEndpointMode: "disabled",
    requestHandler,
    ...otherProtocol(exports, metadata, protocol),
  });
}

const PROTOCOL_CLASSES: Partial<Record<WireProtocol, string>> = {
  rpcv2Cbor: "AwsSmithyRpcV2CborProtocol",
  awsQuery: "AwsQueryProtocol",
};

function otherProtocol(
  exports: Record<string, unknown>,
  metadata: ServiceMetadata,
  protocol: WireProtocol,
): object {
  const className = PROTOCOL_CLASSES[protocol];
  if (protocol === metadata.protocols[0] || className === undefined) return {};
  const protocols = require("@aws-sdk/core/protocols") as Record<string, unknown>;
  return {
    protocol: protocols[className],
    protocolSettings: {
      defaultNamespace: metadata.namespace,
      errorTypeRegistries: exports["errorTypeRegistries"],
      xmlNamespace: metadata.xmlNamespace,
      version: metadata.apiVersion,
      serviceTarget: metadata.target,
    },
  };
}
