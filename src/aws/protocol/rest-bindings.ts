/** Where REST puts each member: path label, query, header, status, payload or body; compiled once per shape. */
import type { Member, StructureShape } from "../model/shape.ts";

export interface Binding {
  readonly member: Member;
  /** The label, query parameter, header (lower case) or header prefix. */
  readonly wire: string;
}

export interface RestBindings {
  readonly labels: readonly Binding[];
  readonly query: readonly Binding[];
  /** The member that takes all other query parameters. */
  readonly queryParams: Member | undefined;
  readonly headers: readonly Binding[];
  readonly prefixHeaders: readonly Binding[];
  readonly status: Member | undefined;
  readonly payload: Member | undefined;
  /** The members that the body carries, as a structure of their own; undefined where there are none. */
  readonly body: StructureShape | undefined;
}

const inputs = new WeakMap<StructureShape, RestBindings>();
const outputs = new WeakMap<StructureShape, RestBindings>();

export function inputBindings(shape: StructureShape): RestBindings {
  return memoised(inputs, shape, true);
}

/** On outputs and errors, label and query traits mean nothing: such members are in the body. */
export function outputBindings(shape: StructureShape): RestBindings {
  return memoised(outputs, shape, false);
}

function memoised(
  memo: WeakMap<StructureShape, RestBindings>,
  shape: StructureShape,
  isInput: boolean,
): RestBindings {
  let bindings = memo.get(shape);
  if (!bindings) {
    bindings = compileBindings(shape, isInput);
    memo.set(shape, bindings);
  }
  return bindings;
}

function compileBindings(shape: StructureShape, isInput: boolean): RestBindings {
  const labels: Binding[] = [];
  const query: Binding[] = [];
  const headers: Binding[] = [];
  const prefixHeaders: Binding[] = [];
  const body = new Map<string, Member>();
  let queryParams: Member | undefined;
  let status: Member | undefined;
  let payload: Member | undefined;
  for (const member of shape.members.values()) {
    const { traits } = member;
    if (isInput && traits.httpLabel) labels.push({ member, wire: member.name });
    else if (traits.httpHeader !== undefined) headers.push({ member, wire: traits.httpHeader.toLowerCase() });
    else if (traits.httpPrefixHeaders !== undefined)
      prefixHeaders.push({ member, wire: traits.httpPrefixHeaders.toLowerCase() });
    else if (isInput && traits.httpQuery !== undefined) query.push({ member, wire: traits.httpQuery });
    else if (isInput && traits.httpQueryParams) queryParams = member;
    else if (traits.httpResponseCode) status = member;
    else if (traits.httpPayload) payload = member;
    else body.set(member.name, member);
  }
  return {
    labels,
    query,
    queryParams,
    headers,
    prefixHeaders,
    status,
    payload,
    body: body.size === 0 ? undefined : partOf(shape, body),
  };
}

function partOf(shape: StructureShape, members: ReadonlyMap<string, Member>): StructureShape {
  if (members.size === shape.members.size) return shape;
  const required = shape.required.filter((name) => members.has(name));
  return {
    kind: shape.kind,
    name: shape.name,
    traits: shape.traits,
    members,
    required,
    constraint: undefined,
  };
}
