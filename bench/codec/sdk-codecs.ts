/** The SDK's own codecs, set up as its clients set them up. */
import { createRequire } from "node:module";
import { XmlCodec } from "@aws-sdk/core/protocols";
import { CborCodec } from "@smithy/core/cbor";
import { JsonCodec2 } from "@smithy/core/protocols";
import { fromBase64, fromUtf8, toBase64, toUtf8 } from "@smithy/core/serde";

/** A schema as a client package exports it. */
export type Schema = never;

export interface SdkCodec {
  read(schema: Schema, document: never): unknown;
  write(schema: Schema, value: unknown): string | Uint8Array;
}

interface Codec {
  setSerdeContext(context: never): void;
  createSerializer(): { write(schema: never, value: unknown): void; flush(): string | Uint8Array };
  createDeserializer(): {
    read(schema: never, document: never): unknown;
    readObject?(schema: never, object: never): unknown;
  };
}

const EPOCH_SECONDS = 7;
const DATE_TIME = 5;
const require = createRequire(import.meta.url);

export function sdkSchema(service: string, name: string): Schema {
  return (require(`@aws-sdk/client-${service}`) as Record<string, Schema>)[`${name}$`] as Schema;
}

export const sdkJson = wrap(
  new JsonCodec2({
    timestampFormat: { useTrait: true, default: EPOCH_SECONDS },
    jsonName: true,
  } as never),
);
export const sdkXml = wrap(
  new XmlCodec({
    timestampFormat: { useTrait: true, default: DATE_TIME },
    httpBindings: true,
    xmlNamespace: "http://s3.amazonaws.com/doc/2006-03-01/",
    serviceNamespace: "com.amazonaws",
  } as never),
);
export const sdkCbor = wrap(new CborCodec());

function wrap(unknownCodec: unknown): SdkCodec {
  const codec = unknownCodec as Codec;
  codec.setSerdeContext({
    base64Decoder: fromBase64,
    base64Encoder: toBase64,
    utf8Decoder: fromUtf8,
    utf8Encoder: toUtf8,
  } as never);
  const serializer = codec.createSerializer();
  const deserializer = codec.createDeserializer();
  return {
    read: (schema, document) =>
      deserializer.readObject
        ? deserializer.readObject(schema, document)
        : deserializer.read(schema, document),
    write(schema, value) {
      serializer.write(schema, value);
      return serializer.flush();
    },
  };
}
