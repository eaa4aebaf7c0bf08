/** Checks an input against the model's constraints and answers as AWS does: "1 validation error detected: …". */
import { AwsError } from "../errors.ts";
import type { OperationModel, ServiceModel } from "../model/model.ts";
import { isStructure } from "../model/shape.ts";
import type { ListShape, MapShape, Member, Shape, StructureShape } from "../model/shape.ts";
import { unvalidated, validationCodes } from "../patches.ts";
import { allConstraints, brokenConstraints } from "./constraints.ts";
import { javaText } from "./java-text.ts";

/** Finds violations of the value at the path, and adds each as a sentence. */
type Check = (value: unknown, path: string, violations: string[]) => void;

/** Beyond this many nothing more is looked for. */
const VIOLATIONS_MAX = 50;

/** One service's checks; each shape is compiled once, and to nothing where there is nothing to check. */
export interface Validator {
  /** @throws AwsError with the service's own code for an invalid request */
  validate(operation: OperationModel, input: Readonly<Record<string, unknown>>): void;
}

export function createValidator(model: ServiceModel): Validator {
  const { name, protocols } = model.metadata;
  const exceptions = unvalidated[name] ?? {};
  if (exceptions["*"] !== undefined) return { validate() {} };
  const compile = createCompiler(exceptions);
  const code =
    validationCodes[name] ?? (protocols[0] === "awsQuery" ? "ValidationError" : "ValidationException");
  return {
    validate(operation, input) {
      if (!operation.input) return;
      const violations: string[] = [];
      compile(operation.input)?.(input, "", violations);
      if (violations.length === 0) return;
      const count = `${violations.length} validation error${violations.length === 1 ? "" : "s"} detected`;
      throw new AwsError(code, `${count}: ${violations.join("; ")}`, {}, 400);
    },
  };
}

type Compile = (shape: Shape) => Check | undefined;

function createCompiler(exceptions: Readonly<Record<string, string>>): Compile {
  const compiled = new Map<Shape, Check | undefined>();
  const compile: Compile = (shape) => {
    if (compiled.has(shape)) return compiled.get(shape);
    // A recursive shape meets itself here, and is looked up when it is first met in a value.
    let check: Check | undefined;
    compiled.set(shape, (value, path, violations) => check?.(value, path, violations));
    check = createCheck(shape, compile, exceptions);
    compiled.set(shape, check);
    return check;
  };
  return compile;
}

function createCheck(
  shape: Shape,
  compile: Compile,
  exceptions: Readonly<Record<string, string>>,
): Check | undefined {
  if (isStructure(shape)) return structureCheck(shape, compile, exceptions);
  if (shape.kind === "list") return joined(ownCheck(shape), listCheck(shape, compile));
  if (shape.kind === "map") return joined(ownCheck(shape), mapCheck(shape, compile));
  return ownCheck(shape);
}

function joined(first: Check | undefined, second: Check | undefined): Check | undefined {
  if (!first || !second) return first ?? second;
  return (value, path, violations) => {
    first(value, path, violations);
    second(value, path, violations);
  };
}

/** The value's own bounds, pattern and enumeration. */
function ownCheck(shape: Shape, sensitive = false): Check | undefined {
  if (allConstraints(shape).length === 0) return undefined;
  return (value, path, violations) => {
    for (const text of brokenConstraints(shape, value))
      violations.push(sentence(value, path, text, sensitive));
  };
}

function sentence(value: unknown, path: string, constraint: string, sensitive = false): string {
  const shown = value === undefined ? " null" : sensitive ? "" : ` '${javaText(value)}'`;
  return `Value${shown} at '${path}' failed to satisfy constraint: ${constraint}`;
}

function structureCheck(
  shape: StructureShape,
  compile: Compile,
  exceptions: Readonly<Record<string, string>>,
): Check | undefined {
  const isExempt = (member: string) => exceptions[`${shape.name}.${member}`] !== undefined;
  const required = shape.required.filter((member) => !isExempt(member));
  const checks: { readonly name: string; readonly path: string; readonly check: Check }[] = [];
  for (const member of shape.members.values()) {
    const check = isExempt(member.name) ? undefined : memberCheck(member, compile);
    if (check) checks.push({ name: member.name, path: lowerFirst(member.name), check });
  }
  if (required.length === 0 && checks.length === 0) return undefined;
  return (value, path, violations) => {
    if (violations.length >= VIOLATIONS_MAX) return;
    const object = value as Readonly<Record<string, unknown>>;
    const prefix = path === "" ? "" : `${path}.`;
    for (const name of required)
      if (object[name] === undefined)
        violations.push(sentence(undefined, prefix + lowerFirst(name), "Member must not be null"));
    for (const { name, path: end, check } of checks) {
      const found = object[name];
      if (found !== undefined) check(found, prefix + end, violations);
    }
  };
}

function memberCheck(member: Member, compile: Compile): Check | undefined {
  // A stream is checked by whoever reads it.
  if (member.traits.streaming) return undefined;
  const isSimple = !isStructure(member.shape) && member.shape.kind !== "list" && member.shape.kind !== "map";
  if (member.traits.sensitive && isSimple) return ownCheck(member.shape, true);
  return compile(member.shape);
}

/** Structures in a list have paths of their own; simple elements are reported with the whole list. */
function listCheck(shape: ListShape, compile: Compile): Check | undefined {
  const element = shape.member.shape;
  if (!isContainer(element)) {
    const all = allConstraints(element);
    if (all.length === 0) return undefined;
    return (value, path, violations) => {
      const items = value as readonly unknown[];
      if (items.some((item) => brokenConstraints(element, item).length > 0))
        violations.push(sentence(value, path, `Member must satisfy constraint: [${all.join(", ")}]`));
    };
  }
  const check = compile(element);
  if (!check) return undefined;
  return (value, path, violations) => {
    const items = value as readonly unknown[];
    for (let i = 0; i < items.length && violations.length < VIOLATIONS_MAX; i++)
      if (items[i] !== null) check(items[i], `${path}.${i + 1}.member`, violations);
  };
}

function mapCheck(shape: MapShape, compile: Compile): Check | undefined {
  const keys = allConstraints(shape.key.shape);
  const values = isContainer(shape.value.shape) ? [] : allConstraints(shape.value.shape);
  const nested = isContainer(shape.value.shape) ? compile(shape.value.shape) : undefined;
  if (keys.length === 0 && values.length === 0 && !nested) return undefined;
  return (value, path, violations) => {
    const entries = Object.entries(value as Record<string, unknown>);
    if (keys.length > 0 && entries.some(([key]) => brokenConstraints(shape.key.shape, key).length > 0))
      violations.push(sentence(value, path, `Map keys must satisfy constraint: [${keys.join(", ")}]`));
    if (
      values.length > 0 &&
      entries.some(([, item]) => brokenConstraints(shape.value.shape, item).length > 0)
    )
      violations.push(sentence(value, path, `Map value must satisfy constraint: [${values.join(", ")}]`));
    if (nested)
      for (const [key, item] of entries) {
        if (violations.length >= VIOLATIONS_MAX) return;
        nested(item, `${path}.${key}.member`, violations);
      }
  };
}

function isContainer(shape: Shape): boolean {
  return isStructure(shape) || shape.kind === "list" || shape.kind === "map";
}

/** `FunctionName` is `functionName` in AWS's messages; `KMSKeyArn` is `kMSKeyArn` there too. */
function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
