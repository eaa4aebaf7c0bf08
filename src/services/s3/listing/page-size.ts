/** Parameters that bound a page: max-keys, max-parts, max-uploads. */
import { invalidArgument } from "../errors.ts";
import { LIST_ARGUMENT_MAX, LIST_PAGE_MAX } from "../limits.ts";

/** The page's size: the default, or what was asked for, up to a thousand. @throws InvalidArgument */
export function pageSize(asked: number | undefined, name: string): number {
  if (asked === undefined) return LIST_PAGE_MAX;
  if (!Number.isInteger(asked) || asked < 0 || asked > LIST_ARGUMENT_MAX)
    throw invalidArgument(
      `Argument ${name} must be an integer between 0 and ${LIST_ARGUMENT_MAX}`,
      name,
      asked,
    );
  return Math.min(asked, LIST_PAGE_MAX);
}
