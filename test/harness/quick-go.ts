/** How tests build programs in Go. */

/**
 * For the environment of `go`, the same everywhere, so that the standard library is compiled once: with this it takes half as long. What is
 * not inlined answers nothing else, and a compiler that ends after a second needs no collector.
 */
export const QUICK_GO = { GOFLAGS: "-mod=mod -gcflags=all=-l", GOGC: "off" };
