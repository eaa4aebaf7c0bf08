/** A flame graph as one SVG file: width is time, the outermost function at the bottom; names and shares appear on hovering. */
import type { Sample } from "./cpu-profile.ts";

interface Node {
  readonly name: string;
  us: number;
  readonly children: Map<string, Node>;
}

const WIDTH_PX = 1_600;
const ROW_PX = 17;
const NARROWEST_PX = 0.4;
const CHARACTER_PX = 6.6;

/** The text of the SVG. */
export function flameGraph(samples: readonly Sample[]): string {
  const root: Node = { name: "all", us: 0, children: new Map() };
  for (const sample of samples) add(root, sample);
  const depth = depthOf(root);
  const height = (depth + 1) * ROW_PX;
  const boxes: string[] = [];
  draw(root, 0, 0, root.us, height, boxes);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH_PX}" height="${height}" font-family="monospace" font-size="11">\n` +
    `${boxes.join("\n")}\n</svg>\n`
  );
}

function add(root: Node, { us, stack }: Sample): void {
  let node = root;
  node.us += us;
  for (const { name, file, line } of [...stack].reverse()) {
    const label = file === "" ? name : `${name} ${file}:${line}`;
    let child = node.children.get(label);
    if (!child) {
      child = { name: label, us: 0, children: new Map() };
      node.children.set(label, child);
    }
    child.us += us;
    node = child;
  }
}

function depthOf(node: Node): number {
  return Math.max(0, ...[...node.children.values()].map((child) => depthOf(child) + 1));
}

function draw(node: Node, depth: number, x: number, allUs: number, height: number, boxes: string[]): void {
  const width = (node.us / allUs) * WIDTH_PX;
  if (width < NARROWEST_PX) return;
  const y = height - (depth + 1) * ROW_PX;
  const share = ((node.us / allUs) * 100).toFixed(1);
  const shown = node.name.slice(0, Math.max(0, Math.floor(width / CHARACTER_PX)));
  boxes.push(
    `<g><title>${escaped(node.name)} ${share} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW_PX - 1}" fill="${colour(node.name)}"/>` +
      `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escaped(shown)}</text></g>`,
  );
  let at = x;
  for (const child of [...node.children.values()].sort((a, b) => b.us - a.us)) {
    draw(child, depth + 1, at, allUs, height, boxes);
    at += (child.us / allUs) * WIDTH_PX;
  }
}

/** Ours warm, Node's cool, native grey. */
function colour(name: string): string {
  if (name.includes(" src/")) return "#f2a65a";
  return name.includes(" node:") ? "#9ec5e8" : "#cfcfcf";
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
