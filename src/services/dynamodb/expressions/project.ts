/** Projection: the parts of an item that paths name. */
import type { AttributeValue, Attributes } from "../values/value.ts";
import { emptyAttributes } from "../values/value.ts";
import { parseProjection } from "./parser.ts";
import { refuseOverlaps, refuseReservedWords, resolvePath } from "./resolve.ts";
import type { Substitutes } from "./substitutes.ts";
import type { Path } from "./tree.ts";

/** Reads a projection expression. */
export function readProjection(source: string, substitutes: Substitutes): Path[] {
  const nodes = parseProjection(source);
  nodes.forEach(refuseReservedWords);
  const paths = nodes.map((node) => resolvePath(node, substitutes));
  refuseOverlaps(paths);
  return paths;
}

/** The parts of an item that the paths name, in the shape they have in the item; the lists among them close up. */
export function project(item: Attributes, paths: readonly Path[]): Attributes {
  const projected = emptyAttributes();
  for (const [step, below] of branchesOf(paths)) {
    if (typeof step === "number" || !Object.hasOwn(item, step)) continue;
    const value = pick(item[step] as AttributeValue, below);
    if (value) projected[step] = value;
  }
  return projected;
}

/** The paths by their first step, each without it. */
function branchesOf(paths: readonly Path[]): Map<string | number, Path[]> {
  const branches = new Map<string | number, Path[]>();
  for (const path of paths) {
    const step = path[0] as string | number;
    const below = branches.get(step);
    if (below) below.push(path.slice(1));
    else branches.set(step, [path.slice(1)]);
  }
  return branches;
}

function pick(value: AttributeValue, paths: readonly Path[]): AttributeValue | undefined {
  if (paths.some((path) => path.length === 0)) return value;
  if (value.M) {
    const picked = project(value.M, paths);
    return Object.keys(picked).length > 0 ? { M: picked } : undefined;
  }
  return value.L && pickElements(value.L, paths);
}

function pickElements(list: readonly AttributeValue[], paths: readonly Path[]): AttributeValue | undefined {
  const branches = branchesOf(paths);
  const indexes = [...branches.keys()].filter((step) => typeof step === "number").sort((a, b) => a - b);
  const elements: AttributeValue[] = [];
  for (const index of indexes) {
    const element = list[index];
    const picked = element && pick(element, branches.get(index) ?? []);
    if (picked) elements.push(picked);
  }
  return elements.length > 0 ? { L: elements } : undefined;
}
