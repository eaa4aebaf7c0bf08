/** What node-path.mjs does, for Node.js 20, whose hooks run in a thread of their own. */

let parents = [];

export function initialize(data) {
  ({ parents } = data);
}

export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    const isBare = !/^(\.{0,2}\/|node:|file:|data:|#)/.test(specifier);
    if (error.code !== "ERR_MODULE_NOT_FOUND" || !isBare) throw error;
    for (const parentURL of parents) {
      try {
        return await nextResolve(specifier, { ...context, parentURL });
      } catch (next) {
        if (next.code !== "ERR_MODULE_NOT_FOUND") throw next;
      }
    }
    throw error;
  }
}
