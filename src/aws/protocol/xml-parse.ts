/** A small strict XML parser: elements, attributes, text, CDATA and the predefined entities; no document types. */
import { MalformedInput } from "./malformed-input.ts";

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  /** By name as written: `xsi:type`. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** All text directly inside, entities resolved. */
  readonly text: string;
}

interface OpenElement {
  readonly tag: string;
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: OpenElement[];
  text: string;
}

const DEPTH_MAX = 100;
const NAME = /[^\s/>=]+/y;
const ATTRIBUTE = /\s+([^\s/>=]+)\s*=\s*("([^"<]*)"|'([^'<]*)')/y;
const TAG_END = /\s*(\/?)>/y;

/**
 * Parses a document into its root element.
 * @throws MalformedInput
 */
export function parseXml(text: string): XmlElement {
  const root: OpenElement = { tag: "", name: "", attributes: {}, children: [], text: "" };
  const stack: OpenElement[] = [root];
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    const top = stack[stack.length - 1] ?? root;
    const open = text.indexOf("<", at);
    if (open < 0) {
      addText(top, text.slice(at), stack.length);
      break;
    }
    if (open > at) addText(top, text.slice(at, open), stack.length);
    if (text.startsWith("<!--", open)) at = after(text, "-->", open + 4);
    else if (text.startsWith("<?", open)) at = after(text, "?>", open + 2);
    else if (text.startsWith("<![CDATA[", open)) {
      at = after(text, "]]>", open + 9);
      top.text += text.slice(open + 9, at - 3);
    } else if (text.startsWith("</", open)) {
      at = after(text, ">", open + 2);
      if (stack.length === 1 || text.slice(open + 2, at - 1).trimEnd() !== top.tag) throw malformed();
      stack.pop();
    } else at = openTag(text, open + 1, stack, top);
  }
  const [only, ...others] = root.children;
  if (stack.length > 1 || !only || others.length > 0) throw malformed();
  return only;
}

/** Reads a start tag (or refuses a document type); returns the position behind it. */
function openTag(text: string, start: number, stack: OpenElement[], parent: OpenElement): number {
  NAME.lastIndex = start;
  const tag = NAME.exec(text)?.[0];
  if (tag === undefined || tag.startsWith("!") || stack.length > DEPTH_MAX) throw malformed();
  const element: OpenElement = {
    tag,
    name: tag.slice(tag.indexOf(":") + 1),
    attributes: {},
    children: [],
    text: "",
  };
  let at = NAME.lastIndex;
  for (;;) {
    ATTRIBUTE.lastIndex = at;
    const found = ATTRIBUTE.exec(text);
    if (!found) break;
    element.attributes[found[1] ?? ""] = unescapeXml(found[3] ?? found[4] ?? "");
    at = ATTRIBUTE.lastIndex;
  }
  TAG_END.lastIndex = at;
  const end = TAG_END.exec(text);
  if (!end) throw malformed();
  parent.children.push(element);
  if (end[1] === "") stack.push(element);
  return TAG_END.lastIndex;
}

function addText(element: OpenElement, raw: string, depth: number): void {
  if (depth > 1) element.text += unescapeXml(raw);
  else if (raw.trim() !== "") throw malformed();
}

function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  if (found < 0) throw malformed();
  return found + mark.length;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const CODE_POINT_MAX = 0x10ffff;

function unescapeXml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&([^;&]{0,10});?/g, (whole, name: string) => {
    const code = /^#x[0-9a-fA-F]+$/.test(name)
      ? Number.parseInt(name.slice(2), 16)
      : /^#\d+$/.test(name)
        ? Number(name.slice(1))
        : undefined;
    const character =
      code === undefined ? ENTITIES[name] : code <= CODE_POINT_MAX ? String.fromCodePoint(code) : undefined;
    if (character === undefined || !whole.endsWith(";")) throw malformed();
    return character;
  });
}

function malformed(): MalformedInput {
  return new MalformedInput(
    "The XML you provided was not well-formed or did not validate against our published schema",
  );
}
