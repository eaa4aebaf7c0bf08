/** One service's model, loaded from its generated files on the first request for it. */
import { readFileSync } from "node:fs";
import type { ConstraintsFile, ModelFile, OperationRecord, ServiceMetadata } from "./format.ts";
import { enumOrders } from "../patches.ts";
import { ShapeTable } from "./shape.ts";
import type { StructureShape } from "./shape.ts";

export interface OperationModel {
  readonly name: string;
  readonly method: string;
  /** With query constants: `/{Key+}?uploads`. */
  readonly uri: string;
  readonly status: number;
  /** Undefined for an operation without input (or output). */
  readonly input: StructureShape | undefined;
  readonly output: StructureShape | undefined;
  /** Names of the errors it declares. */
  readonly errors: readonly string[];
}

export interface ErrorModel {
  readonly name: string;
  readonly fault: "client" | "server";
  readonly status: number;
  /** The code that the query protocol and its successors carry. */
  readonly queryCode: string;
  readonly queryStatus: number;
  readonly shape: StructureShape;
}

export interface ServiceModel {
  readonly metadata: ServiceMetadata;
  readonly operationNames: readonly string[];
  operation(name: string): OperationModel | undefined;
  readonly errorNames: readonly string[];
  /** By the shape's name, or by the query protocol's code where no shape has that name. */
  error(name: string): ErrorModel | undefined;
}

/** The metadata of every known service. */
export function loadIndex(): readonly ServiceMetadata[] {
  return readGenerated("index") as readonly ServiceMetadata[];
}

/** Reads one service's generated files; operations and shapes are resolved when first asked for. */
export function loadModel(metadata: ServiceMetadata): ServiceModel {
  const file = readGenerated(metadata.name) as ModelFile;
  const constraints = withEnumOrders(
    metadata.name,
    readGenerated(`${metadata.name}.constraints`) as ConstraintsFile,
  );
  const shapes = new ShapeTable(file.shapes, constraints);
  const operations = new Map<string, OperationModel>();
  const errors = new Map<string, ErrorModel>();
  return {
    metadata,
    operationNames: Object.keys(file.operations),
    operation(name) {
      const record = ownValue(file.operations, name);
      return record && memoised(operations, name, () => operationModel(name, record, constraints, shapes));
    },
    errorNames: Object.keys(file.errors),
    error(code) {
      const name = Object.hasOwn(file.errors, code) ? code : nameByQueryCode(file, code);
      const record = name === undefined ? undefined : ownValue(file.errors, name);
      if (!record || name === undefined) return undefined;
      const { fault, status, queryCode = name, queryStatus = status } = record;
      const create = () => ({
        name,
        fault,
        status,
        queryCode,
        queryStatus,
        shape: shapes.structure(record.shape),
      });
      return memoised(errors, name, create);
    },
  };
}

/** Enumerations in the order of the service's messages. */
function withEnumOrders(name: string, constraints: ConstraintsFile): ConstraintsFile {
  const orders = new Map((enumOrders[name] ?? []).map((order) => [order.toSorted().join(), order]));
  if (orders.size === 0) return constraints;
  const table = constraints.table.map((record) => {
    const order = record.enum && orders.get(record.enum.toSorted().join());
    return order ? { ...record, enum: [...order] } : record;
  });
  return { ...constraints, table };
}

/** Several shapes may share a code; the first stands for all. */
function nameByQueryCode(file: ModelFile, code: string): string | undefined {
  return Object.keys(file.errors).find((name) => file.errors[name]?.queryCode === code);
}

function operationModel(
  name: string,
  record: OperationRecord,
  constraints: ConstraintsFile,
  shapes: ShapeTable,
): OperationModel {
  const [method, uri, status] = record.http;
  return {
    name,
    method,
    uri,
    status,
    input: record.input === undefined ? undefined : shapes.structure(record.input),
    output: record.output === undefined ? undefined : shapes.structure(record.output),
    errors: constraints.errors[name] ?? [],
  };
}

function memoised<V>(memo: Map<string, V>, key: string, create: () => V): V {
  let value = memo.get(key);
  if (value === undefined) {
    value = create();
    memo.set(key, value);
  }
  return value;
}

function ownValue<V>(record: Readonly<Record<string, V>>, key: string): V | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function readGenerated(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../models/${name}.gen.json`, import.meta.url), "utf8"));
}
