/** Where the paths of the layout lie on the host when nothing is mounted: the longest known prefix is replaced. */
import type { SandboxSpec } from "../sandbox.ts";
import { systemLibraries } from "../system-libraries.ts";

/** Prefix inside → host path, longest first. */
export type LayoutPaths = readonly (readonly [inside: string, host: string])[];

/** The prefixes of a spec. */
export function layoutPaths(spec: SandboxSpec, tmp: string): LayoutPaths {
  const paths: [string, string][] = [
    ["/tmp", tmp],
    ...spec.languageMounts.map(({ source, target }): [string, string] => [target, source]),
  ];
  const libraries = systemLibraries();
  if (libraries !== undefined) paths.push(["/lib64", libraries]);
  if (spec.codeDir !== undefined) paths.push(["/var/task", spec.codeDir]);
  if (spec.optDir !== undefined) paths.push(["/opt", spec.optDir]);
  if (spec.runtimeDir !== undefined) paths.push(["/var/runtime", spec.runtimeDir]);
  if (spec.socketDir !== undefined) paths.push(["/run/lambent", spec.socketDir]);
  return paths.sort(([a], [b]) => b.length - a.length);
}

/** The host's path for a path inside; unchanged when no prefix fits. */
export function translate(paths: LayoutPaths, inside: string): string {
  for (const [prefix, host] of paths) {
    if (inside === prefix) return host;
    if (inside.startsWith(`${prefix}/`)) return host + inside.slice(prefix.length);
  }
  return inside;
}
